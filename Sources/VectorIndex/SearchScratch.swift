import Kernels

/// What a search writes to. Reused from search to search, so that searching allocates nothing per vector; belongs to
/// one search at a time.
package final class SearchScratch {
    /// Vectors scored at a time: their scores stay in the first-level cache.
    static let block = 1024

    /// The query, padded to what the codes need.
    var query = GrowingBuffer<Float>()
    var scores = GrowingBuffer<Float>()
    /// The best of each column of scores, of which a bar is taken.
    var columns = GrowingBuffer<Float>()
    /// Of the candidates: what is kept while lists are scanned.
    var positions = GrowingBuffer<UInt32>()
    var keptScores = GrowingBuffer<Float>()
    var ranked = GrowingBuffer<Ranked>()
    /// The nearest lists, best first.
    var near = GrowingBuffer<Ranked>()
    var nearScores = GrowingBuffer<Float>()
    var nearPositions = GrowingBuffer<UInt32>()
    /// Which lists were scanned; used when a search goes on beyond those chosen at first.
    var visited = GrowingBuffer<Bool>()
    /// Sums of codes, parallel to `positions`.
    var sums = GrowingBuffer<UInt16>()
    var histogram = GrowingBuffer<UInt32>()
    var tables = GrowingBuffer<UInt8>()
    var tableWork = GrowingBuffer<Float>()
    let bytes = ByteQuery()
    /// Vectors of all lists that searches scanned: what a build chooses by.
    var scanned = 0

    package init() {}
}
