import Catalog

/// What one user did and was shown since the snapshot's log ended. A value; the overlay guards it.
struct UserOverlay {
    /// By time, oldest first.
    private(set) var events: [Interaction] = []
    /// Everything shown inside the window.
    private(set) var exposures: ExposureFilter
    /// The newest of it by key, in the order in which it was shown.
    private var recentlyShown: [Shown] = []
    /// Oldest first.
    private(set) var hidden: [ItemKey] = []
    /// Where he last said he was.
    var place: Place?
    /// What the ranker kept for him.
    var cache = RecallCache()
    var lastTouched: Int64 = 0

    private struct Shown {
        var item: ItemKey
        /// Milliseconds since 1970.
        var time: Int64
    }

    init(limits: OverlayLimits) {
        exposures = ExposureFilter(limits.exposures)
    }

    /// What counts against ``OverlayLimits/bytesMax``.
    var byteCount: Int {
        MemoryLayout<UserOverlay>.stride + events.count * MemoryLayout<Interaction>.stride
            + recentlyShown.count * MemoryLayout<Shown>.stride + hidden.count * MemoryLayout<ItemKey>.stride
            + exposures.byteCount + cache.byteCount
    }

    /// - Complexity: O(1) for events that come in order.
    mutating func record(_ interaction: Interaction, limits: OverlayLimits) {
        let place = events.lastIndex { $0.timeMilliseconds <= interaction.timeMilliseconds }.map { $0 + 1 } ?? 0
        events.insert(interaction, at: place)
        if events.count > limits.eventsPerUserMax { events.removeFirst() }
        if interaction.actions.contains(.impression) {
            show([interaction.item], at: interaction.timeMilliseconds, limits: limits)
        }
        if interaction.actions.contains(.hide), !hidden.contains(interaction.item) {
            hidden.append(interaction.item)
            if hidden.count > limits.hiddenPerUserMax { hidden.removeFirst() }
        }
    }

    /// - Returns: items that had been shown before, inside the window.
    @discardableResult
    mutating func show(_ items: [ItemKey], at time: Int64, limits: OverlayLimits) -> Set<ItemKey> {
        let repeated = Set(items.filter { exposures.contains($0, now: time) })
        for item in items { exposures.insert(item, at: time) }
        cache.remove(items)
        recentlyShown += items.filter { !repeated.contains($0) }.map { Shown(item: $0, time: time) }
        // A quarter at a time, so that the rest is not moved for every page.
        if recentlyShown.count > limits.recentlyShownMax + limits.recentlyShownMax / 4 {
            recentlyShown.removeFirst(recentlyShown.count - limits.recentlyShownMax)
        }
        return repeated
    }

    func recentlyShown(since start: Int64) -> [ItemKey] {
        recentlyShown.filter { $0.time >= start }.map(\.item)
    }

    /// - Complexity: O(1) while no day has left the window.
    mutating func expire(now: Int64) {
        exposures.expire(now: now)
    }
}
