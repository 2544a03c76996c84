import Blobs
import Catalog
import Kernels
import Testing

@Suite struct DatasetStorageTests {
    private func sample() throws -> Dataset {
        var builder = DatasetBuilder(name: "sample", userFields: ["city"])
        let surface = try builder.addSurface("home")
        let ann = try builder.addUser("ann", fields: ["Oslo"])
        let bob = try builder.addUser("7")
        let details = ItemDetails(
            title: "Ünïcode, \"quoted\"", category: "news", author: "me", publishMilliseconds: 12, durationSeconds: 3,
            place: Place(latitude: 10, longitude: -20), city: "Oslo", quality: 0.25,
            price: 9.5)
        let item = try builder.addItem("it/1", details: details)
        builder.addFollow(user: ann, author: "me", timeMilliseconds: 3)
        builder.addRejected(user: bob, item: item, timeMilliseconds: 8)
        builder.addRejected(user: ann, item: item, timeMilliseconds: 4)
        builder.addEvent(user: ann, item: item, timeMilliseconds: 5, actions: [.impression, .like], surface: surface)
        builder.addEvent(user: bob, item: item, timeMilliseconds: 9, actions: .impression, watchSeconds: 1.5)
        var dataset = try builder.build().dataset
        dataset.exposures.contexts = [
            CategoricalField(name: "device", vocabulary: StringTable(["", "tv"]), values: [1, 0]),
            CategoricalField(name: "os", vocabulary: StringTable(["", "a", "b"]), values: [2, 1]),
        ]
        return dataset
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/deep/er/data"
        let dataset = try sample()
        try dataset.write(to: path)
        try dataset.write(to: "\(path)/")
        let copy = try Dataset(directory: path)
        #expect(copy.name == "sample")
        #expect(copy.users.keys == dataset.users.keys)
        #expect(copy.users.publicIDs.bytes == dataset.users.publicIDs.bytes)
        #expect(copy.users.fields[0].name == "city")
        #expect(copy.users.fields[0].values == dataset.users.fields[0].values)
        #expect(copy.items.titles[0] == "Ünïcode, \"quoted\"")
        #expect(copy.items.keys == dataset.items.keys)
        #expect(copy.items.authors == dataset.items.authors)
        #expect(Array(copy.items.publishTimes) == [12])
        #expect(Array(copy.items.durations) == [3])
        #expect(Array(copy.items.latitudes) == [10] && Array(copy.items.longitudes) == [-20])
        #expect(copy.items.cities == dataset.items.cities && copy.items.cities[0] != 0)
        #expect(Array(copy.items.qualities) == [0.25] && Array(copy.items.prices) == [9.5])
        #expect(copy.follows.users == dataset.follows.users && copy.follows.authors == dataset.items.authors)
        #expect(Array(copy.follows.times) == [3])
        #expect(copy.rejected.users == dataset.rejected.users && Array(copy.rejected.items) == [0, 0])
        #expect(Array(copy.rejected.times) == [4, 8])
        // Without rejected candidates there is no file of them, and one that was there does not stay.
        var without = dataset
        without.rejected = RejectedTable()
        try without.write(to: path)
        #expect(try !FileSystem.list(path).contains("rejected.safetensors"))
        #expect(try Dataset(directory: path).rejected.count == 0)
        #expect(copy.exposures.users == dataset.exposures.users)
        #expect(copy.exposures.actions == dataset.exposures.actions)
        #expect(Array(copy.exposures.times) == [5, 9])
        #expect(Array(copy.exposures.watchSeconds) == [0, 1.5])
        #expect(Array(copy.exposures.surfaces) == [1, 0])
        #expect(copy.exposures.surfaceNames[1] == "home")
        #expect(copy.exposures.hasNegatives)
        #expect(copy.exposures.contexts.map(\.name) == ["device", "os"])
        #expect(copy.exposures.contexts.map { Array($0.values) } == [[1, 0], [2, 1]])
        #expect(copy.exposures.contexts[1].vocabulary[2] == "b")
        #expect(copy.exposures.scene(of: 0) == Scene(timeMilliseconds: 5, surface: 1, contexts: [1, 2]))
        let newer = copy.exposures.subset([1])
        #expect(newer.contexts.map { Array($0.values) } == [[0], [1]] && newer.contexts[0].vocabulary.count == 2)
    }

