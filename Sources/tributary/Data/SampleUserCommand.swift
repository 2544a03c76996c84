import ArgumentParser
import Catalog

/// `tributary cluster sample-user --data DIR`: a user to try a cluster with.
struct SampleUserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample-user",
        abstract: "Print the id of a user with a middling history: the median of users by positive exposures.")

    @Option(help: "Directory of a data set.")
    var data: String

    func run() throws {
        let dataset = try Dataset(directory: data)
        guard let user = dataset.middlingUser else {
            throw CatalogError(.empty, "\(data): no user has clicked on anything")
        }
        print(dataset.users.publicIDs[user])
    }
}
