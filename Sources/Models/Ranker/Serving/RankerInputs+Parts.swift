import Features
import Networks

extension RankerInputs {
    /// Some of the rows; what is given once for all stays so.
    ///
    /// - Parameter model: Tells how many numbers a row has.
    func part(_ rows: Range<Int>, _ model: RankerSpecification) -> RankerInputs {
        guard rows != 0..<count else { return self }
        return RankerInputs(
            count: rows.count, fields: zip(fields, model.fields).map { $0.part(rows, numbers: $1.count) },
            histories: histories.map { $0.part(rows) })
    }
}

extension RankerInputs.Column {
    fileprivate func part(_ rows: Range<Int>, numbers width: Int) -> Self {
        switch self {
        case .categorical(let values): return values.count == 1 ? self : .categorical(Array(values[rows]))
        case .multivalued(let lists):
            guard lists.count > 1 else { return self }
            let start = lists.offsets[rows.lowerBound]
            return .multivalued(
                RaggedRows(
                    rows: Array(lists.rows[start..<lists.offsets[rows.upperBound]]),
                    offsets: lists.offsets[rows.lowerBound...rows.upperBound].map { $0 - start }))
        case .numbers(let values):
            guard values.count > width else { return self }
            return .numbers(Array(values[rows.lowerBound * width..<rows.upperBound * width]))
        }
    }
}

extension RankerInputs.History {
    fileprivate func part(_ rows: Range<Int>) -> Self {
        guard offsets.count > 2 else { return self }
        let (start, end) = (offsets[rows.lowerBound], offsets[rows.upperBound])
        return Self(
            columns: columns.map { Array($0[start..<end]) }, ages: ages.isEmpty ? [] : Array(ages[start..<end]),
            offsets: offsets[rows.lowerBound...rows.upperBound].map { $0 - start })
    }
}
