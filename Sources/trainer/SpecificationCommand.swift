import ArgumentParser
import Foundation
import Models

/// `trainer specification`: what is trained when nothing else is said.
struct SpecificationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "specification", abstract: "Print the models' specification as JSON.",
        discussion: """
            Without --specification the default; with it, what that file makes of the default. docs/models.md tells what \
            the keys mean.
            """)

    @Option(help: "JSON file with what is to be different.")
    var specification: String?

    func run() throws {
        let found = try specification.map { try ModelSpecification(path: $0) } ?? ModelSpecification()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(found), as: UTF8.self))
    }
}

extension ModelSpecification {
    /// The default with what a file says differently.
    init(path: String) throws {
        guard let json = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--specification: there is no file \(path)")
        }
        self = try ModelSpecification(json: json, path: path)
    }
}
