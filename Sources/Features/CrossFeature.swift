/// Inputs of the cross tower: statistics, and what the user's recent touches say of the candidate.
///
/// Log-odds are deviations from the common rate; all are scaled by fixed numbers to be of order 1.
public enum CrossFeature: String, NamedChoice {
    /// Smoothed click rate of the item.
    case itemLogOdds = "item_log_odds"
    /// Smoothed click rate of the user.
    case userLogOdds = "user_log_odds"
    /// Smoothed click rate of the surface.
    case surfaceLogOdds = "surface_log_odds"
    case categoryLogOdds = "category_log_odds"
    case authorLogOdds = "author_log_odds"
    case itemImpressions = "item_impressions"
    case itemWatch = "item_watch"
    /// Time since publication.
    case itemAge = "item_age"
    case itemDuration = "item_duration"
    /// Clicks among the recent touches of the candidate's category, and their share of all recent clicks.
    case categoryClicks = "category_clicks"
    case categoryShare = "category_share"
    /// Log-odds of a click among the recent touches of the candidate's category.
    case categoryAffinity = "category_affinity"
    case categoryRecency = "category_recency"
    case authorClicks = "author_clicks"
    case authorAffinity = "author_affinity"
    /// Recent touches of the item itself, and whether one was a click.
    case seen = "seen"
    case clickedBefore = "clicked_before"
    /// Whether the last click was in the candidate's category.
    case lastCategory = "last_category"
    /// How far the item's length is from those the user clicked.
    case durationGap = "duration_gap"

    /// The log-odds that the no-learning rate model adds up.
    public static let rateModel: [CrossFeature] = [.itemLogOdds, .userLogOdds, .surfaceLogOdds]
}
