import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import Testing

/// ItemCF of MovieLens 100K against dense matrices in NumPy (make_golden.py).
@Suite struct MovieLensTests {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let directory =
        (ProcessInfo.processInfo.environment["TRIBUTARY_DATA"]
            ?? package.deletingLastPathComponent().appendingPathComponent("shared/data").path)
        + "/ml-100k"

    @Test(.enabled(if: FileManager.default.fileExists(atPath: directory), "needs TRIBUTARY_DATA"))
    func listsAreTheBruteForceOnes() throws {
        let golden = try SafetensorsFile(
            path: Self.package.appendingPathComponent("Tests/RecallTests/golden/movielens.safetensors")
                .path)
        let items = try golden.buffer("items", as: Int64.self)
        let neighbours = try golden.buffer("neighbours", as: Int64.self, shape: [items.count, 10])
        let similarities = try golden.buffer("similarities", as: Float.self, shape: [items.count, 10])
        let dataset = try LogSource("movielens-100k:\(Self.directory)").read().dataset
        let lists = ItemCFBuilder(historyMax: 1_000, neighbours: 10, threads: 2).build(dataset)
        #expect(lists.figures["capped_users"] == 0)
        let index = KeyIndex(dataset.items.keys)
        for (place, id) in items.enumerated() {
            let row = try #require(index.row(of: ItemKey(rawValue: UInt64(id))))
            let found = lists.lists[row]
            let keys = found.map { Int64(dataset.items.keys[$0.row].rawValue) }
            #expect(keys == Array(neighbours[shared: place * 10..<(place + 1) * 10]), "item \(id)")
            #expect(
                found.map(\.similarity) == Array(similarities[shared: place * 10..<(place + 1) * 10]),
                "item \(id)")
        }
    }
}
