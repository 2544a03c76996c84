/// How well probabilities agree with what happened, for all rows and for segments of them.
public struct CalibrationReport: Codable, Sendable, Hashable {
    /// A head in a segment.
    public struct Line: Codable, Sendable, Hashable {
        public var head: String
        /// nil for all rows.
        public var segment: String?
        public var rows: Int
        public var positives: Int
        /// nil without rows.
        public var expectedCalibrationError: Double?
        /// Sum of probabilities over number of positives; nil without positives.
        public var ratio: Double?
    }

    public private(set) var lines: [Line] = []

    public init() {}

    /// Adds a head: all rows, then each segment in order of its name.
    ///
    /// - Parameters:
    ///   - probabilities, labels: `[n]`.
    ///   - segments: `[n]`, the segment of each row; nil for no segments.
    public mutating func add(
        head: String, probabilities: [Float], labels: [Bool], segments: [String]? = nil
    ) {
        precondition(probabilities.count == labels.count, "one label per probability")
        precondition(segments.map { $0.count == labels.count } ?? true, "one segment per row")
        lines.append(line(head, nil, probabilities, labels))
        guard let segments else { return }
        for (name, rows) in Dictionary(grouping: labels.indices, by: { segments[$0] }).sorted(by: { $0.key < $1.key }) {
            lines.append(line(head, name, rows.map { probabilities[$0] }, rows.map { labels[$0] }))
        }
    }

    private func line(_ head: String, _ segment: String?, _ probabilities: [Float], _ labels: [Bool]) -> Line {
        Line(
            head: head, segment: segment, rows: labels.count, positives: labels.count { $0 },
            expectedCalibrationError: BinaryMetrics.expectedCalibrationError(
                probabilities: probabilities, labels: labels),
            ratio: BinaryMetrics.calibrationRatio(probabilities: probabilities, labels: labels))
    }
}
