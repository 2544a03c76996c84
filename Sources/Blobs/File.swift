import Glibc

/// Owns one open file descriptor: the door to the system's file calls. Errors name the path and the system's reason.
public final class File: Sendable {
    public let path: String
    let descriptor: Int32

    public enum Mode: Sendable {
        case read
        /// Creates the file, or empties the one that is there.
        case create
        /// Opens the file for reading and writing, made if it is not there, what it holds kept.
        case update
    }

    public init(_ path: String, _ mode: Mode) throws(BlobError) {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .create: O_RDWR | O_CREAT | O_TRUNC
            case .update: O_RDWR | O_CREAT
            }
        let descriptor = open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system(errno, "cannot open \(path)") }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Bytes in the file now.
    public func size() throws(BlobError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(errno, "cannot read the size of \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw BlobError(.inputOutput, "\(path) is not a regular file") }
        return Int(status.st_size)
    }

    /// Fills as much of `buffer` as the file has from `offset` on.
    ///
    /// - Returns: the bytes read, less than asked only at the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(BlobError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, "cannot read \(path) at offset \(offset + done)")
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Bytes per system call. Larger writes make the page cache take its memory in huge pages, which a virtual machine may
    /// have to ask its host for: writing 4 MiB at a time took twice the time of 128 KiB to 1 MiB.
    private static let writeSizeMax = 256 << 10

    /// Writes all of `bytes` at `offset`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(BlobError) {
        var done = 0
        while done < bytes.count {
            let size = min(bytes.count - done, Self.writeSizeMax)
            let count = pwrite(descriptor, bytes.baseAddress?.advanced(by: done), size, offset + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(errno, "cannot write \(path) at offset \(offset + done)")
            }
            done += count
        }
    }

    /// Cuts the file to `size` bytes, or extends it with zeros.
    public func truncate(to size: Int) throws(BlobError) {
        guard ftruncate(descriptor, size) == 0 else { throw .system(errno, "cannot truncate \(path) to \(size) bytes") }
    }

    /// Returns once the file's bytes are on the disk.
    public func synchronize() throws(BlobError) {
        guard fsync(descriptor) == 0 else { throw .system(errno, "cannot fsync \(path)") }
    }
}

extension BlobError {
    /// The system's reason for a call that failed.
    static func system(_ number: Int32, _ action: String) -> BlobError {
        BlobError(number == ENOENT ? .missing : .inputOutput, "\(action): \(String(cString: strerror(number)))")
    }
}
