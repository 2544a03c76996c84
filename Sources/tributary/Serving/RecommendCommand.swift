import ArgumentParser
import Messages
import RPC
import Service

struct RecommendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recommend",
        abstract: "One page of recommendations for a user.",
        discussion: "What is returned counts as shown and does not come back; with --explain nothing changes.")

    @Option(help: "The user's id.")
    var user: String

    @Flag(help: "Also tell where each item came from, what each stage did and what is known of the user.")
    var explain = false

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    @Option(help: "Items wanted, 1 to 500; 0 for what the cluster is configured to give.")
    var pageSize: UInt32 = 0

    @Option(help: "An item that must not be on the page; may be given several times.")
    var exclude: [String] = []

    @Option(
        help: """
            What is known of the scene, KEY=VALUE: surface, city, latitude, longitude, and the context fields of the data set, \
            such as device=phone; may be given several times.
            """)
    var context: [String] = []

    @OptionGroup var cluster: ClusterAddress

    func run() async throws {
        let client = try cluster.client()
        let request = RecommendRequest(
            userID: user, pageSize: pageSize, excludeItemIDs: exclude, context: try scene())
        if explain {
            let response = try await client.unary(
                RecommenderMethods.explain, ExplainRequest(request: request), options: cluster.options)
            let output = ExplanationOutput(response)
            if json { try printJSON(output) } else { print(output.text(user: user), terminator: "") }
        } else {
            let response = try await client.unary(RecommenderMethods.recommend, request, options: cluster.options)
            let output = PageOutput(response)
            if json { try printJSON(output) } else { print(output.text(user: user), terminator: "") }
        }
        await client.close()
    }

    private func scene() throws -> [String: String] {
        var scene: [String: String] = [:]
        for pair in context {
            guard let equals = pair.firstIndex(of: "="), equals > pair.startIndex else {
                throw ValidationError("--context: expected KEY=VALUE, found '\(pair)'")
            }
            scene[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return scene
    }
}
