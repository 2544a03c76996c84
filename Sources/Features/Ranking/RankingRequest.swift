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
        self.init(row: row, columns.features(of: row))
    }

    /// - Parameter row: nil for an item that the catalogue does not have.
    public init(row: Int? = nil, _ features: ItemFeatures) {
        self.row = row
        self.features = features
    }
}

/// The workspace in which one user's inputs are made: begin with the user and the scene, then encode candidates. One thread
/// at a time; its memory is used again by later requests.
public struct RankingRequest {
    let encoder: RankingEncoder
    var cross = CrossEncoder()
    var recent = RecentStatistics()
    var byCategory = RecentStatistics()
    var byAuthor = RecentStatistics()
    private(set) var state: UserState?
    private(set) var scene = Scene(timeMilliseconds: 0)
    /// The scene's time on the clock of the features.
    private(set) var localTime: Int64 = 0
    var columns = CandidateColumns()
    /// Values of the operation that runs, one for each candidate.
    var raw: [Float] = []
    var ids: [UInt32] = []
    /// Of a rate that is made.
    var trials: [Float] = []
    /// The user's own: `[categories]` and `[numbers]`.
    private(set) var userCategories: [UInt32]
    private(set) var userNumbers: [Float]
    /// `[categories][n]`, `[lists][n]`, `[n, numbers]` of the candidates.
    private(set) var categories: [[UInt32]]
    var lists: [RaggedRows]
    var numbers: [Float] = []
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
        localTime = encoder.clock.local(scene.timeMilliseconds)
        cross.begin(state, scene, encoder: encoder.base, surface: ActivityCounts())
        recent.removeAll()
        byCategory.removeAll()
        byAuthor.removeAll()
        for touch in state.recent {
            let age = max(scene.asOf &- touch.timeMilliseconds, 0)
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
        columns.fill(candidates, cross: cross, byAuthor: byAuthor, byCategory: byCategory)
        startNumbers(candidates.count)
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
                writeNumbers(place, fit)
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

    func known(_ id: UInt32) -> UInt32 { id == FeatureCounter.outOfVocabulary ? 0 : id }
    private func bucket(_ value: Float, _ fit: NumberFit) -> UInt32 { value.isNaN ? 0 : fit.bucket(value) }
}
