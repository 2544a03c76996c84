import Catalog

/// What is counted of showings and of what followed them.
public enum Counter: Int, CaseIterable, Hashable, Sendable {
    case impressions, clicks, likes, collects, shares, comments, follows, hides, finishes, carts, purchases
    /// Seconds watched.
    case watchSeconds

    /// As it is written in a schema.
    public var name: String { self == .watchSeconds ? "watch_seconds" : "\(self)" }

    public init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// The action that counts one; nil for seconds.
    var action: Actions? {
        switch self {
        case .impressions: .impression
        case .clicks: .click
        case .likes: .like
        case .collects: .collect
        case .shares: .share
        case .comments: .comment
        case .follows: .follow
        case .hides: .hide
        case .finishes: .finish
        case .carts: .cart
        case .purchases: .purchase
        case .watchSeconds: nil
        }
    }
}

/// How far back is counted.
public enum StatisticsWindow: String, NamedChoice, Hashable {
    case hour = "1h"
    case day = "1d"
    case week = "7d"
    case month = "30d"
    /// Since the log begins.
    case all

    /// nil for all.
    public var milliseconds: Int64? {
        let hour: Int64 = 3_600_000
        return switch self {
        case .hour: hour
        case .day: 24 * hour
        case .week: 7 * 24 * hour
        case .month: 30 * 24 * hour
        case .all: nil
        }
    }
}

/// A number made of counts.
public enum Statistic: Hashable, Sendable {
    case count(Counter)
    /// Clicks and hides per impression, everything else per click; smoothed (``BetaPrior``).
    case rate(Counter)
    /// Seconds watched per click.
    case watchPerClick

    /// `clicks`, `click_rate`, `watch_per_click` and so on; nil for what is none.
    public init?(name: some StringProtocol) {
        if name == "watch_per_click" {
            self = .watchPerClick
        } else if let counter = Counter(name: name) {
            self = .count(counter)
        } else if let rate = Self.rates.first(where: { Self.rate($0).name == name }) {
            self = .rate(rate)
        } else {
            return nil
        }
    }

    public var name: String {
        switch self {
        case .count(let counter): counter.name
        case .rate(.finishes): "finish_rate"
        case .rate(let counter): "\(counter.name.dropLast())_rate"
        case .watchPerClick: "watch_per_click"
        }
    }

    /// What a rate is of.
    static func trials(of successes: Counter) -> Counter {
        successes == .clicks || successes == .hides ? .impressions : .clicks
    }

    /// Counters it is made of.
    var counters: Set<Counter> {
        switch self {
        case .count(let counter): [counter]
        case .rate(let successes): [successes, Self.trials(of: successes)]
        case .watchPerClick: [.watchSeconds, .clicks]
        }
    }

    static let rates: [Counter] = [
        .clicks, .likes, .collects, .shares, .comments, .follows, .hides, .finishes, .carts, .purchases,
    ]

    /// Names of all, for messages.
    static var allNames: [String] {
        Counter.allCases.map(\.name) + rates.map { Statistic.rate($0).name } + [Statistic.watchPerClick.name]
    }
}

/// Whose counts they are.
public enum StatisticsOwner: String, CaseIterable, Codable, Hashable, Sendable {
    case item, author, category, surface
}
