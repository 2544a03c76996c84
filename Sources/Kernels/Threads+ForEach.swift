import Glibc
import Synchronization

extension Threads {
    /// One for every core of the machine.
    public static let all = Threads(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// Runs `body` once for every index and returns when all are done. A thread takes the next index when it is through
    /// with its last, so that work of uneven size is shared evenly.
    ///
    /// - Parameters:
    ///   - state: makes what one thread works with (buffers, sums); called once per thread.
    ///   - body: must not depend on which thread runs which index if results are to be repeatable.
    public func forEach<State>(
        _ indices: Range<Int>, state: () -> State, _ body: (inout State, Int) -> Void
    ) {
        let next = Atomic<Int>(indices.lowerBound)
        divide(min(count, indices.count), grain: 1) { _ in
            var own = state()
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < indices.upperBound else { return }
                body(&own, index)
            }
        }
    }

    /// Runs `body` once for every index, in no particular order, and returns when all are done.
    public func forEach(_ indices: Range<Int>, _ body: (Int) -> Void) {
        forEach(indices, state: {}, { (_: inout Void, index) in body(index) })
    }
}
