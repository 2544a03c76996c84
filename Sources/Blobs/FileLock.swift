import Glibc

/// An exclusive lock between processes, held from init to deinit; the system frees it when its process dies.
public final class FileLock: Sendable {
    private let file: File

    /// Waits until the lock is free.
    public init(_ path: String) throws(BlobError) {
        let file = try File(path, .update)
        while flock(file.descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .system(errno, "cannot lock \(path)") }
        }
        self.file = file
    }

    private init(locked file: File) {
        self.file = file
    }

    /// The lock, or nil while someone else holds it.
    public static func tryAcquire(_ path: String) throws(BlobError) -> FileLock? {
        let file = try File(path, .update)
        guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw .system(errno, "cannot lock \(path)") }
            return nil
        }
        return FileLock(locked: file)
    }
}
