import Catalog
import Kernels

/// Numbers of candidates, a feature at a time for all of them.
extension RankingRequest {
    /// Clicks' worth of belief in the common watch time.
    static let watchStrength: Float = 5

    /// Puts one feature of every candidate into ``raw``.
    mutating func candidateNumbers(
        _ operation: RankingEncoder.Operation, _ candidates: [RankingCandidate],
        _ statistics: borrowing RankingStatistics
    ) {
        if raw.count != candidates.count { raw = Array(repeating: 0, count: candidates.count) }
        switch operation.source {
        case .statistic(_, let statistic):
            guard let reading = operation.reading else { return fillRaw(.nan) }
            let value = statistics.parts[reading.part].value(in: state?.profile ?? [])
            read(
                statistics.parts[reading.part].table,
                columns.entities(of: statistics.parts[reading.part], value: value), reading, statistic, operation)
        case .user(.count(let counter)):
            let (counts, entries) =
                operation.split == "author"
                ? (byAuthor, columns.authorTouches) : (byCategory, columns.categoryTouches)
            raw.withUnsafeMutableBufferPointer {
                counts.counts(entries, window: operation.window, counter: counter, into: $0)
            }
            scale(operation)
        case .cross(let feature):
            raw.withUnsafeMutableBufferPointer { cross.values(feature, of: columns.crosses, into: $0) }
            scale(operation)
        case .authorItems:
            for (index, author) in columns.authors.enumerated() {
                raw[index] = author < 0 ? .nan : encoder.authorItems[Int(author)]
            }
            scale(operation)
        case .item(.duration) where operation.isLogarithmic:
            // Kept as a logarithm.
            for index in candidates.indices {
                let duration = candidates[index].features.logDuration
                raw[index] = duration > 0 ? duration : .nan
            }
        case .item(let column):
            for index in candidates.indices { raw[index] = itemNumber(column, candidates[index].features) }
            scale(operation)
        default: preconditionFailure("\(operation.source) is no number of an item")
        }
    }

    private mutating func scale(_ operation: RankingEncoder.Operation) {
        guard operation.isLogarithmic else { return }
        raw.withUnsafeMutableBufferPointer { raw in
            guard let base = raw.baseAddress else { return }
            kernels.logPlusOne(base, base, count: raw.count)
        }
    }

    private mutating func fillRaw(_ value: Float) {
        for index in raw.indices { raw[index] = value }
    }

    /// Before any logarithm.
    private func itemNumber(_ column: FeatureSource.ItemColumn, _ item: ItemFeatures) -> Float {
        switch column {
        case .duration where item.logDuration > 0: return exponentialMinusOne(item.logDuration)
        case .age where item.publishTime > 0:
            return Clock.hours(from: item.publishTime, to: scene.asOf) / 24
        case .quality: return item.quality
        case .price: return item.price
        default: return .nan
        }
    }

    private mutating func read(
        _ table: borrowing WindowedTable, _ entities: [Int32], _ reading: RankingEncoder.Reading,
        _ statistic: Statistic, _ operation: RankingEncoder.Operation
    ) {
        let now = scene.asOf
        raw.withUnsafeMutableBufferPointer {
            table.counts(entities, window: reading.window, counter: reading.first, at: now, into: $0)
        }
        if case .count = statistic { return scale(operation) }
        if trials.count != raw.count { trials = Array(repeating: 0, count: raw.count) }
        trials.withUnsafeMutableBufferPointer {
            table.counts(entities, window: reading.window, counter: reading.second, at: now, into: $0)
        }
        if case .watchPerClick = statistic {
            let common = Self.watchStrength * encoder.fitted.description.priors.watchSecondsPerClick
            for index in raw.indices {
                raw[index] =
                    trials[index] > 0 ? (raw[index] + common) / (trials[index] + Self.watchStrength) : .nan
            }
            scale(operation)
        } else if let prior = operation.prior {
            let (a, b, base) = (Float(prior.a), Float(prior.b), prior.logOdds)
            raw.withUnsafeMutableBufferPointer { raw in
                guard let address = raw.baseAddress else { return }
                kernels.logOdds(
                    successes: address, trials: trials, a: a, b: b, base: base, address, count: raw.count)
            }
        } else {
            fillRaw(.nan)
        }
    }

    /// Gives every candidate the user's numbers.
    mutating func startNumbers(_ count: Int) {
        let width = encoder.numberCount
        if numbers.count != count * width { numbers = Array(repeating: 0, count: count * width) }
        numbers.withUnsafeMutableBufferPointer { numbers in
            userNumbers.withUnsafeBufferPointer { own in
                guard let target = numbers.baseAddress, let own = own.baseAddress else { return }
                for row in 0..<count { (target + row * width).update(from: own, count: width) }
            }
        }
    }

    /// Writes ``raw``, standardised, as one number of every candidate.
    mutating func writeNumbers(_ place: Int, _ fit: NumberFit) {
        let width = encoder.numberCount
        numbers.withUnsafeMutableBufferPointer { numbers in
            guard let base = numbers.baseAddress else { return }
            if fit.isRaw {
                for index in raw.indices { base[index * width + place] = raw[index] }
            } else {
                kernels.standardise(
                    raw, mean: fit.mean, deviation: fit.deviation, limit: NumberFit.limit, base + place,
                    stride: width, count: raw.count)
            }
        }
    }
}
