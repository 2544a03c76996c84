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

    @Test(arguments: [
        (#"{"recal": {}}"#, "s.json: unknown key 'recal'; known here: "),
        (#"{"recall": {"swing": {"users": 1}}}"#, "s.json: unknown key 'recall.swing.users'; known here: alpha, "),
        (#"{"recall": {"swing": 3}}"#, "s.json: recall.swing: expected an object"),
        (#"{"recall": {"swing": {"usersMax": "many"}}}"#, "s.json: recall.swing.usersMax: "),
        (#"{"recall": {"swing": {"usersMax": 1.5}}}"#, "s.json: "),
        ("[]", "s.json: the file: expected an object"), ("{", "s.json: expected a JSON object: "),
    ])
    func whatCannotBeMeantIsNamed(json: String, message: String) {
        let error = #expect(throws: ModelError.self) { try specification(json) }
        #expect(error?.code == .invalid && error?.message.hasPrefix(message) == true, "\(error as Any)")
    }
}
