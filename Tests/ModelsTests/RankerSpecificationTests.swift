import Foundation
import Models
import Testing

@Suite struct RankerSpecificationTests {
    static let smallest = """
        {"tables": {"item": {"width": 4}}, "fields": [{"name": "item", "kind": "categorical"}],
         "heads": [{"name": "click", "kind": "binary"}]EXTRA}
        """

    private func read(_ text: String) throws -> RankerSpecification {
        try RankerSpecification(json: Data(text.utf8), path: "ranker.json")
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let found = try read(Self.smallest.replacing("EXTRA", with: ""))
        #expect(found.shared == .none && found.crossings == [] && found.deep == nil)
        #expect(found.tables["item"] == RankerTable(width: 4, padding: true))
        #expect(found.heads == [RankerHead("click", .binary, weight: 1, tower: [], given: nil, threshold: 0.8)])
    }

    @Test func aSpecificationWrittenAndReadIsTheSame() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/ranker.json")
        let golden = try JSONDecoder().decode(RankerModelTests.Golden.self, from: Data(contentsOf: url))
        let specification = golden.full.specification
        #expect(try RankerSpecification(json: specification.json(), path: "x") == specification)
    }

    /// The example of the documentation can be read.
    @Test func theDocumentedExample() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/models.md")
        let page = try String(contentsOf: root, encoding: .utf8)
        let section = try #require(page.split(separator: "## A ranking model of your own").last)
        let json = try #require(section.split(separator: "```json\n").dropFirst().first?.split(separator: "```").first)
        let specification = try read(String(json))
        let rows = specification.tables.mapValues { _ in 100 }
        #expect(try specification.costs(rows: rows).reduce(0) { $0 + $1.operations } > 0)
    }

    @Test(arguments: [
        (
            #","deep": {"widths": [8], "dropuot": 0.1}"#,
            "deep: unknown key 'dropuot'; known here: widths, dropout, normalization"
        ),
        (
            #","crossings": [{"kind": "dcn", "reduction": 2}]"#,
            "crossings[0] (dcn): unknown key 'reduction'; known here: kind, layers, rank"
        ),
        (#","shared": {"kind": "bottom", "widths": [8], "experts": 2}"#, "shared: unknown key 'experts'"),
        (
            #","sequences": [{"name": "s", "form": "dot", "columns": [{"tabel": "item"}]}]"#,
            "sequences[0] (s).columns[0]: unknown key 'tabel'; known here: table, query"
        ),
        (
            #","sequences": [{"name": "s", "form": "sum", "columns": [{"table": "item"}]}]"#,
            "sequences[0] (s).form: expected mean, layers, dot, found 'sum'"
        ),
        (#","deep": {"widths": [8.5]}"#, "deep.widths[0]: expected a whole number, found 8.5"),
        (#","deep": {}"#, "deep: 'widths' is missing"),
        (#","layers": 3"#, "unknown key 'layers'"),
        (
            #","crossings": [{"kind": "cin"}]"#,
            "crossings[0] (cin).kind: expected linear, fm, dcn, senet, bilinear, fibinet, found 'cin'"
        ),
        (#","deep": {"widths": "8"}"#, "deep.widths"),
        (#","deep": {"widths": []}"#, "deep.widths: expected 1...32 layers"),
        (#","deep": {"widths": [0]}"#, "deep.widths: expected 1...65536, found 0"),
        (#","deep": {"widths": [8], "dropout": 1}"#, "deep.dropout: expected 0 or more, less than 1, found 1.0"),
        (
            #","crossings": [{"kind": "linear", "heads": ["like"]}]"#,
            "crossings[0] (linear): there is no head 'like'; there is click"
        ),
        (#","crossings": [{"kind": "bilinear"}]"#, "crossings[0] (bilinear): at least two fields"),
        (#","crossings": [{"kind": "senet", "fields": ["user"]}]"#, "crossings[0] (senet).fields: 'user' is no field"),
        (#","personal": {"fields": ["item"]}"#, "personal.deep: there is no deep net"),
        (#","shared": {"kind": "mmoe", "widths": [8], "experts": 0}"#, "shared.experts: expected 1...64, found 0"),
        (#","negatives": {"head": "click", "rate": 0}"#, "negatives.rate: expected more than 0, at most 1, found 0.0"),
        (#","negatives": {"head": "like", "rate": 0.1}"#, "negatives.head: there is no head 'like'"),
        (
            #","sequences": [{"name": "s", "form": "layers", "columns": [{"table": "item"}]}]"#,
            "sequences: s: no column has a query to attend by"
        ),
        (
            #","sequences": [{"name": "s", "form": "dot", "columns": [{"table": "author"}]}]"#,
            "sequences: s: there is no table 'author'; there is item"
        ),
        (
            #","sequences": [{"name": "item", "form": "mean", "columns": [{"table": "item"}]}]"#,
            "two of a field or sequence are named 'item'"
        ),
    ])
    func whatCannotBeMeantIsRefusedByName(_ extra: String, _ message: String) throws {
        let error = #expect(throws: ModelError.self) { try read(Self.smallest.replacing("EXTRA", with: extra)) }
        let found = error?.message ?? ""
        #expect(found.hasPrefix("ranker.json: ") && found.contains(message), "\(found)")
    }
}
