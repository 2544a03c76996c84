import Catalog

/// What one user did and was shown since the snapshot's log ended. A value; the overlay guards it.
struct UserOverlay {
    /// By time, oldest first.
    private(set) var events: [Interaction] = []
    /// When each item was last shown, milliseconds since 1970.
    private(set) var shown: [ItemKey: Int64] = [:]
    /// No entry of `shown` is older.
    private var shownSince = Int64.max
    /// Oldest first.
    private(set) var hidden: [ItemKey] = []
    var lastTouched: Int64 = 0

    /// What counts against ``OverlayLimits/entriesMax``.
    var entryCount: Int { events.count + shown.count + hidden.count }

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

    mutating func show(_ items: [ItemKey], at time: Int64, limits: OverlayLimits) {
        for item in items { shown[item] = max(time, shown[item] ?? time) }
        shownSince = min(shownSince, time)
        guard shown.count > limits.shownPerUserMax else { return }
        // A tenth at a time, so that the sort is paid once per thousand items.
        let kept = limits.shownPerUserMax - limits.shownPerUserMax / 10
        let newest = shown.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.prefix(kept)
        shown = Dictionary(uniqueKeysWithValues: newest.map { ($0.key, $0.value) })
    }

    /// - Complexity: O(1) while nothing is that old.
    mutating func forgetShown(before time: Int64) {
        guard shownSince < time else { return }
        shown = shown.filter { $0.value >= time }
        shownSince = shown.values.min() ?? .max
    }
}
