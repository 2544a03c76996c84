/// Numbers as categories, for fields that embed them. Bucket 0 is the unknown value.
public enum Buckets {
    public static let durations = 16
    public static let ages = 16
    public static let qualities = 11
    public static let activities = 16

    /// Half a unit of log(1 + seconds) each: every bucket is 1.6 times as long as the one before.
    ///
    /// - Parameter logSeconds: log(1 + seconds); 0 is unknown.
    static func duration(logSeconds: Float) -> UInt32 {
        logSeconds > 0 ? logarithmic(logSeconds, durations) : 0
    }

    /// - Parameter age: ``FeatureEncoder/age(published:now:)``, a sixth of log(1 + days).
    static func age(_ age: Float) -> UInt32 { logarithmic(6 * age, ages) }

    /// Tenths.
    ///
    /// - Parameter quality: 0...1; NaN is unknown.
    static func quality(_ quality: Float) -> UInt32 {
        quality.isNaN ? 0 : 1 + UInt32(min(max(quality, 0) * 10, Float(qualities - 2)))
    }

    /// - Parameter impressions: 0 is someone new.
    static func activity(impressions: Float) -> UInt32 {
        impressions > 0 ? logarithmic(logPlusOne(impressions), activities) : 0
    }

    private static func logarithmic(_ value: Float, _ count: Int) -> UInt32 {
        1 + UInt32(min(max(value, 0) * 2, Float(count - 2)))
    }
}
