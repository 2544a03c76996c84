import Networks

/// What a part of a ranking model holds, and does for one candidate.
public struct RankerCost: Codable, Sendable, Hashable {
    public var part: String
    /// Trained scalars and kept statistics.
    public var parameters: Int
    /// Floating-point operations for a candidate, a multiplication and an addition counting two; look-ups, which add nothing,
    /// not at all. Histories count at full length.
    public var operations: Int
}

extension RankerSpecification {
    /// What each part of a model would hold and do, without making one.
    ///
    /// - Parameter rows: Rows of each table, by name.
    public func costs(rows: [String: Int]) throws -> [RankerCost] {
        try RankerModel(self, rows: rows, in: .shapes()).costs
    }
}

/// Counts the parameters that were added since the last part.
struct RankerCosts {
    private(set) var all: [RankerCost] = []
    private let parameters: ParameterSet
    private var counted: Int

    init(_ parameters: ParameterSet) {
        self.parameters = parameters
        counted = parameters.count
    }

    mutating func add(_ part: String, operations: Int) {
        let count = parameters.count
        all.append(RankerCost(part: part, parameters: count - counted, operations: operations))
        counted = count
    }
}

extension RankerCrossing {
    var kindName: String {
        switch self {
        case .linear: "linear"
        case .fm: "fm"
        case .dcn: "dcn"
        case .senet: "senet"
        case .bilinear: "bilinear"
        case .fibinet: "fibinet"
        }
    }
}

extension RankerSharing {
    var kindName: String {
        switch self {
        case .none: "none"
        case .bottom: "bottom"
        case .mmoe: "mmoe"
        case .ple: "ple"
        }
    }
}
