/// What a search writes to. Reused from search to search, so that searching allocates nothing per vector; belongs to
/// one search at a time.
package final class SearchScratch {
    /// Vectors scored at a time: their scores stay in the first-level cache.
    static let block = 1024

    let scores: UnsafeMutablePointer<Float>
    /// The kernel that fills it may write 8 entries too many.
    let positions: UnsafeMutablePointer<UInt32>

    package init() {
        scores = .allocate(capacity: Self.block)
        positions = .allocate(capacity: Self.block + 8)
    }

    deinit {
        scores.deallocate()
        positions.deallocate()
    }
}
