import Foundation

extension Float {
    /// With `digits` after the point.
    func text(_ digits: Int) -> String { String(format: "%.\(digits)f", Double(self)) }
}

extension UInt64 {
    /// Microseconds as milliseconds.
    var millisecondsText: String { String(format: "%.2f ms", Double(self) / 1000) }
}

/// Writes a value as JSON with snake_case keys, sorted, and a line end.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
