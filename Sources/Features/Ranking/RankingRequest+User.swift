import Catalog
import Kernels
import Networks

/// What is the same for all candidates.
extension RankingRequest {
    /// Puts one value of the user's into ``raw`` or ``ids``.
    mutating func userValue(
        _ operation: RankingEncoder.Operation, _ state: UserState, _ statistics: borrowing RankingStatistics
    ) {
        raw.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        switch operation.source {
        case .userID:
            let row = encoder.base.userIndex.row(of: state.user)
            ids.append(identity(operation, key: state.user.rawValue, row: row.map { UInt32($0 + 1) }))
        case .profile:
            let value = operation.field < state.profile.count ? state.profile[operation.field] : 0
            ids.append(identity(operation, key: UInt64(value), row: value))
        case .scene(.surface):
            let value = UInt32(scene.surface)
            ids.append(identity(operation, key: UInt64(value), row: value))
        case .scene(.hour):
            let value = UInt32(Clock.hour(localTime)) + 1
            ids.append(identity(operation, key: UInt64(value), row: value))
        case .scene(.weekday):
            let value = UInt32(Clock.weekday(localTime)) + 1
            ids.append(identity(operation, key: UInt64(value), row: value))
        case .scene(.holiday):
            let value: UInt32 = encoder.clock.isHoliday(local: localTime) ? 2 : 1
            ids.append(identity(operation, key: UInt64(value), row: value))
        case .context:
            let value = context(operation.field)
            ids.append(identity(operation, key: value.map(UInt64.init), row: value))
        case .combination: ids.append(combined(operation) { userCategories[$0] })
        case .user(.rate):
            raw.append(
                state.impressions > 0
                    ? (operation.prior?.deviation(
                        ActivityCounts(impressions: state.impressions, clicks: state.clicks, watchSeconds: 0)) ?? 0)
                    : .nan)
        case .user(.count(.impressions)): raw.append(scaled(state.impressions, operation))
        case .user(.count(let counter)):
            raw.append(scaled(recent.count(0, window: operation.window, counter: counter), operation))
        case .statistic(_, let statistic):
            if let reading = operation.reading {
                let part = statistics.parts[reading.part]
                let entity = Int(scene.surface) < part.table.entities ? Int(scene.surface) : 0
                raw.append(read(part.table, entity, reading, statistic, operation))
            }
        default: preconditionFailure("\(operation.source) is not of the user")
        }
    }

    /// The row of a context field's value: 0 when it is not told, nil when the data set does not have it.
    private func context(_ field: Int) -> UInt32? {
        guard field < scene.contexts.count, field < encoder.fitted.contexts.count else { return 0 }
        let value = scene.contexts[field]
        return value < encoder.fitted.contexts[field].count ? value : nil
    }

    private func scaled(_ value: Float, _ operation: RankingEncoder.Operation) -> Float {
        operation.isLogarithmic ? logPlusOne(value) : value
    }

    /// What a surface's counts come to.
    private func read(
        _ table: WindowedTable, _ entity: Int, _ reading: RankingEncoder.Reading, _ statistic: Statistic,
        _ operation: RankingEncoder.Operation
    ) -> Float {
        let now = scene.asOf
        let first = table.count(entity, window: reading.window, counter: reading.first, at: now)
        if case .count = statistic { return scaled(first, operation) }
        let second = table.count(entity, window: reading.window, counter: reading.second, at: now)
        guard second > 0 else { return .nan }
        if case .watchPerClick = statistic {
            let common = encoder.fitted.description.priors.watchSecondsPerClick
            return scaled((first + Self.watchStrength * common) / (second + Self.watchStrength), operation)
        }
        guard let prior = operation.prior else { return .nan }
        return prior.logOdds(successes: first, trials: second) - prior.logOdds
    }

    /// A sequence of touches, newest first.
    func history(_ history: RankingEncoder.History, _ state: UserState) -> RankerInputs.History {
        var columns = [[UInt32]](repeating: [], count: history.columns.count)
        var ages: [UInt32] = []
        var found = 0
        for touch in state.recent.reversed() where found < history.length {
            guard !touch.actions.isDisjoint(with: history.actions), let row = encoder.itemIndex.row(of: touch.item)
            else { continue }
            found += 1
            for (index, column) in history.columns.enumerated() {
                let value =
                    switch column {
                    case .item: UInt32(row + 1)
                    case .category: encoder.columns.categories[row]
                    case .author: encoder.columns.authors[row]
                    }
                columns[index].append(history.vocabularies[index].map { $0[Int(value)] } ?? value)
            }
            if history.ages {
                ages.append(
                    AgeBuckets.bucket(seconds: Double(scene.asOf &- touch.timeMilliseconds) / 1_000))
            }
        }
        return RankerInputs.History(columns: columns, ages: ages, offsets: [0, found])
    }
}
