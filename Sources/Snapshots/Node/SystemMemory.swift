import Foundation

/// How much memory this process can still take without pushing others, or itself, out.
enum SystemMemory {
    /// The smaller of what the machine has available and what the process's control group leaves; nil where the system
    /// tells neither.
    static func availableBytes() -> Int? {
        [machine(), controlGroup()].compactMap(\.self).min()
    }

    private static func machine() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        return value("MemAvailable:", in: text).map { $0 * 1024 }
    }

    /// Limit of a container (cgroup v2) less what it uses, where cached file pages count as free.
    private static func controlGroup() -> Int? {
        let root = "/sys/fs/cgroup"
        func number(_ name: String) -> Int? {
            let text = try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)
            return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let limit = number("memory.max"), let used = number("memory.current"),
            let statistics = try? String(contentsOfFile: "\(root)/memory.stat", encoding: .utf8)
        else { return nil }
        return limit - used + (value("inactive_file", in: statistics) ?? 0)
    }

    /// The number that follows a name at the start of a line.
    private static func value(_ name: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 2, words[0] == name { return Int(words[1]) }
        }
        return nil
    }
}
