import Catalog
import Recall
import Testing

@Suite struct TriggersTests {
    @Test func eachItemOnceNewestFirstWithAllThatWasDone() {
        var state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: [])
        let done: [(UInt64, Actions)] = [
            (1, [.click, .like]), (2, .click), (1, [.click, .share]), (3, .finish), (4, .impression), (2, .collect),
        ]
        for (time, (item, actions)) in done.enumerated() {
            state.record(
                Interaction(item: ItemKey(rawValue: item), timeMilliseconds: Int64(time), actions: actions))
        }
        let triggers = Triggers(state)
        #expect(triggers.items.map(\.rawValue) == [2, 3, 1])
        #expect(Array(triggers.weights) == [2, 0, 3])
    }

    @Test func nobodyHasNone() {
        #expect(Triggers(UserState(user: UserKey(rawValue: 1), isKnown: false, profile: [])).items.isEmpty)
    }
}
