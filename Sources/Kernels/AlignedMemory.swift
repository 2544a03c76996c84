extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Memory that starts on a cache line, for what kernels read in whole registers: none then lies across two lines.
    /// Undefined values; ends with `deallocate`.
    package static func allocateLines(capacity: Int) -> UnsafeMutablePointer {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, capacity) * MemoryLayout<Pointee>.stride, alignment: 64)
        return memory.bindMemory(to: Pointee.self, capacity: max(1, capacity))
    }
}
