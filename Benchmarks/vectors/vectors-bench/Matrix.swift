import ArgumentParser
import Foundation
import Kernels

/// A matrix of a NumPy file: version 1 to 3, C order, little-endian.
struct Matrix<Element: BitwiseCopyable & Sendable> {
    let rows: Int
    let columns: Int
    let values: SharedBuffer<Element>

    /// - Parameter type: as NumPy writes it: `<f4`, `|u1`.
    init(path: String, type: String) throws {
        let data = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
        guard data.count > 12, data.prefix(6) == Data([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) else {
            throw ValidationError("\(path): expected a NumPy file")
        }
        let sized = data[6] == 1 ? 2 : 4
        let length = data[8..<8 + sized].reversed().reduce(0) { $0 << 8 | Int($1) }
        let start = 8 + sized + length
        guard start <= data.count else { throw ValidationError("\(path): the header is cut off") }
        let header = String(decoding: data[8 + sized..<start], as: UTF8.self)
        let sizes = header.firstMatch(of: /'shape': \(([0-9, ]+)\)/)?.1.split(separator: ",")
            .compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard header.contains("'descr': '\(type)'"), header.contains("'fortran_order': False"), let sizes,
            let rows = sizes.first, data.count == start + sizes.reduce(MemoryLayout<Element>.stride, *)
        else { throw ValidationError("\(path): expected a whole matrix of \(type) in C order, found \(header)") }
        self.rows = rows
        columns = sizes.dropFirst().reduce(1, *)
        values = data.withUnsafeBytes { bytes in
            SharedBuffer(UnsafeRawBufferPointer(rebasing: bytes[start...]).bindMemory(to: Element.self))
        }
    }

    func row(_ row: Int) -> SharedBuffer<Element> {
        values[shared: row * columns..<(row + 1) * columns]
    }
}
