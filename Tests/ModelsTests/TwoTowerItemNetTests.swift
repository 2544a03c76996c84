import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Testing

/// The vector of an item that the snapshot does not have: the training graph's for an item whose id it does not know.
@Suite struct TwoTowerItemNetTests {
    @Test func liveItemsGetTheTowersVectors() throws {
        let dataset = SmallWorld.dataset()
        let columns = ItemFeatureColumns(dataset.items)
        let sizes = TableSizes(users: dataset.users, items: dataset.items, columns: columns, surfaceCount: 2)
        let features = FeatureDescription(
            priors: RatePriors(
                exposures: dataset.exposures, rows: 0..<dataset.exposures.count, userCount: dataset.users.count,
                columns: columns), profileSizes: sizes.profile, surfaceCount: 2)
        var specification = TwoTowerSpecification()
        specification.dimension = 12
        let parameters = ParameterSet(seed: 4)
        let model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        var generator = SeededGenerator(seed: 8)
        for parameter in parameters.all {
            // The unknown value's rows stay zero, as in training.
            let padded = ["item", "category", "author", "user"].contains(parameter.name)
            let width = padded ? parameter.array.count / parameter.rows : 0
            let fresh = parameter.array.enumerated().map { $0 < width ? 0 : $1 + 0.3 * Float(generator.normal()) }
            parameter.assign(fresh)
        }
        let path = FileManager.default.temporaryDirectory.appending(path: "two-tower-\(UUID()).safetensors").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try ModelComponents.twoTower(
            ModelDescription(specification: specification, features: features, sizes: sizes), parameters: parameters,
            users: dataset.users
        ).write(to: path)
        let net = try TwoTowerItemNet(SafetensorsFile(path: path), items: dataset.items)

        var inputs = ItemInputs()
        for row in 0..<5 { inputs.append(row: UInt32(row), age: 0, columns: columns, isAnonymous: true) }
        let expected = model.items(inputs, in: Tape(seed: 1)).array
        for row in 0..<5 {
            let twin = LiveItem(
                publicID: "new \(row)", category: dataset.items.categoryNames[Int(dataset.items.categories[row])],
                author: dataset.items.authors[row], publishMilliseconds: dataset.items.publishTimes[row],
                durationSeconds: dataset.items.durations[row])
            let vector = net.vector(of: twin)
            let error = zip(vector, expected[row * 12..<(row + 1) * 12]).map { abs($0 - $1) }.max() ?? 1
            #expect(vector.count == 12 && error < 1e-5, "item \(row) is off by \(error)")
        }
        // Categories and authors that the catalogue does not have are the unknown ones.
        let stranger = LiveItem(publicID: "x", category: "zebra", author: 99, publishMilliseconds: 1)
        let nameless = LiveItem(publicID: "y", publishMilliseconds: 1)
        #expect(net.vector(of: stranger) == net.vector(of: nameless))
    }
}
