public import Catalog
import Synchronization

/// Live user state in this process's memory, bounded, lost when the process ends.
///
/// Users are spread over stripes, so that requests for different users seldom wait for each other.
public final class InMemoryUserStateStore: UserStateStore {
    private static let stripeCount = 64

    private final class Stripe: Sendable {
        let contents: Mutex<Contents>

        init(eventIDsMax: Int) {
            contents = Mutex(Contents(ids: RememberedIDs(capacity: eventIDsMax)))
        }
    }

    fileprivate struct Contents {
        var users: [UserKey: UserOverlay] = [:]
        var byteCount = 0
        var ids: RememberedIDs
    }

    private let limits: OverlayLimits
    private let stripes: [Stripe]

    public init(limits: OverlayLimits = OverlayLimits()) {
        self.limits = limits
        stripes = (0..<Self.stripeCount).map { _ in Stripe(eventIDsMax: limits.eventIDsMax / Self.stripeCount) }
    }

    public func view(of base: UserState, dataUntil: Int64, now: Int64) -> UserView {
        let overlay = stripe(of: base.user).contents.withLock { contents -> UserOverlay? in
            contents.users[base.user]?.lastTouched = now
            return contents.users[base.user]
        }
        guard let overlay else {
            return UserView(
                state: base, excluded: base.recent.map(\.item).sorted(), exposures: ExposureFilter(limits.exposures))
        }
        var state = base
        let live = overlay.events.drop { $0.timeMilliseconds <= dataUntil }
        for interaction in live { state.record(interaction) }
        let shown = overlay.recentlyShown(since: overlay.exposures.windowStart(now: now))
        let excluded = (shown + overlay.hidden + state.recent.map(\.item)).sorted()
        return UserView(
            state: state, excluded: excluded.withoutRepeats(), exposures: overlay.exposures,
            unnamedCount: max(overlay.exposures.count - shown.count, 0), liveEventCount: live.count,
            place: overlay.place, cached: overlay.cache.items(now: now, rules: limits.cache))
    }

    public func record(_ events: [UserEvent], now: Int64) -> [RecordOutcome] {
        events.map { event in
            change(event.user, now: now) { overlay, ids in
                guard ids.insert(PublicID.key(of: event.id)) else { return .duplicate }
                overlay.record(event.interaction, limits: limits)
                return .accepted
            }
        }
    }

    @discardableResult
    public func record(_ page: ShownPage, to user: UserKey, now: Int64) -> Set<ItemKey> {
        change(user, now: now) { overlay, _ in
            let repeated = overlay.show(page.items, at: now, limits: limits)
            overlay.place = page.place ?? overlay.place
            overlay.cache.record(
                shown: page.items, offered: page.offered, kept: page.kept, now: now, rules: limits.cache)
            return repeated
        }
    }

    private func stripe(of user: UserKey) -> Stripe {
        stripes[Int(PublicID.mixed(user.rawValue) % UInt64(Self.stripeCount))]
    }

    private func change<Result: Sendable>(
        _ user: UserKey, now: Int64, _ body: (inout UserOverlay, inout RememberedIDs) -> Result
    ) -> Result {
        stripe(of: user).contents.withLock { contents in
            // Taken out while it changes, so that its arrays are not copied.
            let known = contents.users.removeValue(forKey: user)
            let before = known?.byteCount ?? 0
            var overlay = known ?? UserOverlay(limits: limits)
            let result = body(&overlay, &contents.ids)
            overlay.expire(now: now)
            overlay.lastTouched = now
            contents.byteCount += overlay.byteCount - before
            contents.users[user] = overlay
            contents.shrink(
                usersMax: limits.usersMax / Self.stripeCount, bytesMax: limits.bytesMax / Self.stripeCount)
            return result
        }
    }
}

extension InMemoryUserStateStore.Contents {
    /// Forgets the users who were quiet for longest, an eighth at a time, until both limits hold.
    fileprivate mutating func shrink(usersMax: Int, bytesMax: Int) {
        while users.count > max(usersMax, 1) || (byteCount > bytesMax && users.count > 1) {
            let quietest = users.sorted { ($0.value.lastTouched, $0.key) < ($1.value.lastTouched, $1.key) }
            for (user, overlay) in quietest.prefix(max(users.count / 8, 1)) {
                byteCount -= overlay.byteCount
                users.removeValue(forKey: user)
            }
        }
    }
}

extension [ItemKey] {
    /// An ascending list with each item once.
    fileprivate func withoutRepeats() -> [ItemKey] {
        indices.lazy.filter { $0 == 0 || self[$0 - 1] != self[$0] }.map { self[$0] }
    }
}
