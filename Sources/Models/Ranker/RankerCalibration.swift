public import Blobs
import Foundation

/// The calibrators of a model's heads, as a component of a snapshot beside the model.
public struct RankerCalibration: Sendable, Hashable {
    /// By head; a head without one predicts what it predicts.
    public var heads: [String: Calibrator]
    /// By head that predicts finishing: how often items of a length are finished.
    public var finishRates: [String: FinishRate]

    public init(heads: [String: Calibrator], finishRates: [String: FinishRate] = [:]) {
        self.heads = heads
        self.finishRates = finishRates
    }

    /// Format of the component.
    private static let version = 1
    private static let key = "calibration"

    private struct Description: Codable {
        var version: Int
        var heads: [String: Calibrator]
        var finishRates: [String: FinishRate]?
    }

    /// Reads the component.
    public init(_ file: SafetensorsFile) throws(ModelError) {
        guard let text = file.metadata[Self.key] else {
            throw ModelError(.corrupt, "\(file.path): no calibrators in the metadata")
        }
        let description: Description
        do {
            description = try JSONDecoder().decode(Description.self, from: Data(text.utf8))
        } catch {
            throw ModelError(.corrupt, "\(file.path): the calibrators cannot be read", cause: error)
        }
        guard description.version == Self.version else {
            throw ModelError(
                .mismatch, "\(file.path): calibrators of version \(description.version), expected \(Self.version)")
        }
        for (name, calibrator) in description.heads.sorted(by: { $0.key < $1.key }) where !calibrator.isSound {
            throw ModelError(.corrupt, "\(file.path): the calibrator of '\(name)' does not rise within 0...1")
        }
        heads = description.heads
        finishRates = description.finishRates ?? [:]
    }

    /// The component: JSON in the metadata, no tensors.
    public func writer() throws -> SafetensorsWriter {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let description = Description(version: Self.version, heads: heads, finishRates: finishRates)
        return SafetensorsWriter(metadata: [Self.key: String(decoding: try encoder.encode(description), as: UTF8.self)])
    }
}

extension Calibrator {
    /// Whether it can be applied: finite, rising, in 0...1.
    fileprivate var isSound: Bool {
        switch self {
        case .platt(let slope, let intercept): return slope.isFinite && intercept.isFinite
        case .isotonic(let points, let values):
            return points.count == values.count && !points.isEmpty
                && zip(points, points.dropFirst()).allSatisfy { $0 < $1 }
                && zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }
                && values.allSatisfy { $0 >= 0 && $0 <= 1 } && points.allSatisfy(\.isFinite)
        }
    }
}
