import Kernels

import func Glibc.log

/// Finds the users most similar to one after another, by what they like: UserCF, offline and live.
///
/// Sums lie in a dense lane of doubles, emptied through the list of touched users. One thread at a time.
struct SimilarUsers {
    /// Numerators of the similarities by user; 0 between calls.
    private var sums: [Double]
    private var touched: [UInt32] = []
    private var top: TopK

    init(users: Int, neighbours: Int) {
        sums = [Double](repeating: 0, count: users)
        top = TopK(neighbours)
    }

    /// 1 / log(1 + n_l): what an item that n_l users like counts; 0 for one that nobody likes.
    static func weight(likes: Int) -> Float {
        likes > 0 ? Float(1 / log(1 + Double(likes))) : 0
    }

    /// Takes note that the user likes an item of this weight, above 0, that these users like.
    mutating func add(_ weight: Float, to users: UnsafeBufferPointer<UInt32>) {
        sums.withUnsafeMutableBufferPointer { sums in
            for user in users {
                if sums[Int(user)] == 0 { touched.append(user) }
                sums[Int(user)] += Double(weight)
            }
        }
    }

    /// The most similar users, best first, ties by ascending row; leaves nothing behind.
    ///
    /// - Parameters:
    ///   - history: |J| of the user.
    ///   - histories: |J| by row, at least 1 for every row that was added to.
    ///   - own: the user's own row, which is left out.
    mutating func take(history: Int, histories: UnsafeBufferPointer<UInt32>, but own: Int?) -> [Scored] {
        for user in touched {
            let row = Int(user)
            if row != own {
                let length = (Double(history) * Double(histories[row])).squareRoot()
                top.offer(score: Float(sums[row] / length), id: UInt64(user))
            }
            sums[row] = 0
        }
        touched.removeAll(keepingCapacity: true)
        return top.take()
    }
}
