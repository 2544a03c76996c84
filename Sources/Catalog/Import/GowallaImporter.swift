/// Gowalla check-ins as prepared for the comparison of place recommenders (Liu et al., VLDB 2017):
/// `Gowalla_checkins.txt` (user, place, unix time) and `Gowalla_poi_coos.txt` (place, latitude, longitude), tab-separated.
///
/// A check-in is a click without a showing. Places that are never visited are items too.
struct GowallaImporter: LogImporter {
    static let format = "gowalla"

    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError) {
        report.files.append(try places("\(directory)/Gowalla_poi_coos.txt", &builder, progress))
        report.files.append(try checkIns("\(directory)/Gowalla_checkins.txt", &builder, progress))
    }

    private func places(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(
            path: path, format: .tabs, columns: ["place", "latitude", "longitude"], progress: progress)
        let columns = PlaceColumns(table)
        while try table.next() {
            switch columns.place(of: &table) {
            case .unusable(let column): table.reject(.place, column)
            case .unknown: table.reject(.place, 1)
            case .known(let place): try keepItem(&table, id: 0, ItemDetails(place: place), into: &builder)
            }
        }
        return table.report
    }

    private func checkIns(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(
            path: path, format: .tabs, columns: ["user", "place", "time"], progress: progress)
        while try table.next() {
            guard let time = FieldValue.time(table.bytes(2)) else {
                table.reject(.time, 2)
                continue
            }
            guard
                let (user, item) = try userAndItem(&table, user: 0, item: 1, in: &builder)
            else { continue }
            builder.append(LoggedEvent(user: user, item: item, time: time, actions: .click))
            table.keep()
        }
        return table.report
    }
}
