import Glibc
import Hashing

extension SnapshotManifest {
    /// A version name that sorts by time and differs wherever the contents differ.
    ///
    /// - Parameters:
    ///   - milliseconds: time since 1970, UTC.
    ///   - contents: the manifest with its version left empty.
    static func versionName(milliseconds: Int64, contents: [UInt8]) -> String {
        var seconds = time_t(milliseconds / 1000)
        var calendar = tm()
        gmtime_r(&seconds, &calendar)
        let hash = contents.withUnsafeBytes { SHA256.hash($0) }
        let date = [
            digits(Int(calendar.tm_year) + 1900, 4), digits(Int(calendar.tm_mon) + 1, 2),
            digits(Int(calendar.tm_mday), 2),
        ].joined()
        let clock = [
            digits(Int(calendar.tm_hour), 2), digits(Int(calendar.tm_min), 2), digits(Int(calendar.tm_sec), 2),
            digits(Int(milliseconds % 1000), 3),
        ].joined()
        return "\(date)-\(clock)-\(hash.description.prefix(8))"
    }

    private static func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
