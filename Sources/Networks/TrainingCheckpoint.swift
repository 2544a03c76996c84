public import Blobs
public import Kernels

/// A training run in a file: parameters, what the update rules remember of them, the number of steps, and the states of
/// random generators. A run that goes on from its file makes the very steps that it would have made without a stop.
///
/// The file is safetensors: parameters F32 under their names, `optimizer.squares.<name>` and, for Adam,
/// `optimizer.means.<name>` F32, `optimizer.steps` U64 `[1]`, `optimizer.rate` F32 `[1]`, and `generator.<name>` U64 `[4]`,
/// of which `generator.tape` is the tape's.
public enum TrainingCheckpoint {
    private static let tape = "tape"

    /// Writes a run between two steps.
    ///
    /// - Parameters:
    ///   - generators: What else draws random numbers, by name (not `tape`): the order of rows.
    ///   - metadata: Strings to keep beside: where in the log the run is.
    /// - Complexity: O(scalars), in time and memory.
    public static func write(
        to path: String, parameters: ParameterSet, optimizer: Optimizer, tape: Tape,
        generators: [String: SeededGenerator] = [:], metadata: [String: String] = [:]
    ) throws {
        var writer = SafetensorsWriter(metadata: metadata)
        try parameters.write(to: &writer)
        for (parameter, state) in optimizer.memories {
            let (moments, shape) = (state.moments, [parameter.rows, parameter.columns])
            writer.add("optimizer.squares.\(parameter.name)", moments.squares, shape: shape)
            if let means = moments.means { writer.add("optimizer.means.\(parameter.name)", means, shape: shape) }
        }
        writer.add("optimizer.steps", [UInt64(optimizer.steps)])
        writer.add("optimizer.rate", [optimizer.rateFactor])
        precondition(generators[Self.tape] == nil, "the generator '\(Self.tape)' is the tape's")
        for (name, generator) in generators.merging(
            [Self.tape: tape.generator], uniquingKeysWith: { first, _ in first })
        {
            writer.add("generator.\(name)", generator.words)
        }
        try writer.write(to: path)
    }

    /// Makes a run what it was when it was written.
    ///
    /// - Parameters:
    ///   - parameters: Of the same model, whatever their values.
    ///   - optimizer: Of the same parameters and rules.
    /// - Returns: the other generators that were written.
    /// - Throws: `NetworkError.mismatch` when the file is of another model or other rules; the run is then not to be used.
    @discardableResult
    public static func read(
        _ file: SafetensorsFile, parameters: ParameterSet, optimizer: Optimizer, tape: Tape
    ) throws(NetworkError) -> [String: SeededGenerator] {
        do {
            for parameter in parameters.all {
                parameter.assign(
                    try file.buffer(parameter.name, as: Float.self, shape: [parameter.rows, parameter.columns]))
            }
            for (parameter, state) in optimizer.memories {
                let (name, shape) = (parameter.name, [parameter.rows, parameter.columns])
                let squares = try file.buffer("optimizer.squares.\(name)", as: Float.self, shape: shape)
                let key = "optimizer.means.\(name)"
                guard file.contains(key) == state.hasMeans else {
                    throw NetworkError(.mismatch, "\(file.path): \(name) was trained by another update rule")
                }
                let means = state.hasMeans ? Array(try file.buffer(key, as: Float.self, shape: shape)) : nil
                state.restore(.init(squares: Array(squares), means: means))
            }
            optimizer.setSteps(Int(try file.buffer("optimizer.steps", as: UInt64.self, shape: [1])[0]))
            optimizer.rateFactor = try file.buffer("optimizer.rate", as: Float.self, shape: [1])[0]
            var generators = try Self.generators(file)
            guard let own = generators.removeValue(forKey: Self.tape) else {
                throw NetworkError(.mismatch, "\(file.path): no generator.\(Self.tape)")
            }
            tape.generator = own
            return generators
        } catch let error as NetworkError {
            throw error
        } catch {
            throw NetworkError(.mismatch, "\(file.path) is not a checkpoint of this model", cause: error)
        }
    }

    private static func generators(_ file: SafetensorsFile) throws(BlobError) -> [String: SeededGenerator] {
        var result: [String: SeededGenerator] = [:]
        for tensor in file.tensors where tensor.name.hasPrefix("generator.") {
            let words = try file.buffer(tensor.name, as: UInt64.self, shape: [4])
            result[String(tensor.name.dropFirst("generator.".count))] = SeededGenerator(
                state: (words[0], words[1], words[2], words[3]))
        }
        return result
    }
}