    /// A file without contexts, as all were once, has none, and one that is written without them has no tensor of them.
    @Test func tablesWithoutContextsOpen() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/data"
        var dataset = try sample()
        dataset.exposures.contexts = []
        try dataset.write(to: path)
        let names = try SafetensorsFile(path: "\(path)/exposures.safetensors").tensors.map(\.name).sorted()
        #expect(
            names == [
                "actions", "item", "surface", "surface_name.bytes", "surface_name.offsets", "time_ms", "user",
                "watch_seconds",
            ])
        #expect(try Dataset(directory: path).exposures.contexts.isEmpty)
    }

    /// Where no price is known there is no column of them, as in data sets of before there were prices.
    @Test func withoutPricesThereIsNoColumn() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/data"
        var dataset = try sample()
        dataset.items.prices = [.nan]
        try dataset.write(to: path)
        #expect(try !SafetensorsFile(path: "\(path)/items.safetensors").contains("price"))
        #expect(try Dataset(directory: path).items.prices[0].isNaN)
    }

    @Test func otherFilesAreNotReplaced() throws {
        let directory = try TemporaryDirectory()
        try directory.write("thesis.tex", "years of work")
        let dataset = try sample()
        let error = #expect(throws: CatalogError.self) { try dataset.write(to: directory.path) }
        #expect(error?.code == .invalidInput)
        #expect(error?.message.contains("thesis.tex") == true)
        #expect(try directory.names() == ["thesis.tex"])
    }

    /// One tensor of one file made wrong, and what the message must name.
    struct Damage: Sendable, CustomTestStringConvertible {
        var file: String
        var tensor: String
        var change: @Sendable (inout SafetensorsWriter) -> Void
        var testDescription: String { "\(file) \(tensor)" }
    }

    static let damages: [Damage] = [
        Damage(file: "users", tensor: "key") { $0.add("key", [9, 9] as [UInt64]) },
        Damage(file: "users", tensor: "key") { $0.add("key", [1, 2] as [Int64]) },
        Damage(file: "users", tensor: "public_id.offsets") { $0.add("public_id.offsets", [0, 1, 2, 4] as [UInt64]) },
        Damage(file: "users", tensor: "field.0.value") { $0.add("field.0.value", [0, 2] as [UInt32]) },
        Damage(file: "users", tensor: "field.0.vocabulary") {
            $0.add("field.0.vocabulary.offsets", [0, 2, 4] as [UInt64])
        },
        Damage(file: "items", tensor: "category") { $0.add("category", [2] as [UInt32]) },
        Damage(file: "items", tensor: "title.offsets") { $0.add("title.offsets", [1, 19] as [UInt64]) },
        Damage(file: "items", tensor: "duration_seconds") { $0.add("duration_seconds", [Float.nan]) },
        Damage(file: "items", tensor: "author") { $0.add("author", [1, 2] as [UInt64]) },
        Damage(file: "items", tensor: "latitude") { $0.add("latitude", [91] as [Float]) },
        Damage(file: "items", tensor: "quality") { $0.add("quality", [-0.1] as [Float]) },
        Damage(file: "items", tensor: "price") { $0.add("price", [-1] as [Float]) },
        Damage(file: "items", tensor: "price") { $0.add("price", [1, 2] as [Float]) },
        Damage(file: "items", tensor: "format") { $0.metadata["format"] = "tributary-dataset-1" },
        Damage(file: "follows", tensor: "user") { $0.add("user", [7] as [UInt32]) },
        Damage(file: "follows", tensor: "author") { $0.add("author", [1, 2] as [UInt64]) },
        Damage(file: "rejected", tensor: "user") { $0.add("user", [0, 2] as [UInt32]) },
        Damage(file: "rejected", tensor: "item") { $0.add("item", [0, 1] as [UInt32]) },
        Damage(file: "rejected", tensor: "time_ms") { $0.add("time_ms", [9, 5] as [Int64]) },
        Damage(file: "exposures", tensor: "user") { $0.add("user", [0, 2] as [UInt32]) },
        Damage(file: "exposures", tensor: "item") { $0.add("item", [0, UInt32.max]) },
        Damage(file: "exposures", tensor: "time_ms") { $0.add("time_ms", [9, 5] as [Int64]) },
        Damage(file: "exposures", tensor: "watch_seconds") { $0.add("watch_seconds", [0, -1] as [Float]) },
        Damage(file: "exposures", tensor: "watch_seconds") { $0.add("watch_seconds", [0, Float.infinity]) },
        Damage(file: "exposures", tensor: "surface") { $0.add("surface", [0, 2] as [UInt16]) },
        Damage(file: "exposures", tensor: "context.0.value") { $0.add("context.0.value", [0, 2] as [UInt32]) },
        Damage(file: "exposures", tensor: "context.1.value") { $0.add("context.1.value", [0] as [UInt32]) },
        Damage(file: "exposures", tensor: "context.1.vocabulary") {
            $0.add("context.1.vocabulary.offsets", [0, 1, 1, 2] as [UInt64])
        },
        Damage(file: "exposures", tensor: "context_name") {
            $0.add("context_name.bytes", [UInt8]())
            $0.add("context_name.offsets", [UInt64](repeating: 0, count: 66))
        },
        Damage(file: "exposures", tensor: "actions") { $0.add("actions", [1, 1, 1] as [UInt16]) },
        Damage(file: "exposures", tensor: "has_negatives") { $0.metadata["has_negatives"] = "maybe" },
    ]

    @Test(arguments: damages)
    func damageIsNamed(damage: Damage) throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/data"
        try sample().write(to: path)
        let file = "\(path)/\(damage.file).safetensors"
        try rewrite(file, damage.change)
        let error = #expect(throws: CatalogError.self) { _ = try Dataset(directory: path) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains(file) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\"\(damage.tensor)") == true, "\(error?.message ?? "")")
    }

    /// Copies a file, the tensors that `change` adds in place of the old ones.
    private func rewrite(_ path: String, _ change: (inout SafetensorsWriter) -> Void) throws {
        let old = try SafetensorsFile(path: path)
        var writer = SafetensorsWriter(metadata: old.metadata)
        change(&writer)
        let temporary = "\(path).changed"
        try writer.write(to: temporary)
        let changed = Set(try SafetensorsFile(path: temporary).tensors.map(\.name))
        for tensor in old.tensors where !changed.contains(tensor.name) {
            let bytes = try old.bytes(tensor.name)
            writer.add(tensor.name, bytes: SharedBuffer(Array(bytes)), dataType: tensor.dataType, shape: tensor.shape)
        }
        try writer.write(to: path)
        try FileSystem.remove(temporary)
    }

    @Test(arguments: ["users", "items", "exposures", "follows"])
    func missingTruncatedAndForeignFilesAreRefused(name: String) throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/data"
        let file = "\(path)/\(name).safetensors"
        try sample().write(to: path)
        let bytes = try FileSystem.read(file, limit: 1 << 20)
        for broken in [[], Array(bytes.prefix(7)), Array(bytes.dropLast()), Array("user_id,item_id\n".utf8)] {
            try FileSystem.replace(file, with: broken)
            let error = #expect(throws: CatalogError.self) { _ = try Dataset(directory: path) }
            #expect(error?.message.contains(file) == true, "\(error?.message ?? "")")
        }
        try FileSystem.remove(file)
        let error = #expect(throws: CatalogError.self) { _ = try Dataset(directory: path) }
        #expect(error?.code == .inputOutput)
        #expect(error?.message.contains(file) == true)
    }
}
