import Kernels
import Messages
import RPC
import Testing

@Suite struct GoldenTests {
    /// Both directions: what Google's runtime wrote is read as `expected`, and `expected` is written as it wrote it.
    private func expect<Message: RPCMessage & Equatable>(_ name: String, _ expected: Message) throws {
        let bytes = Golden.bytes(named: name)
        #expect(try decode(Message.self, bytes) == expected)
        #expect(try encode(expected) == bytes)
    }

    @Test func requestsWithStringsAndMaps() throws {
        try expect(
            "recommend-request",
            RecommendRequest(
                userID: "u-ü中😀", pageSize: 300,
                excludeItemIDs: ["a", "", "a much longer item id than fifteen bytes"],
                context: ["surface": "home", "device": "tv"], requestID: "r1"))
        try expect("string-with-nul", RecommendRequest(userID: "a\0b"))
        try expect("empty", RecommendRequest())
    }

    @Test func aMapEntryOfEmptyStrings() throws {
        let request = try decode(RecommendRequest.self, Golden.bytes(named: "empty-map-entry"))
        #expect(request.context == ["": ""])
        #expect(try decode(RecommendRequest.self, encode(request)) == request)
    }

    @Test func nestedMessages() throws {
        try expect(
            "recommend-response",
            RecommendResponse(
                requestID: "r1", snapshotVersion: "v7",
                items: [
                    RecommendedItem(
                        itemID: "5", score: 0.25, title: "Five", category: "c", channels: ["itemcf", "popular"],
                        predictions: [0.5, -1.5]),
                    RecommendedItem(),
                ],
                completeness: Completeness(
                    shardsAsked: 4, shardsAnswered: 3, missingChannels: ["newest"], order: .recalled,
                    reasons: ["shard 2: gone"]),
                userKnown: true))
    }

    @Test func enumValuesOfOtherVersions() throws {
        try expect(
            "unknown-enum",
            Event(eventID: "e", kind: EventKind(rawValue: 77), timeMilliseconds: -1, value: 3.5))
        try expect("negative-enum", Event(kind: EventKind(rawValue: -3)))
    }

    @Test func numericArrays() throws {
        let ids = (0..<2000).map { UInt64($0) &* 0x9E37_79B9_7F4A_7C15 }
        try expect(
            "rank-request",
            RankRequest(
                snapshotVersion: "v7",
                user: UserState(
                    userKey: .max, known: true, profile: [0, 1, 127, 128, 300, .max], recentItems: [7, 8],
                    recentTimesMilliseconds: [-5, .max], recentActions: [3, 70000], recentWatchSeconds: [0.5, 1e30],
                    impressions: 10, clicks: 2, watchSeconds: 1e-3),
                scene: Scene(timeMilliseconds: 1_700_000_000_000, surface: 3, contexts: [2, 0, 300]),
                items: SharedBuffer(ids), limit: 500))
        try expect(
            "recall-response",
            RecallResponse(
                snapshotVersion: "v7", shard: 3, shardCount: 4,
                channels: [
                    ChannelResult(
                        channel: "itemcf", items: [1, 2], scores: [0.5, -0.25], microseconds: 12_345_678_901),
                    ChannelResult(channel: "two-tower", error: "no vectors"),
                ]))
    }

    @Test func bytesEnumsAndOneOfs() throws {
        try expect("blob-chunk", BlobChunk(data: [0, 1, 255]))
        try expect("health", Health.HealthCheckResponse(status: .notServing))
        try expect(
            "reflection-request",
            Reflection.ServerReflectionRequest(host: "h", messageRequest: .fileContainingSymbol("")))
        try expect(
            "reflection-extension",
            Reflection.ServerReflectionRequest(
                messageRequest: .fileContainingExtension(.init(containingType: "t", extensionNumber: -7))))
        try expect(
            "reflection-response",
            Reflection.ServerReflectionResponse(
                validHost: "h", originalRequest: .init(messageRequest: .listServices("*")),
                messageResponse: .fileDescriptorResponse(.init(fileDescriptorProto: [[1, 2], [], [255]]))))
    }

    @Test func buffersOutliveTheMessageAndItsBytes() throws {
        let items = try decode(RankRequest.self, Golden.bytes(named: "rank-request")).items
        #expect(items.count == 2000)
        #expect(items.last == 1999 &* 0x9E37_79B9_7F4A_7C15)
    }

    @Test func methodNames() {
        #expect(RecommenderMethods.recordEvents.service == "tributary.v1.Recommender")
        #expect(RecommenderMethods.recordEvents.name == "RecordEvents")
        #expect(HealthMethods.check.service == "grpc.health.v1.Health")
    }
}
