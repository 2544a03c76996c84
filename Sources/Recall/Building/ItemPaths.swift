import Foundation
package import Kernels
package import Models

/// The paths that lead to each item, and how many items each path leads to.
package struct ItemPaths: Sendable {
    package let space: PathSpace
    /// J.
    package let width: Int
    /// `[items, width]`, different ones; meaningful for items that have paths.
    package private(set) var paths: [UInt32]
    /// `[items]`.
    package private(set) var hasPaths: [Bool]
    /// `[K^D]`: |path|, how many items it holds.
    package private(set) var sizes: [Int32]

    /// Items that have no paths yet.
    package init(_ space: PathSpace, width: Int, items: Int) {
        precondition(width > 0 && width <= space.count, "\(width) different paths of \(space.count)")
        self.space = space
        self.width = width
        paths = Array(repeating: 0, count: items * width)
        hasPaths = Array(repeating: false, count: items)
        sizes = Array(repeating: 0, count: space.count)
    }

    package func paths(of item: Int) -> ArraySlice<UInt32> { paths[item * width..<(item + 1) * width] }

    /// Gives an item drawn paths: where training starts.
    package mutating func draw(_ item: Int, _ generator: inout SeededGenerator) {
        var drawn: [UInt32] = []
        while drawn.count < width {
            let path = UInt32.random(in: 0..<UInt32(space.count), using: &generator)
            if !drawn.contains(path) { drawn.append(path) }
        }
        set(item, drawn)
    }

    package mutating func set(_ item: Int, _ chosen: [UInt32]) {
        precondition(chosen.count == width && Set(chosen).count == width, "an item has \(width) different paths")
        remove(item)
        for (place, path) in chosen.enumerated() {
            paths[item * width + place] = path
            sizes[Int(path)] += 1
        }
        hasPaths[item] = true
    }

    private mutating func remove(_ item: Int) {
        guard hasPaths[item] else { return }
        for path in paths(of: item) { sizes[Int(path)] -= 1 }
        hasPaths[item] = false
    }

    /// The path step of training (Gao et al. 2020, algorithm 2): each item gets the paths on which its users look for it,
    /// one after the other, path l being the argmin of `-log(score of those chosen + score(item, l)) + alpha |l|^4`, where |l|
    /// is how many other items l holds. Ties go to the lower path.
    ///
    /// - Parameters:
    ///   - items: in the order in which they choose; those with fewer than `width` scored paths keep what they have.
    ///   - passes: times that all of them choose, each seeing what the others chose before.
    /// - Complexity: O(passes items width slots).
    package mutating func improve(_ items: [Int], by scores: PathScores, alpha: Double, passes: Int) {
        var chosen: [UInt32] = []
        for _ in 0..<passes {
            for item in items where scores.count(of: item) >= width {
                remove(item)
                chosen.removeAll(keepingCapacity: true)
                var sum = 0.0
                for _ in 0..<width { sum = choose(item, scores, alpha, sum, &chosen) }
                set(item, chosen)
            }
        }
    }

    /// Appends the item's next path; returns the score of all chosen.
    private func choose(
        _ item: Int, _ scores: PathScores, _ alpha: Double, _ sum: Double, _ chosen: inout [UInt32]
    ) -> Double {
        var best: (cost: Double, path: UInt32, sum: Double)?
        scores.forEach(of: item) { path, score in
            if chosen.contains(path) { return }
            let held = Double(sizes[Int(path)])
            let cost = -log(sum + Double(score)) + alpha * (held * held) * (held * held)
            if best.map({ (cost, path) < ($0.cost, $0.path) }) ?? true { best = (cost, path, sum + Double(score)) }
        }
        guard let best else { preconditionFailure("an item has more scored paths than it chooses") }
        chosen.append(best.path)
        return best.sum
    }
}

extension ItemPaths {
    /// How evenly paths hold items, for the manifest.
    ///
    /// - `paths`: K^D; `used_share`: of them, the share that holds an item.
    /// - `items_per_used_path`, `items_of_the_largest_path`.
    /// - `entropy`: of the shares that paths hold, over its largest value log K^D; 1 when all hold the same.
    /// - `gini`: 0 when all paths hold the same, towards 1 when one holds all.
    /// - Complexity: O(K^D log K^D).
    package var balance: [String: Double] {
        let total = Double(sizes.reduce(0) { $0 + Int($1) })
        let used = sizes.count { $0 > 0 }
        guard total > 0 else { return ["paths": Double(sizes.count)] }
        var entropy = 0.0
        var weighted = 0.0
        for (rank, size) in sizes.sorted().enumerated() where size > 0 {
            let share = Double(size) / total
            entropy -= share * log(share)
            weighted += Double(rank + 1) * share
        }
        let count = Double(sizes.count)
        return [
            "paths": count, "used_share": Double(used) / count, "items_per_used_path": total / Double(used),
            "items_of_the_largest_path": Double(sizes.max() ?? 0),
            "entropy": count > 1 ? entropy / log(count) : 1, "gini": (2 * weighted - count - 1) / count,
            "items_with_paths": Double(hasPaths.count { $0 }),
        ]
    }
}
