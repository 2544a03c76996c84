public import Catalog
import Kernels

extension ExposureTable {
    /// Whether a row tells what follows a showing: the rows that rates and rankers learn from.
    ///
    /// In a log with showings, an action whose showing is not in the log says nothing of rates: it was logged because
    /// the action happened. In a log without negatives every row counts, beside sampled negatives.
    public func isTrial(_ row: Int) -> Bool {
        !hasNegatives || Actions(rawValue: actions[row]).contains(.impression)
    }
}
