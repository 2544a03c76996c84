import Kernels
public import Networks

/// The paths that a beam search found, the same number for each of n users.
public struct PathBeams: Sendable, Equatable {
    /// Paths of each user.
    public var width: Int
    /// `[n, width]`, most probable first, ties by ascending number.
    public var paths: [UInt32]
    /// `[n, width]`, log p(path | x).
    public var logProbabilities: [Float]

    public init(width: Int, paths: [UInt32], logProbabilities: [Float]) {
        self.width = width
        self.paths = paths
        self.logProbabilities = logProbabilities
    }
}

extension DeepRetrievalModel {
    /// The most probable paths that a beam of `width` finds (Gao et al., algorithm 1): layer by layer, the `width` most
    /// probable beginnings are kept.
    ///
    /// Exact when `width` is K^(D - 1) or more: no beginning is then left out. With less it may miss paths whose beginning
    /// is improbable; what it returns has the right probabilities in any case.
    ///
    /// - Parameter x: `[n, dimension]`.
    /// - Returns: min(width, K^D) paths of each user.
    /// - Complexity: O(n width (hidden (depth nodeWidth + K))) in the nets and O(n width K) selecting.
    public func beams(_ x: Tensor, width: Int, in workspace: Workspace) -> PathBeams {
        precondition(width > 0, "a beam is at least one path wide")
        var beams = PathBeams(
            width: 1, paths: Array(repeating: 0, count: x.rows), logProbabilities: Array(repeating: 0, count: x.rows))
        for depth in 0..<space.depth {
            let logits = logits(depth: depth, x: x, beginnings: beams.paths, in: workspace)
            beams = logits.withUnsafeBufferPointer {
                extended(beams, by: $0, users: x.rows, width: width, threads: workspace.threads)
            }
        }
        return beams
    }

    /// - Parameter logits: `[n beams.width, K]`.
    private func extended(
        _ beams: PathBeams, by logits: UnsafeBufferPointer<Float>, users: Int, width: Int, threads: Threads
    ) -> PathBeams {
        let (nodes, old) = (space.nodes, beams.width)
        let kept = min(width, old * nodes)
        var result = PathBeams(
            width: kept, paths: Array(repeating: 0, count: users * kept),
            logProbabilities: Array(repeating: 0, count: users * kept))
        result.paths.withUnsafeMutableBufferPointer { paths in
            result.logProbabilities.withUnsafeMutableBufferPointer { scores in
                // Safe: every range of users writes its own paths.
                nonisolated(unsafe) let (paths, scores) = (paths, scores)
                threads.divide(users, grain: max(1, 16_384 / max(old * nodes, 1))) { range in
                    var best = TopK(kept)
                    var normal = [Float](repeating: 0, count: nodes)
                    for user in range {
                        for place in user * old..<(user + 1) * old {
                            let row = UnsafeBufferPointer(rebasing: logits[place * nodes..<(place + 1) * nodes])
                            let total = Self.logSum(row, scratch: &normal)
                            for node in 0..<nodes {
                                best.offer(
                                    score: beams.logProbabilities[place] + row[node] - total,
                                    id: UInt64(beams.paths[place]) * UInt64(nodes) + UInt64(node))
                            }
                        }
                        for (rank, found) in best.take().enumerated() {
                            paths[user * kept + rank] = UInt32(found.id)
                            scores[user * kept + rank] = found.score
                        }
                    }
                }
            }
        }
        return result
    }

    /// log sum exp of a row.
    private static func logSum(_ row: UnsafeBufferPointer<Float>, scratch: inout [Float]) -> Float {
        guard let base = row.baseAddress else { return 0 }
        return scratch.withUnsafeMutableBufferPointer { scratch in
            scratch.baseAddress.map { kernels.softmax(base, $0, count: row.count) } ?? 0
        }
    }
}
