public import Catalog
import Kernels
import Networks

/// An item to be ranked.
public struct RankingCandidate: Hashable, Sendable {
    /// Catalogue row; nil for an item that the catalogue does not have.
    public var row: Int?
    public var features: ItemFeatures
    /// Shown to the model as an item it has never seen: without id and counts of its own.
    public var isAnonymous = false

    public init(row: Int, columns: ItemFeatureColumns) {
        self.row = row
        features = columns.features(of: row)
    }

    public init(_ features: ItemFeatures) {
        row = nil
        self.features = features
    }
}

/// The workspace in which one user's inputs are made: begin with the user and the scene, then encode candidates. One thread
/// at a time; its memory is used again by later requests.
public struct RankingRequest {
    private let encoder: RankingEncoder
    private var cross = CrossEncoder()
    private var recent = RecentStatistics()
    private var byCategory = RecentStatistics()
    private var byAuthor = RecentStatistics()
    private var state: UserState?
    private var scene = Scene(timeMilliseconds: 0)
    /// Values of the operation that runs, one for each candidate.
    var raw: [Float] = []
    var ids: [UInt32] = []
    /// The user's own: `[categories]` and `[numbers]`.
    private(set) var userCategories: [UInt32]
    private(set) var userNumbers: [Float]
    /// `[categories][n]`, `[lists][n]`, `[n, numbers]` of the candidates.
    private(set) var categories: [[UInt32]]
    private(set) var lists: [RaggedRows]
    private(set) var numbers: [Float] = []
    private(set) var histories: [RankerInputs.History] = []
    /// Told of every value, when there is one.
    public var counter: FeatureCounter?

    public init(_ encoder: RankingEncoder) {
        self.encoder = encoder
        userCategories = Array(repeating: 0, count: encoder.categoryCount)
        userNumbers = Array(repeating: 0, count: encoder.numberCount)
        categories = Array(repeating: [], count: encoder.categoryCount)
        lists = Array(repeating: RaggedRows(), count: encoder.listCount)
    }

    /// Takes in the user and the scene.
    ///
    /// - Complexity: O(last-n + features).
    public mutating func begin(_ state: UserState, _ scene: Scene, statistics: borrowing RankingStatistics) {
        self.state = state
        self.scene = scene
        cross.begin(state, scene, encoder: encoder.base, surface: ActivityCounts())
        recent.removeAll()
        byCategory.removeAll()
        byAuthor.removeAll()
        for touch in state.recent {
            let age = max(scene.timeMilliseconds &- touch.timeMilliseconds, 0)
            recent.add(0, touch, age: age)
            guard let row = encoder.itemIndex.row(of: touch.item) else { continue }
            byCategory.add(encoder.columns.categories[row], touch, age: age)
            byAuthor.add(encoder.columns.authors[row], touch, age: age)
        }
        histories = encoder.histories.map { history($0, state) }
        for operation in encoder.userFeatures {
            userValue(operation, state, statistics)
            switch operation.output {
            case .category(let place): userCategories[place] = known(ids[0])
            case .bucket(let place, let fit): userCategories[place] = bucket(raw[0], fit)
            case .number(let place, let fit): userNumbers[place] = fit.standardised(raw[0])
            case .list: break
            }
            count(operation)
        }
    }

    /// The inputs of candidates, with the user's side given once.
    ///
    /// - Complexity: O(candidates * features); nothing is allocated for a candidate once the memory is there.
    public mutating func encode(
        _ candidates: [RankingCandidate], statistics: borrowing RankingStatistics
    ) -> RankerInputs {
        fill(candidates, statistics)
        let fields = encoder.fieldPlaces.map { place -> RankerInputs.Column in
            switch place {
            case .category(let place, let isOfUser):
                .categorical(isOfUser ? [userCategories[place]] : categories[place])
            case .list(let place): .multivalued(lists[place])
            case .numbers: .numbers(numbers)
            }
        }
        return RankerInputs(count: candidates.count, fields: fields, histories: histories)
    }

