import Catalog
import Features
import Foundation
import Kernels
import Models

/// Makes batches of clicks and of what they stand against, as the specification says.
///
/// Negatives come from the clicks of others, from the catalogue, and from what ranking rejected; no row of the log that is
/// a showing without a click is looked at.
struct TwoTowerBatches {
    private let specification: TwoTowerTrainingSpecification
    private let columns: ItemFeatureColumns
    private let log: ExposureTable
    private let size: Int
    let rejected: RejectedCandidates
    private let positives: PositiveSampling
    /// `[N]`, clicks of the rows that are trained on.
    private let clicks: [Int]
    private let total: Int
    private let popularity: PopularityDraw?
    private let logShares: [Float]
    private var stream: StreamingFrequency?
    private var generator: SeededGenerator

    /// - Parameters:
    ///   - counted: Rows that tell how often items are clicked and what the users have met.
    ///   - size: Clicks of a batch.
    ///   - resumedGaps: `[N]`, batches between two clicks on each item, known from longer training; else they are counted.
    init(
        _ specification: TwoTowerTrainingSpecification, dataset: Dataset, counted: Range<Int>,
        columns: ItemFeatureColumns, size: Int, seed: UInt64, resumedGaps: [Float]? = nil
    ) {
        self.specification = specification
        self.columns = columns
        self.size = size
        log = dataset.exposures
        positives = PositiveSampling(specification.positives)
        let hasHard = specification.negatives.hardShare > 0 && dataset.rejected.count > 0
        rejected = RejectedCandidates(dataset, rows: hasHard ? counted : 0..<0)
        var clicks = [Int](repeating: 0, count: columns.count)
        for row in counted where Actions(rawValue: log.actions[row]).contains(.click) {
            clicks[Int(log.items[row])] += 1
        }
        self.clicks = clicks
        total = clicks.reduce(0, +)
        // An item that is clicked later only counts as clicked once.
        logShares =
            resumedGaps.map { $0.map { -Foundation.log($0 * Float(size)) } } ?? Self.logShares(clicks.map { $0 + 1 })
        popularity =
            specification.negatives.easy == .global
            ? PopularityDraw(clicks: clicks.map { $0 + 1 }, power: specification.negatives.popularityPower) : nil
        generator = SeededGenerator(seed: seed, stream: 0x6e65_6773)
        stream = nil
        if specification.loss == .listwise, specification.correction == .stream {
            // Counting tells where each item's gap begins; the stream follows it from there.
            let gaps = logShares.map { max(1, Foundation.exp(-$0) / Float(size)) }
            stream = StreamingFrequency(
                buckets: specification.stream.buckets, hashes: specification.stream.hashes,
                rate: specification.stream.rate, gaps: gaps)
        }
    }

    /// `[N]`, batches between two clicks on each item, as far as it is known by now.
    var gaps: [Float] {
        if let stream { return columns.keys.indices.map { stream.gap(UInt32($0)) } }
        return logShares.map { max(1, Foundation.exp(-$0) / Float(size)) }
    }

    /// Which of a stretch's clicks are learned from this time, and in what order.
    mutating func order(_ table: ExampleTable, shuffled: (Int) -> [Int]) -> [Int] {
        guard !positives.isPlain else { return shuffled(table.count) }
        var rows: [Int] = []
        for row in 0..<table.count {
            let copies = positives.copies(clicks: clicks[Int(table.items[row])], of: total)
            rows.append(contentsOf: repeatElement(row, count: positives.draw(copies, using: &generator)))
        }
        return shuffled(rows.count).map { rows[$0] }
    }

    mutating func batch(_ table: ExampleTable, _ rows: ArraySlice<Int>) -> TwoTowerBatch {
        var users = UserInputs()
        var items = ItemInputs()
        for row in rows {
            users.append(table.users, row)
            items.append(row: table.items[row], age: table.itemAges[row], columns: columns)
        }
        return specification.loss == .listwise
            ? listwise(table, rows, users, &items) : pairs(table, rows, users, &items)
    }

    // MARK: Listwise

