import ArgumentParser
import Blobs
import Foundation
import Kernels
import Snapshots

/// Publishes one snapshot whose components look like a trained one's: embeddings, similarity lists, histories, names.
struct MakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "make")

    @Option(help: "Folder of the store.")
    var store: String

    @Option(help: "Size before compression.")
    var megabytes = 1000

    func run() async throws {
        let builder = try SnapshotBuilder(store: SnapshotStore(directory: store), configuration: .init(shards: 1))
        // Shares of the whole: about those of a catalogue of a million items in 128 dimensions with its user table.
        let unit = megabytes * 10_000
        var random = SeededGenerator(seed: 1)
        try builder.add("vectors", vectors(bytes: 50 * unit, &random))
        try builder.add("itemcf", similarities(bytes: 20 * unit, &random))
        try builder.add("users", histories(bytes: 20 * unit, &random))
        try builder.add("catalog", catalog(bytes: 10 * unit, &random))
        print(try builder.publish().version)
    }

    /// Unit vectors, `[n, 128]`: their digits are noise, which compresses by a tenth at best.
    private func vectors(bytes: Int, _ random: inout SeededGenerator) -> SafetensorsWriter {
        let rows = bytes / 512
        var values = [Float](repeating: 0, count: rows * 128)
        for row in 0..<rows {
            var norm: Float = 0
            for column in 0..<128 {
                // Sum of uniform numbers: close enough to a normal law.
                let value = (0..<4).reduce(Float(-2)) { sum, _ in sum + Float.random(in: 0..<1, using: &random) }
                values[row * 128 + column] = value
                norm += value * value
            }
            let scale = 1 / norm.squareRoot()
            for column in 0..<128 { values[row * 128 + column] *= scale }
        }
        var writer = SafetensorsWriter()
        writer.add("vectors", values, shape: [rows, 128])
        return writer
    }

    /// Lists of 32 neighbours: 64-bit keys, mostly of popular items, and falling similarities.
    private func similarities(bytes: Int, _ random: inout SeededGenerator) -> SafetensorsWriter {
        let rows = bytes / (32 * 12)
        let keys = (0..<200_000).map { _ in UInt64.random(in: 0...UInt64.max, using: &random) }
        var candidates = [UInt64](repeating: 0, count: rows * 32)
        var similarities = [Float](repeating: 0, count: rows * 32)
        for index in candidates.indices {
            let popularity = Double.random(in: 0..<1, using: &random)
            candidates[index] = keys[Int(popularity * popularity * popularity * Double(keys.count))]
            similarities[index] = Float.random(in: 0..<1, using: &random) / Float(1 + index % 32)
        }
        var writer = SafetensorsWriter()
        writer.add("candidate_key", candidates)
        writer.add("similarity", similarities)
        return writer
    }

    /// Events in order of time: items by row, times a few minutes apart, actions, seconds watched.
    private func histories(bytes: Int, _ random: inout SeededGenerator) -> SafetensorsWriter {
        let count = bytes / 17
        var time: Int64 = 1_700_000_000_000
        var items = [UInt32](repeating: 0, count: count)
        var times = [Int64](repeating: 0, count: count)
        var actions = [UInt8](repeating: 0, count: count)
        var watch = [Float](repeating: 0, count: count)
        for index in 0..<count {
            let popularity = Double.random(in: 0..<1, using: &random)
            items[index] = UInt32(popularity * popularity * 1_000_000)
            time += Int64.random(in: 0..<300_000, using: &random)
            times[index] = time
            actions[index] = UInt8.random(in: 0..<16, using: &random) == 0 ? 2 : 1
            watch[index] = Float(Int.random(in: 0..<600, using: &random))
        }
        var writer = SafetensorsWriter()
        writer.add("recent.items", items)
        writer.add("recent.times", times)
        writer.add("recent.actions", actions)
        writer.add("recent.watch", watch)
        return writer
    }

    /// Titles of common words, category codes, counts.
    private func catalog(bytes: Int, _ random: inout SeededGenerator) -> SafetensorsWriter {
        let words = (0..<5000).map { _ in
            String(
                (0..<Int.random(in: 3...9, using: &random)).map { _ in
                    Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &random)))
                })
        }
        var titles: [UInt8] = []
        var offsets: [UInt64] = [0]
        var categories: [UInt32] = []
        while titles.count + offsets.count * 12 < bytes {
            for _ in 0..<4 {
                let popularity = Double.random(in: 0..<1, using: &random)
                titles.append(contentsOf: words[Int(popularity * popularity * 5000)].utf8)
                titles.append(0x20)
            }
            offsets.append(UInt64(titles.count))
            categories.append(UInt32.random(in: 0..<60, using: &random))
        }
        var writer = SafetensorsWriter()
        writer.add(strings: "title", bytes: SharedBuffer(titles), offsets: SharedBuffer(offsets))
        writer.add("category", categories)
        return writer
    }
}
