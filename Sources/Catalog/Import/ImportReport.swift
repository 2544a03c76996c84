/// Why a row of a log was not used.
public enum RejectReason: String, Sendable, Hashable, CaseIterable {
    case fieldCount = "wrong number of fields"
    case userID = "missing or unusable user id"
    case itemID = "missing or unusable item id"
    case time = "unusable time"
    case event = "unknown event"
    case value = "unusable value"
    case place = "unusable place"
    case author = "missing or unusable author"
    case surface = "unusable surface"
    case context = "unusable context"
    case duplicate = "repeats an earlier row"
}

/// What an import read and what became of it.
public struct ImportReport: Sendable {
    /// Rejected rows of one reason.
    public struct Rejects: Sendable, Hashable {
        public var count = 0
        /// The first of them as "file:line: what was found", at most ``examplesMax``.
        public var examples: [String] = []
    }

    public struct File: Sendable {
        public var path: String
        public var rowsRead = 0
        public var rowsKept = 0
        public var rejects: [RejectReason: Rejects] = [:]
        /// Header names the import has no use for.
        public var unusedColumns: [String] = []

        init(path: String) {
            self.path = path
        }

        mutating func reject(_ reason: RejectReason, line: Int, _ found: String) {
            rejects[reason, default: Rejects()].count += 1
            if rejects[reason, default: Rejects()].examples.count < ImportReport.examplesMax {
                rejects[reason, default: Rejects()].examples.append("\(path):\(line): \(found)")
            }
        }
    }

    /// Examples kept of each reason: enough to find the pattern.
    public static let examplesMax = 3

    public var files: [File] = []
    /// Rows kept at first and then found to repeat an earlier one: same user, item, time and event.
    public var duplicateEvents = 0
    /// Actions that joined a showing, and actions whose showing the log does not hold.
    public var joinedActions = 0
    public var unattachedActions = 0

    /// One line: rows read and kept of each file, and the first reject of each reason.
    public var summary: String {
        files.map { file in
            let rejects = file.rejects.sorted { $0.key.rawValue < $1.key.rawValue }.map { reason, rejects in
                ", \(rejects.count) rejected: \(reason.rawValue) (\(rejects.examples.first ?? ""))"
            }
            return "\(file.path): \(file.rowsRead) rows read, \(file.rowsKept) kept\(rejects.joined())"
        }.joined(separator: "; ")
    }

    /// The report as lines of text.
    public func lines() -> [String] {
        var lines: [String] = []
        for file in files {
            lines.append("\(file.path): \(file.rowsRead) rows read, \(file.rowsKept) kept")
            for (reason, rejects) in file.rejects.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                lines.append("  \(rejects.count) rejected: \(reason.rawValue)")
                lines += rejects.examples.map { "    \($0)" }
            }
            if !file.unusedColumns.isEmpty {
                lines.append("  columns not used: \(file.unusedColumns.joined(separator: ", "))")
            }
        }
        if duplicateEvents > 0 {
            lines.append(
                "\(duplicateEvents) of the kept events dropped: user, item, time and event as in an earlier row")
        }
        if joinedActions + unattachedActions > 0 {
            lines.append("\(joinedActions) actions joined a showing, \(unattachedActions) stand alone")
        }
        return lines
    }
}
