import Glibc

/// Directory operations that make a file's appearance atomic and durable.
public enum FileSystem {
    /// Makes the directory and those above it.
    public static func createDirectory(_ path: String) throws(BlobError) {
        guard mkdir(path, 0o755) != 0 else { return }
        let reason = errno
        switch reason {
        case EEXIST where isDirectory(path): return
        case ENOENT where path.contains("/") && !parent(of: path).isEmpty:
            try createDirectory(parent(of: path))
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
                throw .system(errno, "cannot make the directory \(path)")
            }
        default: throw .system(reason, "cannot make the directory \(path)")
        }
    }

    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    public static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Names in a directory, sorted, without "." and "..".
    public static func list(_ path: String) throws(BlobError) -> [String] {
        guard let directory = opendir(path) else { throw .system(errno, "cannot list \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Renames within a file system, over a file that may be there, and makes the new name durable.
    public static func rename(_ source: String, to target: String) throws(BlobError) {
        guard Glibc.rename(source, target) == 0 else { throw .system(errno, "cannot rename \(source) to \(target)") }
        try synchronizeDirectory(parent(of: target))
    }

    /// Removes a file; one that is not there is as good as removed.
    public static func remove(_ path: String) throws(BlobError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .system(errno, "cannot remove \(path)") }
    }

    /// Removes a file or a directory with all it holds; links are removed, not followed.
    public static func removeTree(_ path: String) throws(BlobError) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return try remove(path) }
        for name in try list(path) { try removeTree("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .system(errno, "cannot remove the directory \(path)") }
    }

    /// Makes names made, changed and removed in a directory durable.
    public static func synchronizeDirectory(_ path: String) throws(BlobError) {
        let descriptor = open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "cannot open the directory \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(errno, "cannot fsync the directory \(path)") }
    }

    /// Bytes that an ordinary user can still write to the file system that holds `path`.
    public static func freeBytes(at path: String) throws(BlobError) -> Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw .system(errno, "cannot read the free space at \(path)") }
        return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// Replaces a file as one step: readers see the old bytes or the new ones, also after a crash.
    ///
    /// - Parameter body: writes the new file, which `replace` fsyncs and renames when `body` returns.
    public static func replace(
        _ path: String, _ body: (File) throws(BlobError) -> Void
    ) throws(BlobError) {
        let temporary = "\(path).tmp-\(getpid())"
        do throws(BlobError) {
            let file = try File(temporary, .create)
            try body(file)
            try file.synchronize()
            try rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Replaces a file's bytes as one step.
    public static func replace(_ path: String, with bytes: some Collection<UInt8>) throws(BlobError) {
        let contiguous = Array(bytes)
        try replace(path) { (file) throws(BlobError) in
            try contiguous.span.bytes.withUnsafeBytes { (bytes) throws(BlobError) in try file.write(bytes, at: 0) }
        }
    }

    /// All bytes of a file that must not be larger than `limit`.
    public static func read(_ path: String, limit: Int) throws(BlobError) -> [UInt8] {
        let file = try File(path, .read)
        let size = try file.size()
        guard size <= limit else {
            throw BlobError(.corrupt, "\(path): expected at most \(limit) bytes, found \(size)")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: 0)
        return Array(buffer[..<count])
    }

    /// The directory part of a path, empty when it has none.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
