import Catalog
import Foundation

/// Where the user ids of a run come from.
package enum UserSource {
    /// More ids than this are not needed to look like everybody; each costs some 50 bytes.
    static let usersMax = 10_000_000

    /// "FIRST..LAST" for numeric ids, or a file with one id per line.
    package static func read(_ text: String) throws(WorkloadError) -> [String] {
        if let range = try range(text) { return range.map(String.init) }
        let content: String
        do {
            content = try String(contentsOfFile: text, encoding: .utf8)
        } catch {
            throw WorkloadError("--users: '\(text)' is neither FIRST..LAST nor a readable file")
        }
        let users = content.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        guard !users.isEmpty else { throw WorkloadError("--users: '\(text)' names no user") }
        return users
    }

    /// All users of an imported or generated data set.
    package static func read(dataset directory: String) throws -> [String] {
        let users = try Dataset(directory: directory).users
        guard users.count > 0 else { throw WorkloadError("--data: '\(directory)' has no users") }
        return (0..<users.count).map { users.publicIDs[$0] }
    }

    private static func range(_ text: String) throws(WorkloadError) -> ClosedRange<UInt64>? {
        guard let dots = text.firstRange(of: ".."), let first = UInt64(text[..<dots.lowerBound]),
            let last = UInt64(text[dots.upperBound...])
        else { return nil }
        guard first <= last, last - first < usersMax else {
            throw WorkloadError("--users: expected FIRST..LAST with at most \(usersMax) ids, found '\(text)'")
        }
        return first...last
    }
}

/// Why a workload cannot be made from what was given.
package struct WorkloadError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
