import Foundation
import Models
import Ranking
import Testing

@Suite struct FusionConfigurationTests {
    @Test func specificationsTravelAsJSON() throws {
        let formulas = [
            FusionSpecification.standard,
            FusionSpecification(
                .commerce,
                [FusionTerm(head: "finish", power: 2, lengthAdjusted: true), FusionTerm(attribute: .quality)]),
        ]
        for formula in formulas {
            let decoded = try JSONDecoder().decode(FusionSpecification.self, from: JSONEncoder().encode(formula))
            #expect(decoded == formula)
        }
    }

    /// Snapshots that were made when there was one formula only.
    @Test func theFormerFormIsRead() throws {
        let json = #"{"clickPower": 2, "watchWeight": 0.5, "watchPower": 0.25}"#
        #expect(
            try JSONDecoder().decode(FusionSpecification.self, from: Data(json.utf8))
                == FusionSpecification(
                    .powers,
                    [
                        FusionTerm(head: "click", power: 2, offset: 0),
                        FusionTerm(head: "watch_time", weight: 0.5, power: 0.25),
                    ]))
    }

    @Test(arguments: [
        (#"{"formula": "magic", "terms": []}"#, "expected sum, click_times, powers, ranks, commerce, found 'magic'"),
        (
            #"{"formula": "sum", "terms": [], "name": 1}"#,
            "m.json: threeTower.fusion: unknown key 'name'; known here: formula, terms"
        ),
        (#"{"formula": "sum"}"#, "terms"),
        (
            #"{"formula": "sum", "terms": [{"head": "click", "wieght": 1}]}"#,
            "unknown key 'wieght'; known here: head, attribute, weight, power, offset, lengthAdjusted"
        ),
        (
            #"{"formula": "sum", "terms": [{"attribute": "colour"}]}"#,
            "expected duration, quality, price, found 'colour'"
        ),
        (
            #"{"formula": "sum", "terms": [{"head": "click", "weight": "much"}]}"#,
            "threeTower.fusion.terms[0] (click).weight: "
        ),
    ])
    func whatCannotBeReadIsNamed(json: String, message: String) throws {
        let error = #expect(throws: ModelError.self) {
            try ModelSpecification(json: Data(#"{"threeTower": {"fusion": \#(json)}}"#.utf8), path: "m.json")
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        (FusionSpecification(.sum, []), "fusion.terms: expected 1 to 32, found 0"),
        (
            FusionSpecification(.sum, [FusionTerm(head: "click", power: 2)]),
            "fusion.terms[0] (click).power: the formula 'sum' has no use for it"
        ),
        (
            FusionSpecification(.commerce, [FusionTerm(head: "click", weight: 2)]),
            "fusion.terms[0] (click).weight: the formula 'commerce' has no use for it"
        ),
        (
            FusionSpecification(.sum, [FusionTerm(head: "click", weight: .nan)]),
            "fusion.terms[0] (click).weight: expected -1000000.0 to 1000000.0, found nan"
        ),
        (
            FusionSpecification(.powers, [FusionTerm(head: "click", power: 17)]),
            "fusion.terms[0] (click).power: expected -16.0 to 16.0, found 17.0"
        ),
        (
            FusionSpecification(.powers, [FusionTerm(head: "click", weight: -1)]),
            "fusion.terms[0] (click).weight: expected 0.0 to 1000000.0, found -1.0"
        ),
        (
            FusionSpecification(.powers, [FusionTerm(head: "click", weight: 0, offset: 0)]),
            "fusion.terms[0] (click): expected an offset or a weight above 0, found neither"
        ),
        (
            FusionSpecification(.ranks, [FusionTerm(head: "click", power: 0)]),
            "fusion.terms[0] (click).power: expected 0.01 to 16.0, found 0.0"
        ),
        (
            FusionSpecification(.ranks, [FusionTerm(head: "click", offset: -1)]),
            "fusion.terms[0] (click).offset: expected 0.0 to 1000000.0, found -1.0"
        ),
        (
            FusionSpecification(.sum, [FusionTerm(head: "click"), FusionTerm(head: "click", weight: 2)]),
            "fusion.terms[1] (click): there is a term 'click' already"
        ),
        (
            FusionSpecification(.sum, [FusionTerm(head: "")]),
            "fusion.terms[0]: expected a head or an attribute, and not both"
        ),
        (
            FusionSpecification(.sum, [FusionTerm(head: "click"), FusionTerm(head: "pay")]),
            "fusion.terms[1] (pay): there is no head 'pay'; the model has click, watch_time"
        ),
        (
            FusionSpecification(.sum, [FusionTerm(head: "click", lengthAdjusted: true)]),
            "fusion.terms[0] (click / f(duration)): 'click' has no rate by length; in the model these have one: none"
        ),
    ])
    func whatCannotBeMeantIsRefused(specification: FusionSpecification, message: String) throws {
        let error = #expect(throws: ModelError.self) {
            try FusionFormula(specification, heads: ThreeTowerSpecification.heads, of: "the model")
        }
        #expect(error?.message == message)
    }

    @Test func clickTimesNeedsClicks() throws {
        let error = #expect(throws: ModelError.self) {
            try FusionFormula(FusionSpecification(.clickTimes, [FusionTerm(head: "like")]), heads: ["like"], of: "it")
        }
        #expect(error?.message == "fusion: 'click_times' needs a head 'click'; it has like")
    }
}