    /// Makes the candidates' categories, lists and numbers.
    mutating func fill(_ candidates: [RankingCandidate], _ statistics: borrowing RankingStatistics) {
        let width = encoder.numberCount
        numbers.removeAll(keepingCapacity: true)
        for _ in candidates { numbers.append(contentsOf: userNumbers) }
        for operation in encoder.itemFeatures {
            switch operation.output {
            case .list(let place):
                tags(operation, candidates, place)
                continue
            case .category(let place):
                candidateIDs(operation, candidates)
                categories[place].removeAll(keepingCapacity: true)
                for id in ids { categories[place].append(known(id)) }
            case .bucket(let place, let fit):
                candidateNumbers(operation, candidates, statistics)
                categories[place].removeAll(keepingCapacity: true)
                for value in raw { categories[place].append(bucket(value, fit)) }
            case .number(let place, let fit):
                candidateNumbers(operation, candidates, statistics)
                for (index, value) in raw.enumerated() { numbers[index * width + place] = fit.standardised(value) }
            }
            count(operation)
        }
    }

    private func count(_ operation: RankingEncoder.Operation) {
        guard let counter else { return }
        switch operation.output {
        case .category, .list: for id in ids { counter.count(operation.feature, id: id) }
        case .number, .bucket: for value in raw { counter.count(operation.feature, number: value) }
        }
    }

    private func known(_ id: UInt32) -> UInt32 { id == FeatureCounter.outOfVocabulary ? 0 : id }
    private func bucket(_ value: Float, _ fit: NumberFit) -> UInt32 { value.isNaN ? 0 : fit.bucket(value) }

    private func history(_ history: RankingEncoder.History, _ state: UserState) -> RankerInputs.History {
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
                    AgeBuckets.bucket(seconds: Double(scene.timeMilliseconds &- touch.timeMilliseconds) / 1_000))
            }
        }
        return RankerInputs.History(columns: columns, ages: ages, offsets: [0, found])
    }
}

