/// Candidates go through a net in tiles of this size, layer after layer within a tile: its activations then stay in the
/// first- and second-level caches.
public enum Tile {
    /// Four times the twelve rows that the widest kernel holds in registers, eight times the six of AVX2.
    public static let rows = 48
}

/// A net over rows of floats that runs tile by tile, allocating nothing.
///
/// Nets are immutable and may be shared; each request brings an arena. Rows do not depend on each other.
public protocol TileNet: Sendable {
    /// Columns of the input.
    var inputs: Int { get }
    /// Columns of the output.
    var outputs: Int { get }
    /// Memory a tile takes beside its input and output.
    var need: ArenaNeed { get }
    /// Floating-point operations for one row; a multiply-add counts as two.
    var operations: Int { get }

    /// Runs at most `Tile.rows` rows.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]`, rows `stride` floats apart.
    ///   - y: `[rows, outputs]`, overwritten, rows `outputStride` floats apart. Does not overlap x.
    func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena)
}

extension TileNet {
    /// Runs any number of rows.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]`, row-major.
    ///   - y: `[rows, outputs]`, row-major, overwritten.
    ///   - arena: Made for this net's `need`, or for a greater one.
    /// - Complexity: O(rows * operations), no allocation.
    public func run(
        _ x: UnsafeBufferPointer<Float>, rows: Int, into y: UnsafeMutableBufferPointer<Float>, in arena: InferenceArena
    ) {
        precondition(rows >= 0 && x.count >= rows * inputs, "\(rows) rows of \(inputs) inputs in \(x.count) floats")
        precondition(y.count >= rows * outputs, "\(rows) rows of \(outputs) outputs in \(y.count) floats")
        guard let from = x.baseAddress ?? UnsafePointer(y.baseAddress), let to = y.baseAddress else { return }
        for start in stride(from: 0, to: rows, by: Tile.rows) {
            runTile(
                from + start * inputs, stride: inputs, rows: min(Tile.rows, rows - start), into: to + start * outputs,
                outputStride: outputs, in: arena)
        }
    }

    /// The same for arrays, with an arena of its own: for tests and for what runs once.
    public func run(_ x: [Float], rows: Int) -> [Float] {
        let arena = InferenceArena(for: need)
        return [Float](unsafeUninitializedCapacity: rows * outputs) { y, count in
            x.withUnsafeBufferPointer { run($0, rows: rows, into: y, in: arena) }
            count = rows * outputs
        }
    }
}

/// Nets one after the other within a tile: what one leaves in the cache, the next one reads there.
public final class SequenceNet: TileNet {
    private let nets: [any TileNet]
    public let need: ArenaNeed

    /// - Precondition: each net takes what the one before it gives.
    public init(_ nets: [any TileNet]) {
        precondition(!nets.isEmpty, "a sequence of no nets")
        precondition(
            zip(nets, nets.dropFirst()).allSatisfy { $0.outputs == $1.inputs }, "nets that do not fit together")
        self.nets = nets
        // Between two nets: the input of the one and its output.
        let between = nets.dropLast().reduce(ArenaNeed()) { $0 + ArenaNeed(floats: Tile.rows * $1.outputs) }
        need = between + nets.reduce(ArenaNeed()) { .either($0, $1.need) }
    }

    public var inputs: Int { nets[0].inputs }
    public var outputs: Int { nets[nets.count - 1].outputs }
    public var operations: Int { nets.reduce(0) { $0 + $1.operations } }

    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, outputStride: Int,
        in arena: InferenceArena
    ) {
        arena.scope {
            var (from, step) = (x, stride)
            for (index, net) in nets.enumerated() {
                let isLast = index == nets.count - 1
                let to = isLast ? y : arena.take(rows * net.outputs)
                arena.scope {
                    net.runTile(
                        from, stride: step, rows: rows, into: to, outputStride: isLast ? outputStride : net.outputs,
                        in: arena)
                }
                (from, step) = (UnsafePointer(to), net.outputs)
            }
        }
    }
}
