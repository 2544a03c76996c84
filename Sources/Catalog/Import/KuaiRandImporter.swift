import Blobs

/// KuaiRand (Gao et al., CIKM 2022): short-video showings with what followed, in the publisher's CSV layout.
///
/// Reads every `log_*.csv`, and if they are there `user_features*.csv`, `video_features_basic*.csv`, and
/// `user_sequences*.csv`: what users watched before the log, which carries no showings and becomes history.
struct KuaiRandImporter: LogImporter {
    static let format = "kuairand"

    /// Features told twice: as a number, and as the range that stands for it as a category.
    private static let rangedNumbers = ["follow_user_num", "fans_user_num", "friend_user_num", "register_days"]
    /// Days of the publisher's dates begin eight hours before those of UTC.
    private static let dayOffset: Int64 = 8 * 3_600_000

    func read(
        _ directory: String, into builder: inout DatasetBuilder, report: inout ImportReport, progress: ImportProgress
    ) throws(CatalogError) {
        let names = try catalogErrors { () throws(BlobError) in try FileSystem.list(directory) }
        func files(_ prefix: String) -> [String] {
            names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".csv") }.map { "\(directory)/\($0)" }
        }
        let logs = files("log_")
        guard !logs.isEmpty else { throw CatalogError(.invalidInput, "\(directory) holds no log_*.csv") }
        for path in files("user_features") {
            report.files.append(try users(path, &builder, progress))
        }
        for path in files("video_features_basic") {
            report.files.append(try videos(path, &builder, progress))
        }
        var start = Int64.max
        for path in logs {
            report.files.append(try log(path, &start, &builder, progress))
        }
        for path in files("user_sequences") {
            report.files.append(try history(path, before: start, &builder, progress))
        }
    }

    private func users(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let id = try table.required("user_id")
        let unused = Self.rangedNumbers.filter { table.columns.contains("\($0)_range") }
        let fields = table.columns.filter { $0 != "user_id" && !unused.contains($0) }
        table.noteUnused(["user_id"] + fields)
        try readUsers(&table, id: id, fields: fields, into: &builder)
        return table.report
    }

    private func videos(
        _ path: String, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let id = try table.required("video_id")
        let author = try table.required("author_id")
        let date = try table.required("upload_dt")
        let duration = try table.required("video_duration")
        let tags = try table.required("tag")
        table.noteUnused(["video_id", "author_id", "upload_dt", "video_duration", "tag"])
        while try table.next() {
            // Several tags are separated by commas; the first is the main one.
            let names = table.string(tags).split(separator: ",").map(String.init)
            let uploaded = ISOTime.milliseconds(table.bytes(date)).map { $0 - Self.dayOffset }
            let milliseconds = FieldValue.number(table.bytes(duration)) ?? 0
            let details = ItemDetails(
                category: names.first ?? "", author: table.string(author), publishMilliseconds: uploaded ?? 0,
                durationSeconds: Float(min(max(milliseconds, 0), 1e10) / 1000), tags: names)
            try keepItem(&table, id: id, details, into: &builder)
        }
        return table.report
    }

    /// - Parameter start: lowered to the time of the first showing.
    private func log(
        _ path: String, _ start: inout Int64, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let columns = try KuaiRandColumns(table)
        while try table.next() {
            guard let time = FieldValue.time(table.bytes(columns.time)) else {
                table.reject(.time, columns.time)
                continue
            }
            var actions: Actions = .impression
            if let fault = columns.addActions(of: &table, to: &actions) {
                table.reject(.event, fault)
                continue
            }
            guard let watched = FieldValue.number(table.bytes(columns.playTime)), (0...1e10).contains(watched) else {
                table.reject(.value, columns.playTime)
                continue
            }
            guard let surface = try builder.surfaceRow(table.bytes(columns.tab)) else {
                table.reject(.surface, columns.tab)
                continue
            }
            guard
                let (user, item) = try userAndItem(&table, user: columns.user, item: columns.video, in: &builder)
            else { continue }
            start = min(start, time)
            builder.append(
                LoggedEvent(
                    user: user, item: item, time: time, actions: actions, watchSeconds: Float(watched / 1000),
                    surface: surface))
            table.keep()
        }
        return table.report
    }

    /// Milliseconds assumed between the watched videos of a history, whose own times the file does not tell.
    private static let historyStep: Int64 = 60_000

    /// Reads per user the videos watched before the log, oldest first; the last one's time is known.
    private func history(
        _ path: String, before start: Int64, _ builder: inout DatasetBuilder, _ progress: ImportProgress
    ) throws(CatalogError) -> ImportReport.File {
        var table = try DelimitedTable(path: path, progress: progress)
        let id = try table.required("user_id")
        let last = try table.required("last_time_ms")
        let watched = try table.required("watch_seq")
        let liked = try table.required("like_seq")
        let finished = try table.required("long_watch_seq")
        table.noteUnused(["user_id", "last_time_ms", "watch_seq", "like_seq", "long_watch_seq"])
        while try table.next() {
            guard let lastTime = FieldValue.time(table.bytes(last)), start > 0 else {
                table.reject(.time, last)
                continue
            }
            guard let user = try builder.userRow(table.bytes(id)) else {
                table.reject(.userID, id)
                continue
            }
            let videos = table.string(watched).split(separator: " ")
            let likes = Set(table.string(liked).split(separator: " "))
            let finishes = Set(table.string(finished).split(separator: " "))
            for (place, video) in videos.enumerated() {
                guard let item = try builder.items.ids.row(of: String(video)) else { continue }
                var actions: Actions = .click
                if likes.contains(video) { actions.insert(.like) }
                if finishes.contains(video) { actions.insert(.finish) }
                let time = min(lastTime, start - 1) - Int64(videos.count - 1 - place) * Self.historyStep
                builder.append(LoggedEvent(user: user, item: item, time: max(time, 0), actions: actions))
            }
            table.keep()
        }
        return table.report
    }
}

/// Where the columns of a KuaiRand log are.
private struct KuaiRandColumns {
    let user: Int
    let video: Int
    let time: Int
    let playTime: Int
    let tab: Int
    private let flags: [(column: Int, actions: Actions)]

    init(_ table: borrowing DelimitedTable) throws(CatalogError) {
        user = try table.required("user_id")
        video = try table.required("video_id")
        time = try table.required("time_ms")
        playTime = try table.required("play_time_ms")
        tab = try table.required("tab")
        let names: [(String, Actions)] = [
            ("is_click", .click), ("is_like", .like), ("is_follow", .follow), ("is_comment", .comment),
            ("is_forward", .share), ("is_hate", .hide), ("long_view", .finish),
        ]
        var flags: [(column: Int, actions: Actions)] = []
        for (name, actions) in names { flags.append((try table.required(name), actions)) }
        self.flags = flags
    }

    /// Adds the actions whose flags are set.
    ///
    /// - Returns: the column of a flag that is neither 0 nor 1.
    func addActions(of table: inout DelimitedTable, to actions: inout Actions) -> Int? {
        for (column, flagged) in flags {
            switch FieldValue.integer(table.bytes(column)) {
            case 0: continue
            case 1: actions.formUnion(flagged)
            default: return column
            }
        }
        return nil
    }
}
