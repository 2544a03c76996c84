import Catalog
import FeatureStore
import Messages
import RPC

extension UserEvent {
    /// - Throws: INVALID_ARGUMENT that names the field, what was expected and what was found.
    init(_ event: Event, now: Int64) throws(RPCError) {
        try RequestLimits.check(id: event.eventID, "event_id")
        try RequestLimits.check(id: event.userID, "user_id")
        try RequestLimits.check(id: event.itemID, "item_id")
        guard event.value >= 0, event.value <= RequestLimits.durationSecondsMax else {
            throw RPCError(
                .invalidArgument,
                "value: expected 0 to \(Int(RequestLimits.durationSecondsMax)) seconds, found \(event.value)")
        }
        let time = event.timeMilliseconds == 0 ? now : event.timeMilliseconds
        guard time > 0, time <= now + RequestLimits.clockErrorMillisecondsMax else {
            throw RPCError(
                .invalidArgument,
                "time_ms: expected milliseconds since 1970 up to now (\(now)), found \(event.timeMilliseconds)")
        }
        guard let actions = Self.actions[event.kind] else {
            throw RPCError(.invalidArgument, "kind: expected one of EventKind, found \(event.kind.rawValue)")
        }
        self.init(
            id: event.eventID, user: UserKey(publicID: event.userID),
            interaction: Interaction(
                item: ItemKey(publicID: event.itemID), timeMilliseconds: time, actions: actions,
                watchSeconds: event.kind == .play ? event.value : 0))
    }

    private static let actions: [EventKind: Actions] = [
        .impression: .impression, .click: .click, .play: [], .finish: .finish, .like: .like, .collect: .collect,
        .share: .share, .comment: .comment, .follow: .follow, .hide: .hide, .cart: .cart, .purchase: .purchase,
    ]
}
