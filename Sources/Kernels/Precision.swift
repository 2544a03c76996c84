/// How the weights of a layer are held for serving.
public enum Precision: String, Codable, Hashable, Sendable, CaseIterable {
    case float32
    /// One byte a weight, inputs quantised row by row as they come; sums are exact. See `QuantizedMatrix`.
    case int8
}
