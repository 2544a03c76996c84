import Catalog
import Foundation
import Kernels
import Testing

/// Imports of the published logs, against counts taken with awk, cut and sort from the same files.
@Suite struct RealLogsTests {
    static let folder =
        ProcessInfo.processInfo.environment["TRIBUTARY_DATA"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/data").path

    static func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(name)")
    }

    @Test(.enabled(if: has("ml-100k"), "needs TRIBUTARY_DATA"))
    func movieLens100K() throws {
        let (dataset, report) = try LogSource("movielens-100k:\(Self.folder)/ml-100k").read()
        #expect(dataset.users.count == 943)
        #expect(dataset.items.count == 1682)
        #expect(dataset.exposures.count == 100_000)
        #expect(report.files.allSatisfy { $0.rejects.isEmpty })
        // awk '$3 >= 4' u.data | wc -l
        #expect(dataset.exposures.actions.count { Actions(rawValue: $0).contains(.like) } == 55_375)
        #expect(!dataset.exposures.hasNegatives)
        #expect(dataset.items.titles[0] == "Toy Story (1995)")
        #expect(dataset.items.publishTimes[0] == 788_918_400_000)  // date -ud 1995-01-01 +%s
        #expect(dataset.items.titles[542] == "Misérables, Les (1995)")
        let occupation = dataset.users.fields[2]
        #expect(occupation.vocabulary[Int(occupation.values[0])] == "technician")
        // sort -n -k4 u.data | head -1
        #expect(dataset.exposures.times.first == 874_724_710_000)
        #expect(dataset.users.publicIDs[Int(dataset.exposures.users[0])] == "259")
    }

    @Test(.enabled(if: has("ml-latest-small"), "needs TRIBUTARY_DATA"))
    func movieLensLatest() throws {
        let (dataset, _) = try LogSource("movielens-latest:\(Self.folder)/ml-latest-small").read()
        #expect(dataset.users.count == 610)
        #expect(dataset.items.count == 9742)
        #expect(dataset.exposures.count == 100_836)
        let row = try #require(KeyIndex(dataset.items.keys).row(of: ItemKey(rawValue: 11)))
        #expect(dataset.items.titles[row] == "American President, The (1995)")
        #expect(dataset.items.categoryNames[Int(dataset.items.categories[row])] == "Comedy")
    }

    @Test(.enabled(if: has("amazon-beauty"), "needs TRIBUTARY_DATA"))
    func amazonBeauty() throws {
        let (dataset, report) = try LogSource("sequences:\(Self.folder)/amazon-beauty").read()
        #expect(report.files.map(\.rowsKept) == [22_363] && report.files.allSatisfy { $0.rejects.isEmpty })
        // wc -w less wc -l.
        #expect(dataset.exposures.count == 198_502)
        #expect(dataset.users.count == 22_363 && dataset.items.count == 12_101)
        #expect(!dataset.exposures.hasNegatives)
    }

    @Test(.enabled(if: has("gowalla-3"), "needs TRIBUTARY_DATA"))
    func gowalla() throws {
        let (dataset, report) = try LogSource("gowalla:\(Self.folder)/gowalla-3").read()
        #expect(report.files.map(\.rowsKept) == [24_209, 157_251])
        #expect(report.files.allSatisfy { $0.rejects.isEmpty })
        // Lines less distinct lines of the check-ins.
        #expect(report.duplicateEvents == 157_251 - 157_181)
        // A check-in joins one of the same user and place at most a day before, by a few lines of Python.
        #expect(dataset.exposures.count == 146_238)
        #expect(dataset.users.count == 1000 && dataset.items.count == 24_209)
        let row = try #require(KeyIndex(dataset.items.keys).row(of: ItemKey(rawValue: 2049)))
        #expect(dataset.items.latitudes[row] == 30.2359091167 && dataset.items.longitudes[row] == -97.7951395833)
    }

    @Test(.enabled(if: has("kuairand-pure"), "needs TRIBUTARY_DATA"))
    func kuaiRand() throws {
        let (dataset, report) = try LogSource("kuairand:\(Self.folder)/kuairand-pure").read()
        let actions = dataset.exposures.actions.map(Actions.init)
        // cut -d, -f1,2,5 log_*.csv | tail -n +2 | sort -u | wc -l
        #expect(actions.count { $0.contains(.impression) } == 91_805)
        // The same with awk's is_click of the first row of each showing.
        #expect(actions.count { $0.contains(.impression) && $0.contains(.click) } == 41_095)
        #expect(report.files.allSatisfy { $0.rejects.isEmpty })
        #expect(dataset.exposures.hasNegatives)
        #expect(dataset.users.count == 27_285)
        #expect(dataset.items.count == 7583)
        let first = try #require(actions.firstIndex { $0.contains(.impression) })
        #expect(actions[..<first].allSatisfy { $0.contains(.click) })
        #expect(actions[first...].allSatisfy { $0.contains(.impression) }, "history comes before the log")
    }
}