extension RankingRequest {
    /// Puts one value of the user's into ``raw`` or ``ids``.
    private mutating func userValue(
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
        case .scene(.hour): ids.append(UInt32(Clock.hour(scene.timeMilliseconds)) + 1)
        case .scene(.weekday): ids.append(UInt32(Clock.weekday(scene.timeMilliseconds)) + 1)
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

    private mutating func candidateIDs(_ operation: RankingEncoder.Operation, _ candidates: [RankingCandidate]) {
        ids.removeAll(keepingCapacity: true)
        if operation.source == .combination {
            for index in candidates.indices { ids.append(combined(operation) { part(at: $0, of: index) }) }
            return
        }
        let keys = encoder.columns.keys
        for candidate in candidates {
            let item = candidate.features
            switch operation.source {
            case .item(.id):
                let row = candidate.isAnonymous ? nil : candidate.row
                ids.append(
                    identity(operation, key: row.map { keys[$0].rawValue }, row: row.map { UInt32($0 + 1) }))
            case .item(.category): ids.append(identity(operation, key: UInt64(item.category), row: item.category))
            case .item(.author): ids.append(identity(operation, key: UInt64(item.author), row: item.author))
            case .item(.city): ids.append(identity(operation, key: UInt64(item.city), row: item.city))
            case .item(.geohash): ids.append(identity(operation, key: item.cell, row: 0))
            default: preconditionFailure("\(operation.source) is no category of an item")
            }
        }
    }

    /// A category of a candidate that was made before; the user's when it is one of his.
    private func part(at place: Int, of index: Int) -> UInt32 {
        index < categories[place].count ? categories[place][index] : userCategories[place]
    }

    private func combined(_ operation: RankingEncoder.Operation, _ value: (Int) -> UInt32) -> UInt32 {
        var hash: UInt64 = 0
        for part in operation.parts { hash = Self.mixed(hash ^ UInt64(value(part)) &+ 0x9E37_79B9_7F4A_7C15) }
        return 1 + UInt32(hash % operation.buckets)
    }

    /// The row of a category, 0 for what is missing, ``FeatureCounter/outOfVocabulary`` for what is not known.
    ///
    /// - Parameters:
    ///   - key: what is hashed; 0 is missing, nil is not known.
    ///   - row: of the catalogue's numbering; nil is not known.
    private func identity(_ operation: RankingEncoder.Operation, key: UInt64?, row: UInt32?) -> UInt32 {
        if operation.buckets > 0 {
            guard let key else { return FeatureCounter.outOfVocabulary }
            return key == 0 ? 0 : 1 + UInt32(Self.mixed(key) % operation.buckets)
        }
        guard let row, row < operation.rows || operation.vocabulary != nil else {
            return FeatureCounter.outOfVocabulary
        }
        guard let vocabulary = operation.vocabulary, row > 0 else { return row }
        let known = Int(row) < vocabulary.count ? vocabulary[Int(row)] : 0
        return known == 0 ? FeatureCounter.outOfVocabulary : known
    }

    /// The finaliser of MurmurHash3 (Appleby): every bit of the result depends on every bit of the key.
    private static func mixed(_ key: UInt64) -> UInt64 {
        var x = key
        x = (x ^ x >> 33) &* 0xFF51_AFD7_ED55_8CCD
        x = (x ^ x >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return x ^ x >> 33
    }

    private mutating func tags(_ operation: RankingEncoder.Operation, _ candidates: [RankingCandidate], _ place: Int) {
        lists[place].removeAll()
        let tags = encoder.columns.tags
        for candidate in candidates {
            if let row = candidate.row {
                for tag in tags.range(of: row) {
                    lists[place].rows.append(
                        known(identity(operation, key: UInt64(tags.rows[tag]), row: tags.rows[tag])))
                }
            }
            lists[place].offsets.append(lists[place].rows.count)
            counter?.count(operation.feature, id: lists[place].offsets.suffix(2).reduce(0) { $1 - $0 } > 0 ? 1 : 0)
        }
    }
}

extension RankingRequest {
    private mutating func candidateNumbers(
        _ operation: RankingEncoder.Operation, _ candidates: [RankingCandidate],
        _ statistics: borrowing RankingStatistics
    ) {
        raw.removeAll(keepingCapacity: true)
        switch operation.source {
        case .statistic(let owner, let statistic):
            guard let reading = operation.reading else { return }
            let part = statistics.parts[reading.part]
            let value = part.split == nil ? 0 : part.value(in: state?.profile ?? [])
            for candidate in candidates {
                raw.append(
                    part.entity(of: candidate, owner, value: value).map {
                        read(part.table, $0, reading, statistic, operation)
                    } ?? unknown(statistic))
            }
        case .user(.count(let counter)):
            let isByAuthor = operation.split == "author"
            for candidate in candidates {
                let key = isByAuthor ? candidate.features.author : candidate.features.category
                let count =
                    key == 0
                    ? .nan
                    : isByAuthor
                        ? byAuthor.count(key, window: operation.window, counter: counter)
                        : byCategory.count(key, window: operation.window, counter: counter)
                raw.append(scaled(count, operation))
            }
        case .cross(let feature):
            for candidate in candidates {
                raw.append(scaled(cross.value(feature, row: candidate.row, candidate.features), operation))
            }
        case .authorItems:
            for candidate in candidates {
                let author = Int(candidate.features.author)
                raw.append(author == 0 ? .nan : scaled(encoder.authorItems[author], operation))
            }
        case .item(let column): for candidate in candidates { raw.append(itemNumber(column, candidate, operation)) }
        default: preconditionFailure("\(operation.source) is no number of an item")
        }
    }

    private func itemNumber(
        _ column: FeatureSource.ItemColumn, _ candidate: RankingCandidate, _ operation: RankingEncoder.Operation
    ) -> Float {
        let item = candidate.features
        switch column {
        // Kept as a logarithm.
        case .duration where item.logDuration > 0:
            return operation.isLogarithmic ? item.logDuration : exponentialMinusOne(item.logDuration)
        case .age where item.publishTime > 0:
            return scaled(Clock.hours(from: item.publishTime, to: scene.timeMilliseconds) / 24, operation)
        case .quality: return scaled(item.quality, operation)
        default: return .nan
        }
    }

    /// Clicks' worth of belief in the common watch time.
    private static let watchStrength: Float = 5

    private func scaled(_ value: Float, _ operation: RankingEncoder.Operation) -> Float {
        operation.isLogarithmic ? logPlusOne(value) : value
    }

    /// A statistic of something that was never shown.
    private func unknown(_ statistic: Statistic) -> Float {
        if case .count = statistic { 0 } else { .nan }
    }

    private func read(
        _ table: WindowedTable, _ entity: Int, _ reading: RankingEncoder.Reading, _ statistic: Statistic,
        _ operation: RankingEncoder.Operation
    ) -> Float {
        let now = scene.timeMilliseconds
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
}

extension RankingStatistics.Part {
    /// nil for an item that was never shown, and for an unknown author or category.
    fileprivate func entity(of candidate: RankingCandidate, _ owner: StatisticsOwner, value: Int) -> Int? {
        switch owner {
        case .item: candidate.isAnonymous ? nil : candidate.row.map { $0 * values + value }
        case .author: candidate.features.author == 0 ? nil : Int(candidate.features.author)
        case .category: candidate.features.category == 0 ? nil : Int(candidate.features.category)
        case .surface: nil
        }
    }
}