    private mutating func listwise(
        _ table: ExampleTable, _ rows: ArraySlice<Int>, _ users: UserInputs, _ items: inout ItemInputs
    ) -> TwoTowerBatch {
        let clicked = rows.map { table.items[$0] }
        stream?.add(clicked)
        var times: [UInt32: Int] = [:]
        for item in clicked { times[item, default: 0] += 1 }
        var logs = clicked.map { logProbability($0, count: rows.count, times: times[$0] ?? 1) }
        var shared = 0
        if let popularity {
            shared = specification.negatives.globalPerBatch
            let time = log.times[Int(table.rows[rows[rows.startIndex]])]
            for _ in 0..<shared {
                let item = popularity.draw(using: &generator)
                append(item, at: time, to: &items)
                logs.append(specification.correction == .none ? 0 : popularity.logShares[Int(item)])
            }
        }
        let own = hard(table, rows, specification.negatives.hardPerPositive, &items, &logs)
        let others = popularity == nil ? rows.count - 1 : shared
        return TwoTowerBatch(
            users: users, items: items, shared: shared, isInBatch: popularity == nil, logProbabilities: logs,
            own: own, ownCount: own.count / max(rows.count, 1), ownLogWeights: weights(own, rows.count, others))
    }

    /// log of how likely an item is at one place of a batch.
    ///
    /// - Parameter times: how often the item is in the batch. The stream's estimate is of its being there at all: its
    ///   places share it.
    private func logProbability(_ item: UInt32, count: Int, times: Int) -> Float {
        switch specification.correction {
        case .stream: (stream?.logShare(item, size: count) ?? 0) + Foundation.log(Float(times))
        case .counts: logShares[Int(item)]
        case .none: 0
        }
    }

    /// Hard negatives of each click; an empty list when the log has none.
    ///
    /// - Parameters:
    ///   - items: gets them.
    ///   - logs: get the logs of their probabilities.
    private mutating func hard(
        _ table: ExampleTable, _ rows: ArraySlice<Int>, _ count: Int, _ items: inout ItemInputs, _ logs: inout [Float]
    ) -> [UInt32?] {
        guard rejected.count > 0 else { return [] }
        var own: [UInt32?] = []
        own.reserveCapacity(rows.count * count)
        for row in rows {
            for _ in 0..<count {
                guard let item = hard(table, row) else {
                    own.append(nil)
                    continue
                }
                own.append(UInt32(items.count))
                append(item, at: log.times[Int(table.rows[row])], to: &items)
                logs.append(specification.correction == .none ? 0 : rejected.logShare(item))
            }
        }
        return own
    }

    /// The own negatives together weigh their share: w / (w + others) = hardShare.
    private func weights(_ own: [UInt32?], _ count: Int, _ others: Int) -> [Float] {
        guard count > 0 else { return [] }
        let share = specification.negatives.hardShare
        let all = Float(Double(max(others, 1)) * share / (1 - share))
        let each = own.count / count
        return own.indices.map { place in
            let first = place - place % each
            let found = own[first..<first + each].count { $0 != nil }
            return Foundation.log(all / Float(max(found, 1)))
        }
    }

    // MARK: Pairs

    private mutating func pairs(
        _ table: ExampleTable, _ rows: ArraySlice<Int>, _ users: UserInputs, _ items: inout ItemInputs
    ) -> TwoTowerBatch {
        let each = specification.negatives.perPositive
        let clicked = rows.count
        var own: [UInt32?] = []
        own.reserveCapacity(clicked * each)
        for (place, row) in rows.enumerated() {
            let time = log.times[Int(table.rows[row])]
            let hardCount = Double(each) * specification.negatives.hardShare
            let wanted = rejected.count > 0 ? Int(hardCount + generator.uniformDouble()) : 0
            for number in 0..<each {
                if number < wanted, let item = hard(table, row) {
                    own.append(UInt32(items.count))
                    append(item, at: time, to: &items)
                } else if let popularity {
                    own.append(UInt32(items.count))
                    append(popularity.draw(using: &generator), at: time, to: &items)
                } else {
                    own.append(UInt32((place + Int.random(in: 1..<clicked, using: &generator)) % clicked))
                }
            }
        }
        return TwoTowerBatch(users: users, items: items, own: own, ownCount: each)
    }

    private mutating func hard(_ table: ExampleTable, _ row: Int) -> UInt32? {
        let logged = Int(table.rows[row])
        return rejected.draw(user: Int(log.users[logged]), until: log.times[logged], using: &generator)
    }

    private func append(_ item: UInt32, at milliseconds: Int64, to items: inout ItemInputs) {
        let age = FeatureEncoder.age(published: columns.publishTimes[Int(item)], now: milliseconds)
        items.append(row: item, age: age, columns: columns)
    }

    // MARK: Frequencies

    private static func logShares(_ counts: [Int]) -> [Float] {
        let total = Double(counts.reduce(0, +))
        return counts.map { Float(Foundation.log(Double($0) / total)) }
    }
}
