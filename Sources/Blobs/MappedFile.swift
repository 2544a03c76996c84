import Glibc
public import Kernels

/// A file mapped read-only into memory, unmapped when its last user lets go.
///
/// The file must not be cut short while it is mapped: replace files by renaming, never by writing into them.
// Sendable: the mapping is read-only and fixed in init.
public final class MappedFile: @unchecked Sendable {
    public let path: String
    private let base: UnsafeMutableRawPointer?
    public let size: Int

    public init(_ path: String) throws(BlobError) {
        let file = try File(path, .read)
        self.path = path
        size = try file.size()
        guard size > 0 else {
            base = nil
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_SHARED, file.descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .system(errno, "cannot map \(path)") }
        base = address
    }

    deinit {
        if let base { munmap(base, size) }
    }

    /// All bytes of the file, sharing the mapping.
    public var bytes: SharedBuffer<UInt8> {
        SharedBuffer(owner: self, base: base.map { UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) }, count: size)
    }

    /// Reads the whole file into memory ahead of its use, so that no later access waits for the disk.
    public func populate() {
        guard let base else { return }
        madvise(base, size, 22)  // MADV_POPULATE_READ, Linux 5.14: older kernels refuse, and pages come on first use.
    }
}
