import Foundation
import Models
import Testing

/// What a file changes of the default specification.
struct SpecificationFileTests {
    private func specification(_ json: String) throws(ModelError) -> ModelSpecification {
        try ModelSpecification(json: Data(json.utf8), path: "s.json")
    }

    @Test func aKeyLeftOutKeepsItsDefault() throws {
        let found = try specification(
            #"{"recall": {"swing": {"alpha": 0.5, "usersMax": 100}}, "twoTower": {"temperature": 0.2}}"#)
        var expected = ModelSpecification()
        expected.recall.swing.alpha = 0.5
        expected.recall.swing.usersMax = 100
        expected.twoTower.temperature = 0.2
        #expect(found == expected && found != ModelSpecification())
        #expect(try specification("{}") == ModelSpecification())
    }

    /// A key of the ranker's net is changed as a whole, null takes a block out.
    @Test func theRankersNetIsChangedByBlocks() throws {
        let found = try specification(
            #"""
            {"ranker": {"training": {"epochs": 7}, "embeddingWidth": 4, "net": {
                "deep": null, "shared": {"kind": "bottom", "widths": [8]}, "personal": {"fields": ["user"], "towers": true, "deep": false},
                "heads": [{"name": "click", "kind": "binary", "tower": [4]}], "tables": {}}}}
            """#)
        var expected = ModelSpecification()
        expected.ranker.training.epochs = 7
        expected.ranker.embeddingWidth = 4
        expected.ranker.net.deep = nil
        expected.ranker.net.shared = .bottom(widths: [8])
        expected.ranker.net.personal = RankerPersonalGates(fields: ["user"], deep: false, towers: true)
        expected.ranker.net.heads = [RankerHead("click", .binary, tower: [4])]
        expected.ranker.net.tables = [:]
        #expect(found == expected)
    }

    @Test(arguments: [
        (#"{"ranker": {"net": {"depp": null}}}"#, "s.json: ranker.net: unknown key 'depp'; known here: tables, "),
        (#"{"ranker": {"net": 1}}"#, "s.json: ranker.net: expected an object"),
        (#"{"ranker": {"net": {"deep": {"widths": [8], "drop": 1}}}}"#, "s.json: ranker.net.deep: unknown key 'drop'"),
        (
            #"{"ranker": {"net": {"shared": {"kind": "moe"}}}}"#,
            "s.json: ranker.net.shared.kind: expected none, bottom, mmoe, ple, found 'moe'"
        ),
        (
            #"{"ranker": {"features": {"features": [{"name": "a"}]}}}"#,
            "s.json: ranker.features.features[0] (a): 'source' is missing"
        ),
        (
            #"{"ranker": {"features": {"features": [{"name": "a", "source": "item.id", "transform": "log"}]}}}"#,
            "s.json: ranker.features.features[0] (a).transform: expected vocabulary, hash, bucketise, log1p, identity, "
                + "rate, found 'log'"
        ),
        (
            #"{"ranker": {"features": {"histories": [{"name": "h", "lenght": 3}]}}}"#,
            "s.json: ranker.features.histories[0] (h): unknown key 'lenght'; known here: name, actions, "
        ),
        (
            #"{"twoTower": {"user": {"fields": ["user", "shoe"]}}}"#,
            "s.json: twoTower.user.fields[1]: expected user, profile, "
        ),
        (
            #"{"ranker": {"training": {"calibrator": "pla"}}}"#,
            "s.json: ranker.training.calibrator: expected none, platt, "
        ),
        (#"{"recal": {}}"#, "s.json: unknown key 'recal'; known here: "),
        (#"{"recall": {"swing": {"users": 1}}}"#, "s.json: recall.swing: unknown key 'users'; known here: alpha, "),
        (#"{"recall": {"swing": 3}}"#, "s.json: recall.swing: expected an object"),
        (#"{"recall": {"swing": {"usersMax": "many"}}}"#, "s.json: recall.swing.usersMax: "),
        (
            #"{"recall": {"swing": {"usersMax": 1.5}}}"#,
            "s.json: recall.swing.usersMax: expected a whole number, found 1.5"
        ),
        (
            #"{"twoTower": {"temperature": 0.3}, "ranker": {"training": {"epochs": 2.5, "lastRate": 0.1}}}"#,
            "s.json: ranker.training.epochs: expected a whole number, found 2.5"
        ),
        (
            #"{"ranker": {"training": {"clipNorm": 1e99}}}"#,
            "s.json: ranker.training.clipNorm: expected a number that fits, found 1e+99"
        ),
        ("[]", "s.json: the file: expected an object"), ("{", "s.json: expected a JSON object: "),
    ])
    func whatCannotBeMeantIsNamed(json: String, message: String) {
        let error = #expect(throws: ModelError.self) { try specification(json) }
        #expect(error?.code == .invalid && error?.message.hasPrefix(message) == true, "\(error as Any)")
    }
}
