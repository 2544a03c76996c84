extension FeatureSchema {
    /// What a ranking model reads when nothing else is said.
    public static let standard = FeatureSchema(
        features: user + item + itemStatistics + userStatistics + scene + crosses,
        histories: [
            HistoryDefinition("clicks", columns: [.item, .category, .author], length: 50, ages: true),
            HistoryDefinition("likes", actions: ["likes", "collects", "shares"], columns: [.item, .category]),
            HistoryDefinition("purchases", actions: ["carts", "purchases"], columns: [.item, .category]),
        ])

    private static let user = [FeatureDefinition("user", "user.id"), FeatureDefinition("profile.*", "user.profile.*")]

    private static let item = [
        FeatureDefinition("item", "item.id"), FeatureDefinition("category", "item.category"),
        FeatureDefinition("author", "item.author"), FeatureDefinition("city", "item.city"),
        FeatureDefinition("tags", "item.tags"),
        FeatureDefinition("duration_bucket", "item.duration", transform: .bucketise, buckets: 16),
        FeatureDefinition("duration", "item.duration"), FeatureDefinition("age", "item.age"),
        FeatureDefinition("quality", "item.quality", transform: .identity),
        FeatureDefinition("price_bucket", "item.price", transform: .bucketise, buckets: 16, optional: true),
        FeatureDefinition("price", "item.price", optional: true),
    ]

    private static let windows: [StatisticsWindow] = [.hour, .day, .week, .month]

    private static let itemStatistics =
        windows.flatMap { window in
            [
                FeatureDefinition("item_impressions_\(window.rawValue)", "item.impressions", window: window),
                FeatureDefinition("item_click_rate_\(window.rawValue)", "item.click_rate", window: window),
            ]
        } + [
            FeatureDefinition("item_impressions", "item.impressions"),
            FeatureDefinition("item_click_rate", "item.click_rate"),
            FeatureDefinition("item_like_rate", "item.like_rate"),
            FeatureDefinition("item_finish_rate", "item.finish_rate"),
            FeatureDefinition("item_watch", "item.watch_per_click"),
            FeatureDefinition("item_click_rate_by_age", "item.click_rate", split: "age", optional: true),
            FeatureDefinition("item_click_rate_by_gender", "item.click_rate", split: "gender", optional: true),
            FeatureDefinition("author_click_rate", "author.click_rate"),
            FeatureDefinition("author_click_rate_7d", "author.click_rate", window: .week),
            FeatureDefinition("author_like_rate", "author.like_rate"),
            FeatureDefinition("author_items", "author.items"), FeatureDefinition("author_follows", "author.follows"),
            FeatureDefinition("category_click_rate", "category.click_rate"),
            FeatureDefinition("category_click_rate_1d", "category.click_rate", window: .day),
            FeatureDefinition("surface_click_rate", "surface.click_rate"),
            FeatureDefinition("item_cart_rate", "item.cart_rate", optional: true),
            FeatureDefinition("item_purchase_rate", "item.purchase_rate", optional: true),
            FeatureDefinition("item_purchases_7d", "item.purchases", window: .week, optional: true),
            FeatureDefinition("author_purchase_rate", "author.purchase_rate", optional: true),
            FeatureDefinition("category_purchase_rate", "category.purchase_rate", optional: true),
        ]

    private static let userStatistics =
        windows.flatMap { window in
            [
                FeatureDefinition("user_clicks_\(window.rawValue)", "user.clicks", window: window),
                FeatureDefinition(
                    "user_category_clicks_\(window.rawValue)", "user.clicks", window: window, split: "category"),
            ]
        } + [
            FeatureDefinition("user_impressions", "user.impressions"),
            FeatureDefinition("user_click_rate", "user.click_rate"),
            FeatureDefinition("user_likes_30d", "user.likes", window: .month),
            FeatureDefinition("user_watch_1d", "user.watch_seconds", window: .day),
            FeatureDefinition("user_author_clicks", "user.clicks", split: "author"),
            FeatureDefinition("user_category_likes", "user.likes", split: "category"),
            FeatureDefinition("user_carts_7d", "user.carts", window: .week, optional: true),
            FeatureDefinition("user_purchases_30d", "user.purchases", window: .month, optional: true),
            FeatureDefinition("user_category_carts", "user.carts", split: "category", optional: true),
            FeatureDefinition("user_category_purchases", "user.purchases", split: "category", optional: true),
        ]

    private static let scene = [
        FeatureDefinition("surface", "scene.surface"), FeatureDefinition("hour", "scene.hour"),
        FeatureDefinition("weekday", "scene.weekday"), FeatureDefinition("context.*", "scene.context.*"),
        FeatureDefinition("holiday", "scene.holiday", optional: true),
    ]

    private static let crosses = FeatureSource.crosses.map {
        FeatureDefinition($0.rawValue, "cross.\($0.rawValue)", transform: .identity)
    }
}
