import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import Testing

/// The small log of make_golden.py, and what brute force on dense NumPy matrices makes of it.
struct CooccurrenceGolden {
    let dataset: Dataset
    let historyMax: Int
    let neighbours: Int
    let until: Int64
    let usersMax: Int
    let seed: UInt64
    /// Items with more users than ``usersMax``.
    let cappedItems: Int
    private let results: SafetensorsFile
    private let log: SafetensorsFile

    init() throws {
        log = try Self.file("itemcf")
        results = try Self.file("cooccurrence")
        let log = self.log
        func integers(_ name: String) throws -> [Int] { try log.buffer(name, as: Int64.self).map { Int($0) } }
        let (users, items, actions) = (try integers("user"), try integers("item"), try integers("actions"))
        let parameters = try integers("parameters")
        let showings = users.indices.map {
            Showing(
                user: users[$0], item: items[$0], time: Int64($0), actions: Actions(rawValue: UInt16(actions[$0])))
        }
        dataset = world(users: parameters[0], items: parameters[1], showings)
        (historyMax, neighbours, until) = (parameters[2], parameters[3], Int64(parameters[4]))
        let caps = try results.buffer("cooccurrence.parameters", as: Int64.self)
        (usersMax, seed, cappedItems) = (Int(caps[0]), UInt64(caps[1]), Int(caps[2]))
    }

    private static func file(_ name: String) throws -> SafetensorsFile {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        return try SafetensorsFile(path: directory.appendingPathComponent("\(name).safetensors").path)
    }

    /// One row of padded row numbers and their values.
    typealias Row = (rows: [Int], values: [Float])

    func rows(_ names: (rows: String, values: String), of file: String? = nil) throws -> [Row] {
        let results = try file.map { try Self.file($0) } ?? results
        let rows = try results.buffer(names.rows, as: Int64.self, shape: [nil, nil])
        let values = try results.buffer(names.values, as: Float.self, shape: [nil, nil])
        let width = try results.tensor(names.rows).shape[1]
        return (0..<rows.count / width).map { row in
            let used = (row * width..<(row + 1) * width).filter { rows[$0] >= 0 }
            return (used.map { Int(rows[$0]) }, used.map { values[$0] })
        }
    }

    /// The rows of the triggers of each query, and their weights.
    func queries() throws -> [Row] {
        let rows = try log.buffer("queries", as: Int64.self)
        let weights = try log.buffer("query_weights", as: Float.self)
        return (0..<rows.count / 12).map { row in
            let used = (row * 12..<(row + 1) * 12).filter { rows[$0] >= 0 }
            return (used.map { Int(rows[$0]) }, used.map { weights[$0] })
        }
    }
}

/// Equal rows in the same order, values to a few units in the last place.
func expectEqual(
    _ found: CooccurrenceGolden.Row, _ expected: CooccurrenceGolden.Row, _ comment: Comment,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.rows == expected.rows, comment, sourceLocation: sourceLocation)
    #expect(found.values.count == expected.values.count, comment, sourceLocation: sourceLocation)
    for (found, expected) in zip(found.values, expected.values) {
        #expect(abs(found - expected) <= 4 * expected.ulp, comment, sourceLocation: sourceLocation)
    }
}
