/// Adds up scores by row and gives back the rows that got some, in the order they were first met.
///
/// A dense lane of floats that is emptied through the list of touched rows: adding costs one access, and no work or
/// memory is left behind by rows that are not touched.
struct SparseSums: ~Copyable {
    private var sums: UnsafeMutableBufferPointer<Float>
    private var touched: UnsafeMutableBufferPointer<UInt32>
    private var count = 0

    init() {
        sums = .allocate(capacity: 0)
        touched = .allocate(capacity: 0)
    }

    deinit {
        sums.deallocate()
        touched.deallocate()
    }

    /// Makes room for rows 0..<rows; nothing may be added up at the time.
    mutating func reserve(rows: Int) {
        precondition(count == 0, "sums grow between channels only")
        guard rows > sums.count else { return }
        sums.deallocate()
        touched.deallocate()
        sums = .allocate(capacity: rows)
        sums.initialize(repeating: 0)
        touched = .allocate(capacity: rows)
    }

    /// Adds a positive score to a row.
    @inline(__always)
    mutating func add(_ score: Float, to row: UInt32) {
        let old = sums[Int(row)]
        let new = old + score
        // A score too small for a float leaves the row untouched.
        if old == 0, new > 0 {
            touched[count] = row
            count += 1
        }
        sums[Int(row)] = new
    }

    /// Calls `body` with every touched row and its sum, and leaves all sums zero.
    @inline(__always)
    mutating func drain(_ body: (UInt32, Float) -> Void) {
        for place in 0..<count {
            let row = Int(touched[place])
            body(touched[place], sums[row])
            sums[row] = 0
        }
        count = 0
    }
}
