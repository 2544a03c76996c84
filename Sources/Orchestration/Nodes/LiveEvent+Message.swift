import Catalog
import Kernels
import Messages
import RPC
import Ranking

extension LiveEvent {
    /// The events of a message.
    ///
    /// - Throws: INVALID_ARGUMENT that names the field, what was expected and what was found.
    ///
    /// - Parameter now: milliseconds since 1970. An event of the future would end all windows.
    static func all(of message: PushStatisticsRequest, now: Int64) throws(RPCError) -> [LiveEvent] {
        let count = message.items.count
        guard count <= RequestLimits.statisticsMax else {
            throw RPCError(.invalidArgument, "items: expected at most \(RequestLimits.statisticsMax), found \(count)")
        }
        let lengths = [
            ("times_ms", message.timesMilliseconds.count), ("actions", message.actions.count),
            ("watch_seconds", message.watchSeconds.count), ("surfaces", message.surfaces.count),
        ]
        for (name, length) in lengths where length != count {
            throw RPCError(.invalidArgument, "\(name): expected \(count), one per item, found \(length)")
        }
        let fields = count > 0 ? message.profiles.count / count : 0
        guard fields * count == message.profiles.count, fields <= RequestLimits.profileFieldsMax else {
            throw RPCError(
                .invalidArgument,
                "profiles: expected the same number for each of \(count) items, at most "
                    + "\(RequestLimits.profileFieldsMax), found \(message.profiles.count) in all")
        }
        guard message.watchSeconds.allSatisfy({ (0...RequestLimits.durationSecondsMax).contains($0) }) else {
            throw RPCError(
                .invalidArgument, "watch_seconds: expected 0 to \(Int(RequestLimits.durationSecondsMax)) each")
        }
        let latest = now + RequestLimits.clockErrorMillisecondsMax
        if let time = message.timesMilliseconds.first(where: { $0 <= 0 || $0 > latest }) {
            throw RPCError(
                .invalidArgument, "times_ms: expected milliseconds since 1970 up to now (\(now)), found \(time)")
        }
        guard message.snapshotVersion.utf8.count <= RequestLimits.versionBytesMax else {
            throw RPCError(
                .invalidArgument,
                "snapshot_version: expected at most \(RequestLimits.versionBytesMax) bytes, found "
                    + "\(message.snapshotVersion.utf8.count)")
        }
        return (0..<count).map { index in
            LiveEvent(
                item: ItemKey(rawValue: message.items[index]), timeMilliseconds: message.timesMilliseconds[index],
                actions: Actions(rawValue: UInt16(truncatingIfNeeded: message.actions[index])),
                watchSeconds: message.watchSeconds[index], surface: UInt16(clamping: message.surfaces[index]),
                profile: Array(message.profiles[index * fields..<(index + 1) * fields]),
                version: message.snapshotVersion)
        }
    }
}

extension PushStatisticsRequest {
    /// - Parameter events: with the numbers of one snapshot.
    init(_ events: [LiveEvent], source: UInt64, sequence: UInt64) {
        self.init(
            source: source, sequence: sequence, snapshotVersion: events.first?.version ?? "",
            items: SharedBuffer(events.map(\.item.rawValue)),
            timesMilliseconds: SharedBuffer(events.map(\.timeMilliseconds)),
            actions: SharedBuffer(events.map { UInt32($0.actions.rawValue) }),
            watchSeconds: SharedBuffer(events.map(\.watchSeconds)),
            surfaces: SharedBuffer(events.map { UInt32($0.surface) }),
            profiles: SharedBuffer(events.flatMap(\.profile)))
    }
}
