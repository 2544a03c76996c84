import Foundation
import Testing

/// `tributary model describe`, the program itself.
@Suite struct ModelCommandTests {
    private static let specification = """
        {"tables": {"item": {"width": 4}}, "fields": [{"name": "item", "kind": "categorical"}],
         "deep": {"widths": [8]}, "heads": [{"name": "click", "kind": "binary"}]}
        """

    private func describe(_ text: String, _ options: [String] = []) throws -> Command.Outcome {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("ranker.json")
        try Data(text.utf8).write(to: file)
        return try Command.run(binary: "tributary", ["model", "describe", file.path] + options)
    }

    @Test func partsAreCounted() throws {
        let outcome = try describe(Self.specification, ["--rows", "item=100"])
        #expect(outcome.status == 0)
        let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        // By hand: 100 rows of 4; 4 x 8 weights and 8 biases; 8 weights and a bias.
        #expect(lines.contains(["embeddings", "400", "0"]))
        #expect(lines.contains(["deep", "40", "72"]))
        #expect(lines.contains(["head", "click", "9", "17"]))
        #expect(lines.contains(["together", "449", "89"]))
        #expect(lines.last == ["engine:", "inference"])
    }

    @Test func theEngineIsNamed() throws {
        let slow = Self.specification.replacing("\"deep\"", with: "\"crossings\": [{\"kind\": \"senet\"}], \"deep\"")
        #expect(try describe(slow).output.hasSuffix("engine: workspace, for crossing 0: senet\n"))
        let json = try describe(slow, ["--json"]).output
        #expect(json.contains("\"workspace_blocks\"") && json.contains("\"parts\""))
    }

    @Test func whatCannotBeMeantEndsWithTwo() throws {
        let wrong = try describe(Self.specification.replacing("widths", with: "width"))
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("ranker.json: ") && !wrong.errors.contains("\n\n"))
        let table = try describe(Self.specification, ["--rows", "user=3"])
        #expect(table.status == 2)
        #expect(table.errors.contains("--rows: there is no table 'user'"))
    }

    /// What `trainer specification` prints, and what differs from it.
    @Test func theModelsSpecificationIsRead() throws {
        let printed = try Command.run(binary: "trainer", ["specification"])
        #expect(printed.status == 0)
        let outcome = try describe(printed.output, ["--rows", "user=50", "--rows", "profile.age=7"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("profile fields: age; a log that teaches every head; 1000 rows of author, "))
        let small = """
            {"ranker": {"features": {"features": [{"name": "item", "source": "item.id"}], "histories": []}, "net": {
              "tables": {"item": {"width": 4}}, "sequences": [], "crossings": [], "deep": {"widths": [8]},
              "shared": {"kind": "none"}, "heads": [{"name": "click", "kind": "binary"}]}}}
            """
        let lines = try describe(small, ["--rows", "item=100"]).output.split(separator: "\n")
        // The model of the first test, by other words.
        #expect(lines.contains { $0.split(separator: " ") == ["together", "449", "89"] }, "\(lines)")
        let wrong = try describe(small.replacing("item.id", with: "item.ide"))
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("ranker.json: ranker.features: feature 'item': unknown source 'item.ide'"))
    }
}
