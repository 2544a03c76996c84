import Catalog
import Recall

/// The `new-item` channel.
final class NewItemTrainer: RecallTrainer {
    let name = "new-item"
    let channels = [ChannelName.newItem]

    func train(on log: RecallLog) -> RecallComponents {
        let list = RankedList.underExposed(log.dataset, until: log.until)
        var components = RecallComponents()
        components.sharded["new-item"] = { .init(tensors: list.component(shard: $0, of: $1)) }
        components.figures = ["items": Double(list.items.count)]
        return components
    }
}

/// The channels of where a user is: `place` and `city`.
final class PlaceTrainer: RecallTrainer {
    let name = "place, city"
    let channels = [ChannelName.place, ChannelName.city]

    func train(on log: RecallLog) -> RecallComponents {
        let cells = NewestLists.byCell(log.dataset, until: log.until)
        let cities = NewestLists.byCity(log.dataset, until: log.until)
        var components = RecallComponents()
        components.sharded["place"] = { .init(tensors: cells.component(shard: $0, of: $1)) }
        components.sharded["city"] = { .init(tensors: cities.component(shard: $0, of: $1)) }
        components.shared[CityEncoder.component] = CityEncoder.component(of: log.dataset.users)
        return components
    }
}

/// The channels of who made an item: `followed-author`, `author` and `similar-author`.
final class AuthorTrainer: RecallTrainer {
    let name = "authors"
    let channels = [ChannelName.followedAuthor, ChannelName.author, ChannelName.similarAuthor]

    func train(on log: RecallLog) -> RecallComponents {
        let lists = NewestLists.byAuthor(log.dataset, until: log.until)
        let graph = AuthorGraph(log.dataset, until: log.until)
        var components = RecallComponents()
        components.sharded["authors"] = { .init(tensors: lists.component(shard: $0, of: $1)) }
        components.shared["follows"] = graph.followsComponent()
        components.shared["similar-authors"] = graph.similarAuthorsComponent()
        return components
    }
}
