/// Ratings as the catalogue's actions: who rated a film has seen it, and from 4 of 5 stars on he liked it.
///
/// Films that were shown and not watched are in no rating log, so the data set has no negatives.
enum Rating {
    static let likedFrom = 4.0

    static func actions(_ rating: Double) -> Actions {
        rating >= likedFrom ? [.click, .like] : [.click]
    }
}

/// MovieLens 100K in its original layout: `u.data`, `u.item` and `u.user` (Harper and Konstan, 2015).
struct MovieLens100KImporter: LogImporter {
    static let format = "movielens-100k"

    private static let genres = [
        "", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
        "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
    ]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError) {
        report.files.append(try users("\(directory)/u.user", &builder, progress))
        report.files.append(try items("\(directory)/u.item", &builder, progress))
        var ratings = try DelimitedTable(
            path: "\(directory)/u.data", format: .tabs, columns: ["user id", "item id", "rating", "timestamp"],
            progress: progress)
        try readRatings(&ratings, user: 0, item: 1, rating: 2, time: 3, into: &builder)
        report.files.append(ratings.report)
    }

    private func users(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(
            path: path, format: .bars, columns: ["user id", "age", "gender", "occupation", "zip code"],
            progress: progress)
        let fields = ["age", "gender", "occupation", "region"].map { builder.users.addField($0) }
        while try table.next() {
            let known = builder.users.ids.count
            guard let user = try builder.userRow(table.bytes(0)) else {
                table.reject(.userID, 0)
                continue
            }
            guard user >= known else {
                table.reject(.duplicate, 0)
                continue
            }
            guard let age = FieldValue.integer(table.bytes(1)) else {
                table.reject(.value, 1)
                continue
            }
            let values = [Self.ageGroup(age), table.string(2), table.string(3), String(table.string(4).prefix(1))]
            for (field, value) in zip(fields, values) {
                _ = try builder.users.set(field: field, of: user, to: value)
            }
            table.keep()
        }
        return table.report
    }

    /// Age by decade, the groups in which tastes differ.
    private static func ageGroup(_ age: Int64) -> String {
        let decade = min(max(age, 0), 80) / 10 * 10
        return "\(decade)-\(decade + 9)"
    }

    /// The item file is Latin-1; its last 19 fields flag genres: its tags, and the first set one its category.
    private func items(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(
            path: path, format: .bars,
            columns: ["movie id", "title", "release date", "video release date", "url"] + Self.genres,
            progress: progress)
        while try table.next() {
            let title = String(String.UnicodeScalarView(table.bytes(1).map { Unicode.Scalar($0) }))
            let genres = Self.genres.indices.filter { table.bytes(5 + $0).elementsEqual([UInt8(ascii: "1")]) }
            let details = ItemDetails(
                title: title, category: Self.genres[genres.first ?? 0],
                publishMilliseconds: Self.releaseTime(table.string(2)) ?? 0, tags: genres.map { Self.genres[$0] })
            try keepItem(&table, id: 0, details, into: &builder)
        }
        return table.report
    }

    /// Milliseconds since 1970 of a date like "01-Jan-1995"; some films have none.
    private static func releaseTime(_ text: String) -> Int64? {
        let parts = text.split(separator: "-")
        guard parts.count == 3, let day = Int64(parts[0]), let month = months.firstIndex(of: String(parts[1])),
            let year = Int64(parts[2]), (1...31).contains(day), (1850...2200).contains(year)
        else { return nil }
        return ISOTime.daysSince1970(year: year, month: Int64(month) + 1, day: day) * 86_400_000
    }
}

/// MovieLens "latest" in its CSV layout: `ratings.csv` and `movies.csv`.
struct MovieLensLatestImporter: LogImporter {
    static let format = "movielens-latest"

    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError) {
        var movies = try DelimitedTable(path: "\(directory)/movies.csv", progress: progress)
        let id = try movies.required("movieId")
        let title = try movies.required("title")
        let genres = try movies.required("genres")
        while try movies.next() {
            let name = movies.string(title)
            let names = movies.string(genres).split(separator: "|").map(String.init)
            let known = names == ["(no genres listed)"] ? [] : names
            let details = ItemDetails(
                title: name, category: known.first ?? "", publishMilliseconds: Self.releaseTime(name) ?? 0, tags: known)
            try keepItem(&movies, id: id, details, into: &builder)
        }
        report.files.append(movies.report)

        var ratings = try DelimitedTable(path: "\(directory)/ratings.csv", progress: progress)
        let user = try ratings.required("userId")
        let item = try ratings.required("movieId")
        let rating = try ratings.required("rating")
        let time = try ratings.required("timestamp")
        try readRatings(&ratings, user: user, item: item, rating: rating, time: time, into: &builder)
        report.files.append(ratings.report)
    }

    /// The first day of the year that ends a title: "Toy Story (1995)".
    private static func releaseTime(_ title: String) -> Int64? {
        let text = title.split(separator: " ").last ?? ""
        guard text.count == 6, text.first == "(", text.last == ")", let year = Int64(text.dropFirst().dropLast()),
            (1850...2200).contains(year)
        else { return nil }
        return ISOTime.daysSince1970(year: year, month: 1, day: 1) * 86_400_000
    }
}

extension LogImporter {
    /// Reads the rest of a table of ratings on the scale 0.5 to 5.
    func readRatings(
        _ table: inout DelimitedTable, user: Int, item: Int, rating: Int, time: Int,
        into builder: inout DatasetBuilder
    ) throws(CatalogError) {
        while try table.next() {
            guard let stars = FieldValue.number(table.bytes(rating)), (0.5...5).contains(stars) else {
                table.reject(.value, rating)
                continue
            }
            guard let milliseconds = FieldValue.time(table.bytes(time)) else {
                table.reject(.time, time)
                continue
            }
            guard
                let (userRow, itemRow) = try userAndItem(&table, user: user, item: item, in: &builder)
            else { continue }
            builder.append(
                LoggedEvent(user: userRow, item: itemRow, time: milliseconds, actions: Rating.actions(stars)))
            table.keep()
        }
    }
}
