import Kernels

import func Glibc.pow

/// Item and user vectors with the shape of trained ones, unit length: a long-tailed hierarchy of topics and clusters,
/// each cluster with directions of its own, and users between the items they like.
struct SyntheticVectors {
    let dimension: Int
    /// `[n, d]`.
    let items: [Float]
    /// `[q, d]`.
    let users: [Float]

    init(items count: Int, users userCount: Int, dimension: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var clusters = Clusters(count: max(50, count / 250), dimension: dimension, random: &random)
        var items: [Float] = []
        items.reserveCapacity(count * dimension)
        for _ in 0..<count { items += clusters.item(&random) }
        let popularity = Weights((1...count).map { 1 / pow(Double($0), 0.6) })
        let places = (0..<count).shuffled(using: &random)
        let shift = unit(gaussian(dimension, &random))
        var users: [Float] = []
        for _ in 0..<userCount {
            var mix = [Float](repeating: 0, count: dimension)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let item = places[popularity.draw(&random)] * dimension
                // Dirichlet(1): exponential weights, normalised with the rest.
                let weight = -logarithm(1 - random.uniform())
                for k in 0..<dimension { mix[k] += weight * items[item + k] }
            }
            let noise = gaussian(dimension, &random)
            let scale = 0.55 / Float(dimension).squareRoot()
            users += unit(zip(unit(mix), zip(shift, noise)).map { $0 + 0.25 * $1.0 + scale * $1.1 })
        }
        self.dimension = dimension
        self.items = items
        self.users = users
    }
}

/// Clusters of 60 topics: sizes fall as rank^-0.85, topics as rank^-0.7, spreads are lognormal around 0.62.
private struct Clusters {
    private static let ownDirections = 20
    private let dimension: Int
    private let centres: [[Float]]
    private let directions: [[Float]]
    private let spreads: [Float]
    private let sizes: Weights

    init(count: Int, dimension: Int, random: inout SeededGenerator) {
        let topics = (0..<60).map { _ in unit(gaussian(dimension, &random)) }
        let topicSizes = Weights((1...60).map { 1 / pow(Double($0), 0.7) })
        var centres: [[Float]] = []
        var directions: [[Float]] = []
        var spreads: [Float] = []
        for _ in 0..<count {
            let topic = topics[topicSizes.draw(&random)]
            let own = unit(gaussian(dimension, &random))
            centres.append(unit(zip(topic, own).map { 0.75 * $0 + 0.75 * $1 }))
            directions.append((0..<Self.ownDirections).flatMap { _ in unit(gaussian(dimension, &random)) })
            spreads.append(0.62 * exponential(0.25 * Float(random.normal())))
        }
        self.dimension = dimension
        self.centres = centres
        self.directions = directions
        self.spreads = spreads
        sizes = Weights((1...count).map { 1 / pow(Double($0), 0.85) })
    }

    /// Centre + spread (0.8 along the cluster's directions + 0.6 in all), unit length.
    mutating func item(_ random: inout SeededGenerator) -> [Float] {
        let cluster = sizes.draw(&random)
        var point = centres[cluster]
        let norm = (1...Self.ownDirections).reduce(Float(0)) { $0 + 1 / Float($1) }.squareRoot()
        for direction in 0..<Self.ownDirections {
            let step = Float(random.normal()) / (Float(direction + 1).squareRoot() * norm)
            let along = 0.8 * spreads[cluster] * step
            for k in 0..<dimension { point[k] += along * directions[cluster][direction * dimension + k] }
        }
        let isotropic = 0.6 * spreads[cluster] / Float(dimension).squareRoot()
        for k in 0..<dimension { point[k] += isotropic * Float(random.normal()) }
        return unit(point)
    }
}

/// Draws places in proportion to weights.
struct Weights {
    private var sums: [Double] = []

    init(_ weights: [Double]) {
        var total = 0.0
        for weight in weights {
            total += weight
            sums.append(total)
        }
    }

    func draw(_ random: inout SeededGenerator) -> Int {
        let target = random.uniformDouble() * (sums.last ?? 0)
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < target { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

private func gaussian(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in Float(random.normal()) }
}

private func unit(_ values: [Float]) -> [Float] {
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return norm > 0 ? values.map { $0 / norm } : values
}
