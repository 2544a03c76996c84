public import Catalog
public import Features

extension RankerHead {
    /// Names of binary heads, and what they ask whether it happened.
    public static let events: [(name: String, action: Actions)] = [
        ("click", .click), ("like", .like), ("collect", .collect), ("share", .share), ("comment", .comment),
        ("follow", .follow), ("hide", .hide), ("finish", .finish), ("cart", .cart),
        ("purchase", .purchase),
    ]

    /// The action that is a binary head's event; nil for other heads.
    public var action: Actions? {
        kind == .binary ? Self.events.first { $0.name == name }?.action : nil
    }

    /// What a showing tells the head: 0 or 1, seconds watched, or the fraction played.
    public func label(_ outcome: RankingOutcome) -> Float {
        switch kind {
        case .binary: action.map { outcome.actions.contains($0) ? 1 : 0 } ?? 0
        case .watchTime: outcome.watchSeconds
        case .finish, .finishAbove: outcome.playedFraction
        }
    }

    /// Whether a label is a positive one, for measures that know two classes; nil for heads that predict an amount.
    public func isPositive(_ label: Float) -> Bool? {
        switch kind {
        case .binary: label > 0
        case .finishAbove: label > threshold
        case .watchTime, .finish: nil
        }
    }
}

extension RankerLabels {
    /// What became of showings, for each head.
    public init(_ heads: [RankerHead], _ outcomes: some Collection<RankingOutcome>) {
        self.init(heads.map { head in outcomes.map(head.label) })
    }
}
