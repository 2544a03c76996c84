import Blobs
import Catalog
import Foundation
import Kernels
import Logging
import Messages
import Orchestration
import RPC
import Synchronization
import Testing

/// What the orchestrator logs of candidates that ranking rejected. The ranker puts the highest keys first; candidates are
/// items 20 to 13 and, after user 7's click on 4, item 5.
@Suite struct RejectedLogTests {
    private let folder: String
    private var path: String { "\(folder)/rejected.csv" }
    private static let now: Int64 = 1_700_000_000_000

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "rejected-\(UUID())").path()
    }

    private func log(
        perPage: Int = 10, bytesMax: Int = 1 << 20, waitingBytesMax: Int = 1 << 20,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws -> RejectedLog {
        var configuration = RejectedLogConfiguration(path: path)
        configuration.perPage = perPage
        configuration.bytesMax = bytesMax
        configuration.waitingBytesMax = waitingBytesMax
        return try RejectedLog(configuration, logger: logger)
    }

    private func cluster(
        _ log: RejectedLog, ranker: SmallCluster.Ranker = .byKey,
        configure: (inout OrchestratorConfiguration) -> Void = { _ in }
    ) -> SmallCluster {
        SmallCluster(ranker: ranker, rejected: log, configure: configure, now: { Self.now })
    }

    private func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// The rows of the file, once there are so many: they are written within a second.
    private func rows(_ count: Int) async throws -> [[String]] {
        func lines() -> [Substring] { Array(((try? read(path)) ?? "").split(separator: "\n").dropFirst()) }
        try await eventually { lines().count >= count }
        return lines().map { $0.split(separator: ",").map(String.init) }
    }

    @Test func theLowerHalfOfTheRankedIsLogged() async throws {
        let cluster = try cluster(log())
        let page = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(page.items.map(\.itemID) == ["20", "19", "18"])
        // Of nine candidates in order, the last five.
        let found = try await rows(5)
        #expect(Set(found.map { $0[1] }) == ["16", "15", "14", "13", "5"] && found.count == 5)
        #expect(found.allSatisfy { $0[0] == "7" && $0[2] == "\(Self.now)" })
        #expect(try read(path).hasPrefix("user_id,item_id,time\n"))
    }

    @Test func whatThePreRankerLeftOutIsLogged() async throws {
        // Four come back: 17 is in their lower half and not on the page.
        let cluster = try cluster(log()) { $0.rankLimit = 4 }
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(Set(try await rows(6).map { $0[1] }) == ["17", "16", "15", "14", "13", "5"])
    }

    @Test func aSampleIsDrawnOfEachPage() async throws {
        let cluster = try cluster(log(perPage: 2))
        for _ in 0..<2 { _ = try await cluster.recommend(RecommendRequest(userID: "7")) }
        let found = try await rows(4)
        #expect(found.count == 4 && Set(found.prefix(2).map { $0[1] }).count == 2)
    }

    /// Strangers' pages are not ranked, explanations are no pages, and what there was no time to score was not rejected.
    @Test func whatWasNotRejectedIsNotLogged() async throws {
        let log = try log()
        let cluster = cluster(log)
        _ = try await cluster.recommend(RecommendRequest(userID: "stranger"))
        _ = try await cluster.client.unary(
            RecommenderMethods.explain, ExplainRequest(request: RecommendRequest(userID: "7")))
        for ranker in [SmallCluster.Ranker.pressed, .lost] {
            _ = try await self.cluster(log, ranker: ranker).recommend(RecommendRequest(userID: "7"))
        }
        // The one page that has rejected candidates comes last.
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        #expect(try await rows(5).count == 5)
    }

    /// Ids with commas, quotes and line ends; the whole file as an import reads it.
    @Test func anImportReadsTheFile() async throws {
        let user = "a,\"b\"\nc\"\u{301}"
        let cluster = try cluster(log())
        _ = try await cluster.record(Event(eventID: "e", userID: user, itemID: "4", kind: .like))
        _ = try await cluster.recommend(RecommendRequest(userID: user))
        _ = try await rows(5)
        try "user_id,item_id,time,event\n7,4,1700000000,click\n".write(
            toFile: "\(folder)/events.csv", atomically: true, encoding: .utf8)
        let (dataset, report) = try LogSource("csv:\(folder)").read()
        #expect(report.files.allSatisfy { $0.rejects.isEmpty })
        #expect(Set(dataset.rejected.users.map { dataset.users.publicIDs[Int($0)] }) == [user])
        let items = Set(dataset.rejected.items.map { dataset.items.publicIDs[Int($0)] })
        #expect(items == ["16", "15", "14", "13", "5"] && dataset.rejected.times.allSatisfy { $0 == Self.now })
    }

    @Test func theFileIsBounded() async throws {
        // A header of 21 bytes, and rows of 19 or 18: the five of a page are 94 bytes.
        let cluster = try cluster(log(bytesMax: 120))
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        _ = try await rows(5)
        _ = try await cluster.recommend(RecommendRequest(userID: "7"))
        try await eventually { FileManager.default.fileExists(atPath: "\(path).1") }
        // The second page has candidates 17 to 10, and 5.
        #expect(Set(try await rows(5).map { $0[1] }) == ["13", "12", "11", "10", "5"])
        let older = try read("\(path).1")
        #expect(older.utf8.count == 115 && older.hasPrefix("user_id,item_id,time\n"))
    }

    @Test func whatACrashCutShortIsTakenOff() async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let whole = "user_id,item_id,time\n7,16,1700000000000\n"
        try "\(whole)7,15,17".write(toFile: path, atomically: true, encoding: .utf8)
        _ = try log()
        #expect(try read(path) == whole)
    }

    /// What comes faster than it can be written is dropped, counted and told.
    @Test func dropsAreCounted() async throws {
        let messages = LoggedMessages()
        let log = try log(waitingBytesMax: 40, logger: Logger(label: "test") { _ in messages.handler })
        _ = try await cluster(log).recommend(RecommendRequest(userID: "7"))
        try await eventually { !messages.all.isEmpty }
        #expect(try read(path) == "user_id,item_id,time\n")
        #expect(messages.all == ["rejected candidates were not logged: 5 rows: more came than can be written"])
    }

    @Test func aFileThatCannotBeMadeIsNamed() {
        let error = #expect(throws: BlobError.self) {
            try RejectedLog(
                RejectedLogConfiguration(path: "/proc/none/rejected.csv"),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(error?.message.contains("/proc/none") == true)
    }
}

/// Keeps what is logged.
private final class LoggedMessages: Sendable {
    private let kept = Mutex<[String]>([])
    var all: [String] { kept.withLock { $0 } }
    var handler: Handler { Handler(messages: self) }

    struct Handler: LogHandler {
        let messages: LoggedMessages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { messages.kept.withLock { $0.append("\(event.message)") } }
    }
}
