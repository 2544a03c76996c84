public import Blobs
public import Features
import Kernels
import Networks

/// Rows with what the trainer's model predicts of them: component `ranker-golden`. A ranker that computes anything else of the
/// same snapshot refuses it.
public struct RankerGolden: Sendable {
    public let inputs: RankerInputs
    /// Names of the heads, in order.
    public let heads: [String]
    /// `[n, heads]`, row-major: corrected for negative down-sampling, not calibrated.
    public let predictions: [Float]
    /// Whether the model holds layers in bytes.
    public let hasBytes: Bool

    /// Greatest difference of a prediction: of probabilities and fractions as they are, of seconds above one relative to them.
    public static let toleranceFloat32: Float = 1e-4
    /// The same when layers are held in bytes.
    public static let toleranceBytes: Float = 1e-2

    /// Rows whose predictions are made by the definition that trains, `RankerModel`, layers held as the component says.
    ///
    /// - Parameters:
    ///   - inputs: About 64 rows as training has them.
    ///   - file: The `ranker` component.
    /// - Throws: `ModelError` when the rows do not fit the model or a prediction is not finite.
    public init(_ inputs: RankerInputs, of file: SafetensorsFile) throws {
        let description = try RankerDescription(file)
        let model = try RankerModel(file)
        try description.specification.check(inputs, rows: description.rows, path: file.path)
        let workspace = Workspace()
        let columns = model(inputs, in: workspace).enumerated().map { model.predictions($1, head: $0) }
        let predictions = (0..<inputs.count).flatMap { row in columns.map { $0[row] } }
        guard predictions.allSatisfy(\.isFinite) else {
            throw ModelError(.corrupt, "\(file.path): the model predicts what is not finite")
        }
        self.inputs = inputs
        self.predictions = predictions
        heads = description.specification.heads.map(\.name)
        hasBytes = description.precisions?.values.contains(.int8) ?? false
    }

    init(inputs: RankerInputs, heads: [String], predictions: [Float], hasBytes: Bool) {
        self.inputs = inputs
        self.heads = heads
        self.predictions = predictions
        self.hasBytes = hasBytes
    }

    /// Runs the rows.
    ///
    /// - Throws: `ModelError.mismatch` that names head and row of the prediction that differs most, beyond the tolerance, with
    ///   what was expected and found; or what of the rows does not fit the net.
    public func check(_ net: RankerNet) throws(ModelError) {
        let found = net.specification.heads.map(\.name)
        guard found == heads else {
            throw ModelError(
                .mismatch,
                "\(net.path): golden rows: expected the heads \(heads.joined(separator: ", ")), found "
                    + found.joined(separator: ", "))
        }
        guard net.hasBytes == hasBytes else {
            let (expected, found) = (hasBytes ? "bytes" : "float32", net.hasBytes ? "bytes" : "float32")
            throw ModelError(.mismatch, "\(net.path): golden rows: expected layers in \(expected), found \(found)")
        }
        try net.specification.check(inputs, rows: net.rows, path: "\(net.path): golden rows")
        try compare(net.run(inputs), with: predictions, of: net)
        // A request's own side is given once, and takes other ways through the net.
        let (once, each) = inputs.sharing
        try compare(net.run(once), with: net.run(each), of: net)
    }

    private func compare(
        _ values: [Float], with predictions: [Float], of net: RankerNet
    ) throws(ModelError) {
        let tolerance = hasBytes ? Self.toleranceBytes : Self.toleranceFloat32
        var (worst, place) = (tolerance, -1)
        for (index, pair) in zip(predictions, values).enumerated() {
            let difference = abs(pair.1 - pair.0) / max(1, abs(pair.0))
            // Not `>`: what is no number differs most of all.
            guard !(difference <= worst) else { continue }
            (worst, place) = (difference.isNaN ? .infinity : difference, index)
        }
        guard place >= 0 else { return }
        throw ModelError(
            .mismatch,
            "\(net.path): golden row \(place / heads.count), head '\(heads[place % heads.count])': expected "
                + "\(predictions[place]), found \(values[place]); at most \(tolerance) may lie between")
    }
}

extension RankerInputs {
    /// The same rows with the first row's histories, and its values of every other categorical field, for all: given once, and
    /// given for each row.
    fileprivate var sharing: (once: RankerInputs, each: RankerInputs) {
        var (once, each) = (self, self)
        for (place, field) in fields.enumerated() where place.isMultiple(of: 2) {
            guard case .categorical(let rows) = field, let first = rows.first else { continue }
            once.fields[place] = .categorical([first])
            each.fields[place] = .categorical(Array(repeating: first, count: count))
        }
        once.histories = histories.map { $0.first(repeated: 1) }
        each.histories = histories.map { $0.first(repeated: count) }
        return (once, each)
    }
}

extension RankerInputs.History {
    /// The first list, so many times.
    fileprivate func first(repeated times: Int) -> Self {
        let length = count > 0 ? offsets[1] : 0
        func repeated(_ values: [UInt32]) -> [UInt32] {
            (0..<times).flatMap { _ in values.prefix(length) }
        }
        return Self(
            columns: columns.map(repeated), ages: ages.isEmpty ? [] : repeated(ages),
            offsets: (0...times).map { $0 * length })
    }
}
