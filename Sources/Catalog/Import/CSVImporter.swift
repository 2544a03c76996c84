/// Imports a directory of CSV files with documented columns, in any order (docs/data.md):
///
/// - `events.csv`: `user_id`, `item_id`, `time`, `event`, and optionally `value` (seconds watched), `surface`,
///   `latitude` and `longitude`, and columns `context.NAME`.
/// - `items.csv`, optional: `item_id`, and optionally `title`, `category`, `author`, `publish_time`, `duration`,
///   `latitude` and `longitude`, `city`, `quality`, `price`, `tags` (separated by `|`).
/// - `users.csv`, optional: `user_id`, and any further columns as categories.
/// - `follows.csv`, optional: `user_id`, `author`, and optionally `time`.
/// - `rejected.csv`, optional: `user_id`, `item_id`, `time`.
struct CSVImporter: LogImporter {
    static let format = "csv"

    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError) {
        if fileExists("\(directory)/users.csv") {
            report.files.append(try users("\(directory)/users.csv", &builder, progress))
        }
        if fileExists("\(directory)/items.csv") {
            report.files.append(try items("\(directory)/items.csv", &builder, progress))
        }
        report.files.append(try events("\(directory)/events.csv", &builder, progress))
        if fileExists("\(directory)/follows.csv") {
            report.files.append(try follows("\(directory)/follows.csv", &builder, progress))
        }
        if fileExists("\(directory)/rejected.csv") {
            report.files.append(try rejected("\(directory)/rejected.csv", &builder, progress))
        }
    }

    private func users(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let id = try table.required("user_id")
        let fields = table.columns.filter { $0 != "user_id" }
        try readUsers(&table, id: id, fields: fields, into: &builder)
        return table.report
    }

    private func items(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let id = try table.required("item_id")
        table.noteUnused([
            "item_id", "title", "category", "author", "publish_time", "duration", "latitude", "longitude", "city",
            "quality", "price", "tags",
        ])
        let title = table.column("title")
        let category = table.column("category")
        let author = table.column("author")
        let publishTime = table.column("publish_time")
        let duration = table.column("duration")
        let places = PlaceColumns(table)
        let city = table.column("city")
        let quality = table.column("quality")
        let price = table.column("price")
        let tags = table.column("tags")
        rows: while try table.next() {
            var details = ItemDetails(
                title: table.string(title), category: table.string(category), author: table.string(author),
                city: table.string(city), tags: table.string(tags).split(separator: "|").map(String.init))
            if let publishTime, !table.bytes(publishTime).isEmpty {
                guard let time = FieldValue.time(table.bytes(publishTime)) else {
                    table.reject(.time, publishTime)
                    continue
                }
                details.publishMilliseconds = time
            }
            if let duration, !table.bytes(duration).isEmpty {
                guard let seconds = FieldValue.seconds(table.bytes(duration)) else {
                    table.reject(.value, duration)
                    continue
                }
                details.durationSeconds = seconds
            }
            if let quality, !table.bytes(quality).isEmpty {
                guard let score = FieldValue.number(table.bytes(quality)), (0...1).contains(score) else {
                    table.reject(.value, quality)
                    continue
                }
                details.quality = Float(score)
            }
            if let price, !table.bytes(price).isEmpty {
                guard let amount = FieldValue.number(table.bytes(price)), (0...ItemTable.priceMax).contains(amount)
                else {
                    table.reject(.value, price)
                    continue
                }
                details.price = Float(amount)
            }
            switch places.place(of: &table) {
            case .unknown: break
            case .known(let place): details.place = place
            case .unusable(let column):
                table.reject(.place, column)
                continue rows
            }
            try keepItem(&table, id: id, details, into: &builder)
        }
        return table.report
    }

    private func follows(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let user = try table.required("user_id")
        let author = try table.required("author")
        let time = table.column("time")
        table.noteUnused(["user_id", "author", "time"])
        while try table.next() {
            var milliseconds: Int64 = 0
            if let time, !table.bytes(time).isEmpty {
                guard let known = FieldValue.time(table.bytes(time)) else {
                    table.reject(.time, time)
                    continue
                }
                milliseconds = known
            }
            guard let userRow = try builder.userRow(table.bytes(user)) else {
                table.reject(.userID, user)
                continue
            }
            guard (1...InternedStrings.lengthMax).contains(table.bytes(author).count) else {
                table.reject(.author, author)
                continue
            }
            builder.addFollow(user: userRow, author: table.string(author), timeMilliseconds: milliseconds)
            table.keep()
        }
        return table.report
    }

    private func rejected(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let user = try table.required("user_id")
        let item = try table.required("item_id")
        let time = try table.required("time")
        table.noteUnused(["user_id", "item_id", "time"])
        while try table.next() {
            guard let milliseconds = FieldValue.time(table.bytes(time)) else {
                table.reject(.time, time)
                continue
            }
            guard
                let (userRow, itemRow) = try userAndItem(&table, user: user, item: item, in: &builder)
            else { continue }
            builder.addRejected(user: userRow, item: itemRow, timeMilliseconds: milliseconds)
            table.keep()
        }
        return table.report
    }

    private func events(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let user = try table.required("user_id")
        let item = try table.required("item_id")
        let time = try table.required("time")
        let event = try table.required("event")
        let value = table.column("value")
        let surface = table.column("surface")
        let contexts = try ContextColumns(table, in: &builder)
        table.noteUnused(["user_id", "item_id", "time", "event", "value", "surface"] + contexts.names)
        var contextRows: [UInt32] = []
        let lookup = EventLookup()
        while try table.next() {
            guard let milliseconds = FieldValue.time(table.bytes(time)) else {
                table.reject(.time, time)
                continue
            }
            guard let actions = lookup.actions(table.bytes(event)) else {
                table.reject(.event, event)
                continue
            }
            var seconds: Float = 0
            if let value, !table.bytes(value).isEmpty {
                guard let watched = FieldValue.seconds(table.bytes(value)) else {
                    table.reject(.value, value)
                    continue
                }
                seconds = watched
            }
            guard let surfaceRow = try builder.surfaceRow(surface.map { table.bytes($0) }) else {
                table.reject(.surface, surface ?? event)
                continue
            }
            guard try contexts.read(&table, into: &contextRows, of: &builder) else { continue }
            guard
                let (userRow, itemRow) = try userAndItem(&table, user: user, item: item, in: &builder)
            else { continue }
            builder.append(
                LoggedEvent(
                    user: userRow, item: itemRow, time: milliseconds, actions: actions, watchSeconds: seconds,
                    surface: surfaceRow), contexts: contextRows)
            table.keep()
        }
        return table.report
    }
}
