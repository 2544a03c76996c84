import Kernels

/// Gradients of the rows of an embedding table that a batch touched, each row once. One thread at a time.
///
/// A row's contributions are added in the order in which they were given, whatever the number of threads.
final class SparseGradient {
    /// The rows touched, in order of first touch.
    private(set) var rows: [UInt32] = []
    /// `[rows.count, width]`: the sum of the contributions to each row.
    private(set) var values: UnsafeMutablePointer<Float>
    private var capacity = 0
    /// A row whose contributions are passed over.
    private let skipped: UInt32?
    /// `[rows of the table]`, slot of a touched row, else -1.
    private var slots: [Int32] = []
    /// Slot of each contribution of the current call, -1 of one that is passed over.
    private var targets: [Int32] = []

    /// Below this many contributions a second thread does not pay.
    private static let grain = 2048

    init(skipping row: UInt32?) {
        skipped = row
        values = .allocate(capacity: 1)
    }

    deinit {
        values.deallocate()
    }

    /// Adds `factor(i) * source(i)` to row `rows[i]`, for every i.
    ///
    /// - Parameters:
    ///   - tableRows: rows of the table; every index is below it.
    ///   - source: the address of contribution i, `[width]`.
    /// - Complexity: O(rows.count * width).
    func add(
        rows indices: UnsafeBufferPointer<UInt32>, tableRows: Int, width: Int, threads: Threads,
        factor: (Int) -> Float, source: (Int) -> UnsafePointer<Float>
    ) {
        assignSlots(indices, tableRows: tableRows)
        reserve(width)
        let parts = min(threads.count, max(1, indices.count / SparseGradient.grain))
        let (values, targets, kernels) = (values, targets, Kernels.kernels)
        threads.divide(parts, grain: 1) { range in
            for index in indices.indices {
                let slot = Int(targets[index])
                guard slot >= 0, parts == 1 || range.contains(slot % parts) else { continue }
                if index + Workspace.rowsAhead < targets.count {
                    let next = max(0, Int(targets[index + Workspace.rowsAhead]))
                    kernels.prefetch(values + next * width, count: width)
                }
                kernels.axpy(factor(index), source(index), values + slot * width, count: width)
            }
        }
    }

    func removeAll() {
        for row in rows { slots[Int(row)] = -1 }
        rows.removeAll(keepingCapacity: true)
        prepared = 0
    }

    private func assignSlots(_ indices: UnsafeBufferPointer<UInt32>, tableRows: Int) {
        if slots.isEmpty { slots = Array(repeating: -1, count: tableRows) }
        // Locals, so that the loop checks no property for exclusive access.
        var (known, rows, targets) = (self.slots, self.rows, self.targets)
        (self.slots, self.rows, self.targets) = ([], [], [])
        targets.removeAll(keepingCapacity: true)
        for row in indices {
            var slot = known[Int(row)]
            if slot < 0, row != skipped {
                slot = Int32(rows.count)
                known[Int(row)] = slot
                rows.append(row)
            }
            targets.append(slot)
        }
        (self.slots, self.rows, self.targets) = (known, rows, targets)
    }

    /// Slots whose values are zeroed or in use.
    private var prepared = 0

    /// Makes room for every slot and zeroes the new ones.
    private func reserve(_ width: Int) {
        if rows.count * width > capacity {
            capacity = max(rows.count * width, 2 * capacity)
            let larger = UnsafeMutablePointer<Float>.allocate(capacity: capacity)
            larger.update(from: values, count: prepared * width)
            values.deallocate()
            values = larger
        }
        (values + prepared * width).update(repeating: 0, count: (rows.count - prepared) * width)
        prepared = rows.count
    }
}
