import Foundation

/// Where later clicks are lost on their way through the funnel, and how well the pre-ranker's cut agrees with the ranker: of
/// sampled users, all channels, the pre-ranker and the ranker as they stood at the split.
public struct FunnelFigures: Codable, Hashable, Sendable {
    /// Users asked about.
    public var users: Int
    /// Mean candidates of a user, of all channels together.
    public var candidates: Double
    /// Candidates that the pre-ranker lets through, at most, and places of the page.
    public var cut: Int
    public var page: Int
    /// Different items that the users clicked after the split.
    public var clicks: Int
    /// Of them, those that the filter holds back: met before the split.
    public var lostToFilter: Int
    /// Found by no channel.
    public var lostInRecall: Int
    /// Found, and not among those that the pre-ranker let through.
    public var lostInPreRanking: Int
    /// Let through, and not among the first of the ranker.
    public var lostInRanking: Int
    /// The ranker's first ``top`` of all candidates: mean share that the pre-ranker lets through.
    public var agreement: Double
    /// Mean share of them among the pre-ranker's own first ``top``.
    public var agreementOfTops: Double

    /// Of the ranker's order, that the cut is to keep.
    public static let top = 50

    public var found: Int { clicks - lostToFilter - lostInRecall - lostInPreRanking - lostInRanking }

    var lines: [String] {
        func share(_ count: Int) -> String {
            clicks > 0 ? String(format: "%.1f %%", Double(count) / Double(clicks) * 100) : "-"
        }
        return [
            "funnel     \(clicks) later clicks of \(users) users: filter \(share(lostToFilter)), recall \(share(lostInRecall)), "
                + "pre-ranking \(share(lostInPreRanking)), ranking \(share(lostInRanking)) lost, "
                + "\(share(found)) on a page of \(page)",
            String(
                format: "           %.0f candidates; of the ranker's first %d the cut to %d keeps %.4f, ", candidates,
                Self.top, cut, agreement)
                + String(format: "the pre-ranker's first %d has %.4f", Self.top, agreementOfTops),
        ]
    }
}
