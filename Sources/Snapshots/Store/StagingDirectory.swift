import Blobs
import Glibc

/// A directory of one publisher's own inside a store, gone when the publisher is done or dead.
final class StagingDirectory {
    private let root: String
    // Held while the directory is in use: whoever can take it knows that its owner is dead.
    private let lock: FileLock

    init(in store: SnapshotStore) throws(SnapshotError) {
        try Self.sweep(store)
        let root = "\(store.directory)/staging/\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let lock = try files { () throws(BlobError) in
            // Made under another name, which the sweep of others passes by until it is locked.
            try FileSystem.createDirectory(root + ".new")
            let lock = try FileLock("\(root).new/lock")
            try FileSystem.rename(root + ".new", to: root)
            return lock
        }
        self.root = root
        self.lock = lock
    }

    deinit {
        // What cannot be removed now is removed by the next publisher's sweep.
        try? FileSystem.removeTree(root)
    }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    /// Removes the directories of publishers that are no more.
    static func sweep(_ store: SnapshotStore) throws(SnapshotError) {
        try files { () throws(BlobError) in
            for name in try FileSystem.list("\(store.directory)/staging") {
                let path = "\(store.directory)/staging/\(name)"
                if name.hasSuffix(".new") {
                    // Between two system calls of a publisher that may live, unless that process is gone.
                    guard let owner = name.split(separator: "-").first.flatMap({ pid_t($0) }) else { continue }
                    if kill(owner, 0) != 0 && errno == ESRCH { try FileSystem.removeTree(path) }
                } else if try FileLock.tryAcquire("\(path)/lock") != nil {
                    try FileSystem.removeTree(path)
                }
            }
        }
    }
}
