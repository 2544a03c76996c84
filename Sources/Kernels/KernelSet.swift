import CKernels

/// Functions applied to each element after a linear layer.
public enum Activation: Int32, Sendable, Hashable, Codable, CaseIterable {
    case identity = 0
    case relu = 1
    /// Slope 0.01 below zero.
    case leakyReLU = 2
    case sigmoid = 3
    case tanh = 4
    /// 2 * sigmoid(x), in 0...2: the gates of LHUC and PPNet.
    case twiceSigmoid = 5
}

/// One implementation of every numeric kernel: the plain one, or one for a processor's vector instructions.
///
/// Matrices are dense, row-major float32. Pointers need no alignment, sizes may be zero, outputs never overlap inputs
/// unless a method says so. `active` is chosen once: the best for this processor, or what the environment variable
/// `TRIBUTARY_KERNELS=portable|avx2|avx512|neon` names when the processor has it.
public struct KernelSet: Sendable {
    // The tables are constants of the C library.
    nonisolated(unsafe) let table: UnsafePointer<ck_table>
    nonisolated(unsafe) let search: UnsafePointer<ck_search_table>

    public static let portable = KernelSet(table: ck_portable(), search: ck_search_portable())
    /// nil on a processor without AVX2 and FMA.
    public static let avx2 = ck_avx2().map { KernelSet(table: $0, search: ck_search_avx2()) }
    /// AVX2's with 512-bit registers for products, and with VNNI for those of bytes and for search in compressed vectors when
    /// the processor has it; nil without AVX-512 F, BW, DQ and VL.
    public static let avx512 = ck_avx512().map { KernelSet(table: $0, search: ck_search_avx512() ?? ck_search_avx2()) }
    /// nil on processors other than 64-bit ARM.
    public static let neon = ck_neon().map { KernelSet(table: $0, search: ck_search_neon()) }
    /// Every implementation this processor can run.
    public static let available = [portable] + [avx2, avx512, neon].compactMap(\.self)
    public static let active = available.first { $0.table == ck_select() } ?? portable

    /// - Parameter search: nil: the plain one.
    private init(table: UnsafePointer<ck_table>, search: UnsafePointer<ck_search_table>?) {
        self.table = table
        self.search = search ?? ck_search_portable()
    }

    public var name: String { String(cString: table.pointee.name) }
}

extension KernelSet: CustomStringConvertible {
    public var description: String { name }
}

/// The address of nothing: stands for a buffer without elements, which need not have one. Never freed, never read.
package nonisolated(unsafe) let noFloats = UnsafePointer(UnsafeMutablePointer<Float>.allocate(capacity: 1))

/// The kernels of this process.
public let kernels = KernelSet.active
