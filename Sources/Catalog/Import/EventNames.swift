/// The events that logs may hold, by the names they have there.
public enum EventNames {
    /// Actions by name. `play` stands for watching alone, its seconds in the row's value.
    public static let actions: [(name: String, actions: Actions)] = [
        ("impression", .impression), ("click", .click), ("play", []), ("finish", .finish), ("like", .like),
        ("collect", .collect), ("share", .share), ("comment", .comment), ("follow", .follow), ("hide", .hide),
        ("cart", .cart), ("purchase", .purchase),
    ]
}

/// Finds an event's actions by the bytes of its name: names are at most 16 bytes, compared as two words.
struct EventLookup {
    private struct Name {
        var words: (UInt64, UInt64)
        var actions: Actions
    }

    private let names: [Name]

    init() {
        names = EventNames.actions.map { entry in
            Name(words: Array(entry.name.utf8).withUnsafeBytes(Self.words), actions: entry.actions)
        }
    }

    @inline(__always)
    func actions(_ bytes: UnsafeRawBufferPointer) -> Actions? {
        guard bytes.count <= 16 else { return nil }
        let words = Self.words(bytes)
        for name in names where name.words == words { return name.actions }
        return nil
    }

    @inline(__always)
    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
        return words
    }
}
