public import Blobs
import Catalog
import Features
import Kernels
public import Networks

/// The `two-tower-state` component: what training needs, beside the parameters, to go on from a snapshot. No process that
/// serves reads it.
public struct TwoTowerState: Sendable {
    public static let componentKind = "two-tower-state"

    public var vocabulary: ModelVocabulary
    public var memory: OptimizerMemory
    /// `[N]`, batches between two clicks on an item, in the vocabulary's order.
    public var gaps: [Float]

    public init(vocabulary: ModelVocabulary, memory: OptimizerMemory, gaps: [Float]) {
        self.vocabulary = vocabulary
        self.memory = memory
        self.gaps = gaps
    }

    public init(_ file: SafetensorsFile) throws {
        vocabulary = try ModelVocabulary(file)
        gaps = Array(try file.buffer("gaps", as: Float.self, shape: [nil]))
        guard let steps = file.metadata["steps"].flatMap(Int.init) else {
            throw ModelError(.corrupt, "\(file.path): no number of steps in the metadata")
        }
        memory = OptimizerMemory(steps: steps)
        for tensor in file.tensors {
            if let name = tensor.name.without("squares.") {
                memory.squares[name] = Array(try file.buffer(tensor.name, as: Float.self))
            } else if let name = tensor.name.without("means.") {
                memory.means[name] = Array(try file.buffer(tensor.name, as: Float.self))
            }
        }
    }

    /// `rows.<table>` U64, `profile_name`; `gaps` F32 `[N]`; by parameter `squares.<name>` and, by Adam, `means.<name>` F32.
    public func component() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: ["steps": String(memory.steps)])
        vocabulary.add(to: &writer)
        writer.add("gaps", gaps)
        for (name, values) in memory.squares.sorted(by: { $0.key < $1.key }) { writer.add("squares.\(name)", values) }
        for (name, values) in memory.means.sorted(by: { $0.key < $1.key }) { writer.add("means.\(name)", values) }
        return writer
    }
}

extension String {
    fileprivate func without(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
