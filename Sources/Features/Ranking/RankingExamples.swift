public import Catalog
import Kernels
import Networks

/// What became of a showing, for every head of a ranking model.
public struct RankingOutcome: Hashable, Sendable, BitwiseCopyable {
    public var actions: Actions
    public var watchSeconds: Float
    /// Of the item; 0 is unknown.
    public var durationSeconds: Float

    public init(actions: Actions, watchSeconds: Float, durationSeconds: Float) {
        self.actions = actions
        self.watchSeconds = watchSeconds
        self.durationSeconds = durationSeconds
    }

    public var isClick: Bool { actions.contains(.click) }

    /// Share of the item that was watched, 0...1: 1 of what was finished; of an item of unknown length 0 otherwise.
    public var playedFraction: Float {
        if actions.contains(.finish) { return 1 }
        return durationSeconds > 0 ? min(max(watchSeconds, 0) / durationSeconds, 1) : 0
    }
}

/// Training rows of a ranking model, in columns: what ``Replay`` makes of showings.
public struct RankingExamples: Sendable {
    /// `[n]`, rows of the log.
    public private(set) var rows: [UInt32] = []
    /// `[n]`.
    public private(set) var outcomes: [RankingOutcome] = []
    private let fieldPlaces: [RankingEncoder.FieldPlace]
    private let numberCount: Int
    private var categories: [[UInt32]]
    private var lists: [RaggedRows]
    /// `[n, numbers]`.
    private(set) var numbers: [Float] = []
    private var histories: [RankerInputs.History]

    init(_ encoder: RankingEncoder) {
        fieldPlaces = encoder.fieldPlaces
        numberCount = encoder.numberCount
        categories = Array(repeating: [], count: encoder.categoryCount)
        lists = Array(repeating: RaggedRows(), count: encoder.listCount)
        histories = encoder.histories.map {
            RankerInputs.History(columns: Array(repeating: [], count: $0.columns.count), offsets: [0])
        }
    }

    public var count: Int { rows.count }

    /// The inputs of some of the rows, in their order; a row may come twice.
    ///
    /// - Complexity: O(rows * features).
    public func inputs(of rows: some Collection<Int>) -> RankerInputs {
        let fields = fieldPlaces.map { place -> RankerInputs.Column in
            switch place {
            case .category(let place, _): return .categorical(rows.map { categories[place][$0] })
            case .list(let place): return .multivalued(lists[place].gathered(rows))
            case .numbers:
                var values: [Float] = []
                values.reserveCapacity(rows.count * numberCount)
                for row in rows { values.append(contentsOf: numbers[row * numberCount..<(row + 1) * numberCount]) }
                return .numbers(values)
            }
        }
        return RankerInputs(count: rows.count, fields: fields, histories: histories.map { $0.gathered(rows) })
    }

    /// Adds what a request made of its one candidate.
    mutating func append(_ request: borrowing RankingRequest, row: Int, outcome: RankingOutcome) {
        rows.append(UInt32(row))
        outcomes.append(outcome)
        for case .category(let place, let isOfUser) in fieldPlaces {
            categories[place].append(isOfUser ? request.userCategories[place] : request.categories[place][0])
        }
        for place in lists.indices { lists[place].append(request.lists[place].rows) }
        numbers.append(contentsOf: request.numbers)
        for place in histories.indices { histories[place].append(request.histories[place]) }
    }
}

extension RaggedRows {
    fileprivate func gathered(_ chosen: some Collection<Int>) -> RaggedRows {
        var result = RaggedRows()
        for row in chosen { result.append(rows[offsets[row]..<offsets[row + 1]]) }
        return result
    }
}

extension RankerInputs.History {
    fileprivate mutating func append(_ other: Self) {
        for place in columns.indices { columns[place].append(contentsOf: other.columns[place]) }
        ages.append(contentsOf: other.ages)
        offsets.append(offsets[offsets.count - 1] + other.offsets[1])
    }

    fileprivate func gathered(_ lists: some Collection<Int>) -> Self {
        var result = RankerInputs.History(columns: Array(repeating: [], count: columns.count), offsets: [0])
        for list in lists {
            let range = offsets[list]..<offsets[list + 1]
            for place in columns.indices { result.columns[place].append(contentsOf: columns[place][range]) }
            if !ages.isEmpty { result.ages.append(contentsOf: ages[range]) }
            result.offsets.append(result.offsets[result.offsets.count - 1] + range.count)
        }
        return result
    }
}
