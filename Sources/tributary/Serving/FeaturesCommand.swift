import ArgumentParser
import Messages
import RPC
import Service

struct FeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "How often the ranking model's features have values: in training, and as they are served.",
        discussion: """
            Asks every ranker, and sums up. Of the requests, one in 64 is counted. Drift is the population stability index of
            the values served against those trained on: below 0.1 is little, above 0.25 much; of several rankers it is the
            largest. A ranker tells it once it has counted 200 requests.
            """)

    @Option(help: "The cluster's configuration.")
    var config: String

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() async throws {
        let cluster = try ClusterConfiguration(file: config)
        var lines: [Line] = []
        var version = ""
        var requests: UInt64 = 0
        for address in cluster.rankers {
            let client = try cluster.client([address])
            let response = try await client.unary(
                RankingMethods.reportFeatures, ReportFeaturesRequest(snapshotVersion: version),
                options: CallOptions(timeout: .seconds(5)))
            guard !response.features.isEmpty else {
                throw ValidationError(
                    "\(address): snapshot \(response.snapshotVersion) has no ranking model, and so no features")
            }
            version = response.snapshotVersion
            requests += response.requests
            let own = response.features.map(Line.init)
            lines = lines.isEmpty ? own : zip(lines, own).map { $0.adding($1) }
        }
        if json { return try printJSON(lines) }
        print("snapshot \(version), \(requests) requests counted\n\n" + Self.table(lines), terminator: "")
    }

    private static func table(_ lines: [Line]) -> String {
        var table = TextTable(
            "feature", "trained: there>", "unknown>", "served: there>", "unknown>", "values>", "drift>")
        for line in lines {
            table.add(
                line.name, line.training.share, line.training.unknownShare, line.serving.share,
                line.serving.unknownShare, "\(line.serving.values)", line.drift.map { Float($0).text(3) } ?? "")
        }
        return table.text()
    }

    /// One feature.
    private struct Line: Encodable {
        var name: String
        var training: Coverage
        var serving: Coverage
        var drift: Double?

        init(_ report: FeatureReport) {
            name = report.name
            training = Coverage(report.training)
            serving = Coverage(report.serving)
            drift = report.hasDrift ? report.drift : nil
        }

        /// With what another ranker served.
        func adding(_ other: Line) -> Line {
            var line = self
            line.serving.values += other.serving.values
            line.serving.missing += other.serving.missing
            line.serving.unknown += other.serving.unknown
            line.drift = [drift, other.drift].compactMap(\.self).max()
            return line
        }
    }

    private struct Coverage: Encodable {
        var values: UInt64
        var missing: UInt64
        var unknown: UInt64

        init(_ coverage: FeatureCoverage?) {
            (values, missing, unknown) = (coverage?.values ?? 0, coverage?.missing ?? 0, coverage?.unknown ?? 0)
        }

        /// Of the values, those that were there.
        var share: String { Self.percent(values &- missing, of: values) }
        /// Of those that were there, those the model does not know.
        var unknownShare: String { unknown == 0 ? "" : Self.percent(unknown, of: values &- missing) }

        private static func percent(_ part: UInt64, of all: UInt64) -> String {
            all > 0 ? "\((100 * Float(part) / Float(all)).text(1)) %" : ""
        }
    }
}
