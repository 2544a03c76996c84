public import Blobs
public import Features
import Inference
public import Kernels
import Networks

/// A ranking model as a ranker runs it: one request's candidates, the user's side given once.
///
/// Two engines give the numbers of `RankerModel`. `inference` runs the nets of `Inference` in tiles and allocates nothing for a
/// candidate; it serves every specification without the blocks that `RankerSpecification.workspaceBlocks` names. `workspace` runs
/// the model itself.
public final class RankerNet: Sendable {
    public enum Engine: String, Sendable, Hashable, Codable {
        case inference
        case workspace
    }

    public let specification: RankerSpecification
    /// Rows of each table, by name.
    public let rows: [String: Int]
    /// How matrices are held, by name; float32 for those that are not there.
    public let precisions: [String: Precision]
    /// Names of the matrices that gain by being held in bytes, and may be: what `PrecisionChoice` chooses among. Attention is
    /// float32 always.
    public let byteCandidates: [String]
    public let path: String
    private let implementation: Implementation

    private enum Implementation: Sendable {
        case inference(RankerInference)
        case workspace(RankerModel, WorkspacePool)
    }

    /// - Parameters:
    ///   - file: The `ranker` component; stays mapped.
    ///   - precisions: Take the place of the component's own.
    /// - Throws: `ModelError` when the file does not hold what its description says.
    /// - Complexity: O(parameters of the layers); tables are not read.
    public init(_ file: SafetensorsFile, precisions: [String: Precision]? = nil) throws(ModelError) {
        let description = try RankerDescription(file)
        let chosen = precisions ?? description.precisions ?? [:]
        for name in chosen.keys.sorted() where !file.contains(name) {
            throw ModelError(.corrupt, "\(file.path): a precision is chosen for '\(name)', which is not there")
        }
        let parameters = ParameterSet(file: file, purpose: .serving, precisions: chosen)
        do {
            // Also finds whatever is wrong with the file.
            let model = try RankerModel(description, in: parameters, path: file.path)
            implementation =
                description.specification.engine == .inference
                ? .inference(
                    try RankerInference(
                        description.specification, parameters, ServedLayers(file: file, precisions: chosen)))
                : .workspace(model, WorkspacePool())
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(.corrupt, "\(file.path): not the ranking model of its description", cause: error)
        }
        specification = description.specification
        rows = description.rows
        self.precisions = chosen
        path = file.path
        byteCandidates = parameters.byteCandidates.filter {
            !$0.hasPrefix("sequence.") && ($0.hasSuffix(".weight") || $0.hasSuffix(".reduction"))
        }
    }

    /// Columns of the predictions.
    public var heads: Int { specification.heads.count }

    public var engine: Engine { specification.engine }

    /// Whether any layer is held in bytes.
    public var hasBytes: Bool { precisions.values.contains(.int8) }

    /// What one request writes; made once, used for request after request. One thread at a time.
    public final class Scratch {
        let rowsMax: Int
        let arena: InferenceArena
        let histories: [HistoryScratch]
        var columns = SharedColumns()

        /// - Parameter rowsMax: Candidates of a request.
        public init(_ net: RankerNet, rowsMax: Int) {
            precondition(rowsMax >= 0, "\(rowsMax) rows")
            self.rowsMax = rowsMax
            switch net.implementation {
            case .inference(let net):
                arena = InferenceArena(for: net.need)
                histories = net.histories.map { HistoryScratch($0, rowsMax: rowsMax) }
            case .workspace:
                arena = InferenceArena(for: ArenaNeed())
                histories = []
            }
        }
    }

    /// Predicts for every row what each head says: probabilities, fractions, seconds; corrected for negative down-sampling, not
    /// calibrated.
    ///
    /// - Parameters:
    ///   - inputs: At most `rowsMax` rows; columns as the specification's, rows within their tables (`check`).
    ///   - predictions: `[n, heads]`, row-major, overwritten.
    /// - Complexity: O(n * operations). The engine `inference` allocates nothing.
    public func run(
        _ inputs: RankerInputs, in scratch: Scratch, into predictions: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(inputs.count <= scratch.rowsMax, "\(inputs.count) rows, made for \(scratch.rowsMax)")
        precondition(
            predictions.count >= inputs.count * heads, "\(predictions.count) floats for [\(inputs.count), \(heads)]")
        precondition(
            inputs.fields.count == specification.fields.count
                && inputs.histories.count == specification.sequences.count,
            "\(specification.fields.count) fields and \(specification.sequences.count) sequences, "
                + "found \(inputs.fields.count) and \(inputs.histories.count)")
        guard let target = predictions.baseAddress, inputs.count > 0 else { return }
        switch implementation {
        case .inference(let net): net.run(inputs, scratch, into: target)
        case .workspace(let model, let pool): model.run(inputs, in: pool, into: target)
        }
        for (head, own) in specification.heads.enumerated() {
            let correction = own.name == specification.negatives?.head ? specification.negatives : nil
            for place in stride(from: head, to: inputs.count * heads, by: heads) {
                let value = own.kind.prediction(target[place])
                target[place] = correction?.corrected(value) ?? value
            }
        }
    }

    /// The same for tests and for what runs once.
    ///
    /// - Returns: `[n, heads]`, row-major.
    public func run(_ inputs: RankerInputs) -> [Float] {
        let scratch = Scratch(self, rowsMax: inputs.count)
        return [Float](unsafeUninitializedCapacity: inputs.count * heads) { predictions, count in
            run(inputs, in: scratch, into: predictions)
            count = inputs.count * heads
        }
    }
}

extension RankerSpecification {
    /// What serves a model of this specification.
    public var engine: RankerNet.Engine { workspaceBlocks.isEmpty ? .inference : .workspace }

    /// Blocks that only the engine `workspace` serves, as `crossing INDEX: KIND`; empty when `RankerNet` serves the specification
    /// by `inference`.
    public var workspaceBlocks: [String] {
        crossings.enumerated().compactMap { index, crossing in
            switch crossing {
            case .linear, .fm, .dcn: nil
            case .senet, .bilinear, .fibinet: "crossing \(index): \(crossing.kindName)"
            }
        }
    }
}

extension RankerModel {
    /// Rows that go through the model at once: their activations stay in the second-level cache.
    private static let tile = 128

    /// The logits of all rows, tile by tile.
    ///
    /// - Parameter logits: `[n, heads]`, overwritten.
    fileprivate func run(_ inputs: RankerInputs, in pool: WorkspacePool, into logits: UnsafeMutablePointer<Float>) {
        let heads = specification.heads.count
        pool.withWorkspace { workspace in
            for start in Swift.stride(from: 0, to: inputs.count, by: Self.tile) {
                workspace.reset()
                let rows = start..<min(start + Self.tile, inputs.count)
                for (head, tensor) in self(inputs.part(rows, specification), in: workspace).enumerated() {
                    tensor.withUnsafeBufferPointer { values in
                        for (place, value) in values.enumerated() { logits[(start + place) * heads + head] = value }
                    }
                }
            }
        }
    }
}
