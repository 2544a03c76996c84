import Glibc

/// Immutable contiguous elements whose memory some owner keeps alive: an array, a message arena, a mapped file.
///
/// Candidate lists, index columns and tensors travel through the program as shared buffers, so that one memory copy,
/// or none, lies between a file or a wire message and the kernel that reads it. Inlinable, so that loops over elements
/// in other modules are specialised.
@frozen
public struct SharedBuffer<Element: BitwiseCopyable & Sendable>: RandomAccessCollection, Sendable {
    /// Keeps `base` alive; never read.
    @usableFromInline let owner: (any AnyObject & Sendable)?
    // The memory is immutable for as long as `owner` lives.
    @usableFromInline nonisolated(unsafe) let base: UnsafePointer<Element>?
    public let count: Int

    /// A buffer over memory that stays valid and unchanged while `owner` lives.
    @inlinable
    public init(owner: any AnyObject & Sendable, base: UnsafePointer<Element>?, count: Int) {
        precondition(count >= 0 && (base != nil || count == 0), "a non-empty buffer needs an address")
        self.owner = owner
        self.base = base
        self.count = count
    }

    /// Copies the elements once into memory of the buffer's own.
    ///
    /// - Complexity: O(n).
    @inlinable
    public init(_ elements: some Collection<Element>) {
        let count = elements.count
        guard count > 0 else {
            self.init()
            return
        }
        let memory = OwnedMemory(byteCount: count * MemoryLayout<Element>.stride)
        let base = memory.base.bindMemory(to: Element.self, capacity: count)
        let target = UnsafeMutableRawBufferPointer(start: memory.base, count: count * MemoryLayout<Element>.stride)
        let copied: Void? = elements.withContiguousStorageIfAvailable {
            target.copyMemory(from: UnsafeRawBufferPointer($0))
        }
        if copied == nil {
            var position = 0
            for element in elements {
                precondition(position < count, "a collection has as many elements as it says")
                base[position] = element
                position += 1
            }
            precondition(position == count, "a collection has as many elements as it says")
        }
        self.init(owner: memory, base: base, count: count)
    }

    @inlinable
    public init() {
        owner = nil
        base = nil
        count = 0
    }

    @inlinable
    public var startIndex: Int { 0 }
    @inlinable
    public var endIndex: Int { count }

    @inlinable
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < count, "index out of range")
        return base.unsafelyUnwrapped[position]
    }

    /// The elements in `range`, sharing this buffer's memory.
    @inlinable
    public subscript(shared range: Range<Int>) -> SharedBuffer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of bounds")
        guard let owner, let base else { return SharedBuffer() }
        return SharedBuffer(owner: owner, base: base + range.lowerBound, count: range.count)
    }

    @inlinable
    public func withUnsafeBufferPointer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { extendLifetime(owner) }
        return try body(UnsafeBufferPointer(start: base, count: count))
    }

    /// The address of the first element, for as long as this buffer or a copy of it lives.
    package var address: UnsafePointer<Element> {
        precondition(count > 0, "an empty buffer has no address")
        return base.unsafelyUnwrapped
    }

    @inlinable
    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result? {
        try withUnsafeBufferPointer(body)
    }

    /// The same memory read as elements of another type of the same size and no stricter alignment.
    @inlinable
    public func reinterpreted<Other: BitwiseCopyable & Sendable>(as type: Other.Type) -> SharedBuffer<Other> {
        precondition(MemoryLayout<Other>.stride == MemoryLayout<Element>.stride, "element sizes differ")
        guard let owner, let base else { return SharedBuffer<Other>() }
        return SharedBuffer<Other>(
            owner: owner, base: UnsafeRawPointer(base).assumingMemoryBound(to: Other.self), count: count)
    }
}

extension SharedBuffer: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Element...) {
        self.init(elements)
    }
}

extension SharedBuffer: Equatable where Element: Equatable {
    @inlinable
    public static func == (left: Self, right: Self) -> Bool {
        left.elementsEqual(right)
    }
}

/// Memory of a buffer that was copied from a collection. Not generic: creating one looks up no type.
// Sendable: written once before it is shared, only read afterwards.
@usableFromInline
final class OwnedMemory: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer

    @usableFromInline
    init(byteCount: Int) {
        // Aligned by 16; `UnsafeMutableRawPointer.allocate` would take the slower way of odd alignments.
        guard let base = malloc(byteCount) else { preconditionFailure("no memory for a buffer of \(byteCount) bytes") }
        self.base = base
    }

    deinit {
        free(base)
    }
}
