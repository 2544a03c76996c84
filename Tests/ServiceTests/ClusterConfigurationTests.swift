import Foundation
import Models
import Service
import Snapshots
import Testing

@Suite struct ClusterConfigurationTests {
    private static let base = URL(fileURLWithPath: "/srv/tributary", isDirectory: true)

    private static let small = """
        directory: state
        snapshot_server: {address: "10.0.0.1:7120"}
        recall:
          shards:
            - [10.0.0.2:7200, 10.0.0.3:7200]
            - [10.0.0.2:7201, 10.0.0.3:7201]
        rankers: [10.0.0.4:7140]
        orchestrators: [10.0.0.5:7100]
        """

    private func read(_ text: String) throws(ConfigurationError) -> ClusterConfiguration {
        try ClusterConfiguration(text: text, file: "c.yaml", base: Self.base)
    }

    @Test func committedFileIsWhatTheDefaultsMake() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("cluster/local.yaml")
        #expect(try String(contentsOf: file, encoding: .utf8) == ClusterConfiguration.localYAML())
    }

    @Test func localFileReadsBackAsTheDefaults() throws {
        let configuration = try read(ClusterConfiguration.localYAML(shards: 2, replicas: 2, portBase: 9000))
        #expect(configuration.funnel == FunnelConfiguration())
        #expect(configuration.deadlines == DeadlineConfiguration())
        #expect(
            configuration.recallShards == [
                ["127.0.0.1:9100", "127.0.0.1:9101"], ["127.0.0.1:9102", "127.0.0.1:9103"],
            ])
        #expect(configuration.directory == "/srv/run")
        #expect(configuration.tls == nil)
    }

    @Test func theFunnelIsRead() throws {
        let text = """

            funnel:
              prerank: {keep: 300, channel_minimum: 5, category_minimum: 0}
              rank: {limit: 100}
              rejected_log: {per_page: 9}
              fusion:
                formula: powers
                terms:
                  - {head: click, offset: 0, power: 2}
                  - {head: finish, weight: 0.5, length_adjusted: true}
                  - {attribute: quality, power: 0.25}
            """
        let funnel = try read(Self.small + text).funnel
        #expect(
            funnel.preRank.keep == 300 && funnel.preRank.channelMinimum == 5 && funnel.preRank.categoryMinimum == 0)
        #expect(funnel.rankLimit == 100)
        #expect(funnel.rejectedLog?.perPage == 9 && funnel.rejectedLog?.megabytes == 64)
        #expect(
            funnel.fusion
                == FusionSpecification(
                    .powers,
                    [
                        FusionTerm(head: "click", power: 2, offset: 0),
                        FusionTerm(head: "finish", weight: 0.5, lengthAdjusted: true),
                        FusionTerm(attribute: .quality, power: 0.25),
                    ]))
    }

    @Test func membersComeInStartingOrder() throws {
        let configuration = try read(Self.small)
        #expect(
            configuration.members.map(\.name) == [
                "snapshot-server", "recall-shard-0-0", "recall-shard-0-1", "recall-shard-1-0", "recall-shard-1-1",
                "ranker-0", "orchestrator-0",
            ])
        #expect(configuration.store == "/srv/tributary/state/store")
        let member = try configuration.member(.recallShard, shard: 1, replica: 0)
        #expect(member.address == "10.0.0.2:7201")
        #expect(configuration.directory(of: member) == "/srv/tributary/state/nodes/recall-shard-1-0")
    }

    @Test func tlsPathsStartAtTheFile() throws {
        let text = Self.small + "\ntls: {certificate: tls/node.pem, key: /keys/node.key, authority: tls/ca.pem}\n"
        let tls = try #require(try read(text).tls)
        #expect(tls.certificate == "/srv/tributary/tls/node.pem")
        #expect(tls.key == "/keys/node.key")
        #expect(tls.clientAuthority == nil)
    }

    @Test func thePublicKeyIsReadAtTheStart() throws {
        let text = Self.small.replacing("7120\"}", with: "7120\", public_key: keys/snapshots.pub}")
        let configuration = try read(text)
        #expect(configuration.publicKey == "/srv/tributary/keys/snapshots.pub")
        let member = try configuration.member(.ranker)
        let error = #expect(throws: SnapshotError.self) { try configuration.snapshotHost(of: member, kinds: []) }
        #expect(error?.message.contains("/srv/tributary/keys/snapshots.pub") == true)
        #expect(try read(Self.small).snapshotHost(of: member, kinds: []).publicKey == nil)
    }

    @Test func unknownMemberIsNamedBesideTheKnown() throws {
        let configuration = try read(Self.small)
        let error = #expect(throws: ConfigurationError.self) { try configuration.member(.ranker, replica: 3) }
        #expect(error?.description == "cluster: has no ranker-3; it has ranker-0")
    }

    @Test(arguments: [
        ("", "c.yaml: is empty; expected a mapping"),
        ("- 1", "c.yaml:1: : expected a mapping"),
        (
            small.replacing("directory: state", with: "directory: state\ntypo: 1"),
            "c.yaml:2: typo: unknown key; known here: deadlines, directory, funnel, name, orchestrators, rankers, recall, "
                + "snapshot_server, tls, found '1'"
        ),
        (small.replacing("directory: state\n", with: ""), "c.yaml:1: directory is missing"),
        (
            small.replacing("10.0.0.4:7140", with: "10.0.0.4"),
            "c.yaml:7: rankers[0]: expected host:port with a port from 1 to 65535, found '10.0.0.4'"
        ),
        (
            small.replacing("10.0.0.4:7140", with: "10.0.0.4:70000"),
            "c.yaml:7: rankers[0]: expected host:port with a port from 1 to 65535, found '10.0.0.4:70000'"
        ),
        (
            small.replacing("10.0.0.4:7140", with: "10.0.0.5:7100"),
            "c.yaml: 10.0.0.5:7100 is the address of both ranker-0 and orchestrator-0"
        ),
        (
            small + "\nfunnel: {page_size: 0}",
            "c.yaml:9: funnel.page_size: expected a whole number from 1 to 500, found '0'"
        ),
        (
            small + "\nfunnel: {channels: {popular: many}}",
            "c.yaml:9: funnel.channels.popular: expected a whole number from 1 to 1000, found 'many'"
        ),
        (
            small + "\nfunnel: {prerank: {keep: 100, channel_minimum: 7}}",
            "c.yaml:9: funnel.prerank.channel_minimum: expected at most 100 candidates of all channels together, found "
                + "15 times 7"
        ),
        (
            small + "\nfunnel: {rank: {limits: 9}}",
            "c.yaml:9: funnel.rank.limits: unknown key; known here: limit, found '9'"
        ),
        (small + "\nfunnel: {fusion: {terms: []}}", "c.yaml:9: funnel.fusion.formula is missing"),
        (
            small + "\nfunnel: {fusion: {formula: magic, terms: []}}",
            "c.yaml:9: funnel.fusion.formula: expected one of sum, click_times, powers, ranks, commerce, found 'magic'"
        ),
        (
            small
                + "\nfunnel:\n  fusion:\n    formula: sum\n    terms:\n      - {head: click}\n      - {head: like, wieght: 2}",
            "c.yaml:14: funnel.fusion.terms[1].wieght: unknown key; known here: attribute, head, length_adjusted, "
                + "offset, power, weight, found '2'"
        ),
        (
            small + "\nfunnel: {fusion: {formula: sum, terms: [{head: click, weight: .nan}]}}",
            "c.yaml:9: funnel.fusion.terms[0].weight: expected a number, found '.nan'"
        ),
        (
            small + "\nfunnel: {fusion: {formula: sum, terms: [{attribute: colour}]}}",
            "c.yaml:9: funnel.fusion.terms[0].attribute: expected one of duration, quality, price, found 'colour'"
        ),
        (
            small + "\nfunnel: {fusion: {formula: ranks, terms: [{head: click, power: -1}]}}",
            "c.yaml:9: funnel.fusion.terms[0] (click).power: expected 0.01 to 16.0, found -1.0"
        ),
        (small + "\ntls: {certificate: a, key: b}", "c.yaml:9: tls.authority is missing"),
        (small + "\nname: a\nname: b", "c.yaml:9: appears twice: name"),
    ])
    func badFilesAreRefusedWithTheirPlace(text: String, message: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        #expect(error?.description == message)
    }

    @Test func missingFileIsNamed() {
        let error = #expect(throws: ConfigurationError.self) { try ClusterConfiguration(file: "/nonexistent/c.yaml") }
        #expect(error?.place == "/nonexistent/c.yaml")
        #expect(error?.message.contains("No such file") == true)
    }

    @Test func whatIsNoTextIsRefused() {
        let error = #expect(throws: ConfigurationError.self) { try ClusterConfiguration(file: "/bin/true") }
        #expect(error?.description == "/bin/true: is not UTF-8 text; expected YAML")
    }
}
