import ArgumentParser
import Foundation
import Messages
import RPC
import Service

struct SnapshotListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the published snapshots, oldest first, and say which one is served.")

    @OptionGroup var options: SnapshotOptions

    func run() async throws {
        let cluster = try options.cluster()
        let client = try cluster.client([cluster.snapshotServer])
        let list = try await client.unary(
            SnapshotStoreMethods.listSnapshots, ListSnapshotsRequest(), options: CallOptions(timeout: .seconds(10)))
        await client.close()
        var rows = [["version", "published", "shards", "components", "size", "stored", ""]]
        rows += list.snapshots.map { snapshot in
            [
                snapshot.version, time(snapshot.createdMilliseconds), "\(snapshot.shards)", "\(snapshot.components)",
                bytes(snapshot.bytes), bytes(snapshot.compressedBytes),
                snapshot.committed ? "committed" : snapshot.previous ? "previous" : "",
            ]
        }
        print(list.snapshots.isEmpty ? "no snapshots are published" : table(rows))
    }
}

/// Columns padded to their widest cell.
func table(_ rows: [[String]]) -> String {
    let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
        let line = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(
            separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
    return lines.joined(separator: "\n")
}

/// `12.3 MB`
func bytes(_ count: UInt64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var value = Double(count)
    var unit = 0
    while value >= 1000 && unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    return unit == 0 ? "\(count) B" : String(format: "%.1f \(units[unit])", value)
}

/// `2026-11-23 22:55:00`, UTC.
func time(_ milliseconds: Int64) -> String {
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    let style = Date.ISO8601FormatStyle().year().month().day().dateTimeSeparator(.space).time(
        includingFractionalSeconds: false)
    return date.formatted(style)
}
