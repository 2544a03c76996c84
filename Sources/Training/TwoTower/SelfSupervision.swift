import Catalog
import Features
import Kernels
import Models

/// Draws items from the catalogue, each as likely as any other, and makes two views of them.
final class SelfSupervision {
    private let transform: ItemTransform
    private let columns: ItemFeatureColumns
    private let count: Int
    private var generator: SeededGenerator

    /// Nil when the specification has no weight for it.
    init?(_ specification: TwoTowerSpecification, dataset: Dataset, columns: ItemFeatureColumns, seed: UInt64) {
        let settings = specification.training.selfSupervised
        guard settings.alpha > 0 else { return nil }
        let attributes = specification.item.attributes
        let information =
            settings.transform == .mutualInformation
            ? MutualInformation(columns, attributes: attributes, now: dataset.exposures.times.last ?? 0) : nil
        transform = ItemTransform(settings.transform, attributes: attributes, information: information)
        self.columns = columns
        count = settings.items
        generator = SeededGenerator(seed: seed, stream: 0x7669_6577)
    }

    /// - Parameter milliseconds: when the items' ages are taken; what is published later is new then.
    func draw(at milliseconds: Int64) -> (first: ItemInputs, second: ItemInputs, items: [UInt32]) {
        var inputs = ItemInputs()
        var items: [UInt32] = []
        for _ in 0..<count {
            let item = UInt32.random(in: 0..<UInt32(columns.count), using: &generator)
            let age = FeatureEncoder.age(published: columns.publishTimes[Int(item)], now: milliseconds)
            inputs.append(row: item, age: age, columns: columns)
            items.append(item)
        }
        let views = transform.views(of: inputs, using: &generator)
        return (views.first, views.second, items)
    }
}
