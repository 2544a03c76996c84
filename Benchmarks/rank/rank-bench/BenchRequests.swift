import Catalog
import Features
import Foundation
import Kernels
import Messages
import Orchestration
import RPC

/// Requests of a funnel's recall: each user's candidates from channels that like what is popular and what he likes.
struct BenchRequests {
    private let world: BenchWorld
    private let candidates: Int
    private let keep: Int
    /// Catalogue rows by category.
    private let byCategory: [[Int]]

    private static let channels = [
        "two-tower", "als", "itemcf", "swing", "usercf", "sequence", "popular", "newest", "new-item", "place", "city",
        "followed-author", "author", "similar-author",
    ]

    init(_ world: BenchWorld, candidates: Int, keep: Int) {
        self.world = world
        self.candidates = candidates
        self.keep = keep
        let items = world.dataset.items
        var byCategory = [[Int]](repeating: [], count: items.categoryNames.count)
        for row in 0..<items.count { byCategory[Int(items.categories[row])].append(row) }
        self.byCategory = byCategory
    }

    func make(_ count: Int, version: String) -> [RankRequest] {
        var random = SeededGenerator(seed: 7)
        let states = world.end.states
        return (0..<count).map { request(states[$0 * 7 % states.count], version: version, &random) }
    }

    private func request(
        _ state: Catalog.UserState, version: String, _ random: inout SeededGenerator
    ) -> RankRequest {
        let rows = candidateRows(state, &random)
        let found = rows.map { _ in
            let channels = (0..<2).map { _ in Int.random(in: Self.channels.indices, using: &random) }
            return channels.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        }
        let keys = world.dataset.items.keys
        return RankRequest(
            snapshotVersion: version, user: Messages.UserState(state),
            scene: Messages.Scene(
                timeMilliseconds: (world.dataset.exposures.times.last ?? 0) + 60_000,
                surface: UInt32(Int.random(in: 0..<2, using: &random) + 1)),
            items: SharedBuffer(rows.map { keys[$0].rawValue }), limit: UInt32(keep), channels: Self.channels,
            foundBy: SharedBuffer(found),
            cut: Cut(keep: UInt32(keep), channelMinimum: 10, categoryMinimum: 1), least: 50)
    }

    /// Half of the categories of what he touched, half of what others were shown, in random order.
    private func candidateRows(_ state: Catalog.UserState, _ random: inout SeededGenerator) -> [Int] {
        let (items, log) = (world.dataset.items, world.dataset.exposures)
        let index = KeyIndex(items.keys)
        let touched = state.recent.compactMap { index.row(of: $0.item) }
        var rows: Set<Int> = []
        while rows.count < candidates {
            if Bool.random(using: &random), let like = touched.randomElement(using: &random) {
                let own = byCategory[Int(items.categories[like])]
                rows.insert(own[Int.random(in: own.indices, using: &random)])
            } else {
                rows.insert(Int(log.items[Int.random(in: 0..<log.count, using: &random)]))
            }
        }
        return rows.sorted().shuffled(using: &random)
    }
}

extension [RankRequest] {
    /// Writes messages, each after its length, 8 bytes.
    func write(to path: String) throws {
        var bytes = Data()
        for request in self {
            var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            defer { memory.deallocate() }
            try request.serialize { size throws(RPCError) in
                memory = .allocate(byteCount: size, alignment: 8)
                return memory
            }
            Swift.withUnsafeBytes(of: UInt64(memory.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: memory)
        }
        try bytes.write(to: URL(filePath: path))
    }

    init(path: String) throws {
        let bytes = try Data(contentsOf: URL(filePath: path))
        self = []
        var start = 0
        while start < bytes.count {
            let size = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: start, as: UInt64.self)) }
            let message = try bytes.withUnsafeBytes {
                try RankRequest(serialized: UnsafeRawBufferPointer(rebasing: $0[start + 8..<start + 8 + size]))
            }
            append(message)
            start += 8 + size
        }
    }
}
