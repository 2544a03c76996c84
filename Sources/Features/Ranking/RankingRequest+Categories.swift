import Catalog
import Kernels
import Networks

/// Categories and lists of candidates.
extension RankingRequest {
    mutating func candidateIDs(_ operation: RankingEncoder.Operation, _ candidates: [RankingCandidate]) {
        ids.removeAll(keepingCapacity: true)
        if operation.source == .combination {
            for index in candidates.indices { ids.append(combined(operation) { part(at: $0, of: index) }) }
            return
        }
        let keys = encoder.columns.keys
        for candidate in candidates {
            let item = candidate.features
            switch operation.source {
            case .item(.id):
                let row = candidate.isAnonymous ? nil : candidate.row
                ids.append(
                    identity(operation, key: row.map { keys[$0].rawValue }, row: row.map { UInt32($0 + 1) }))
            case .item(.category): ids.append(identity(operation, key: UInt64(item.category), row: item.category))
            case .item(.author): ids.append(identity(operation, key: UInt64(item.author), row: item.author))
            case .item(.city): ids.append(identity(operation, key: UInt64(item.city), row: item.city))
            case .item(.geohash): ids.append(identity(operation, key: item.cell, row: 0))
            default: preconditionFailure("\(operation.source) is no category of an item")
            }
        }
    }

    /// A category of a candidate that was made before; the user's when it is one of his.
    private func part(at place: Int, of index: Int) -> UInt32 {
        index < categories[place].count ? categories[place][index] : userCategories[place]
    }

    func combined(_ operation: RankingEncoder.Operation, _ value: (Int) -> UInt32) -> UInt32 {
        var hash: UInt64 = 0
        for part in operation.parts { hash = Self.mixed(hash ^ UInt64(value(part)) &+ 0x9E37_79B9_7F4A_7C15) }
        return 1 + UInt32(hash % operation.buckets)
    }

    /// The row of a category, 0 for what is missing, ``FeatureCounter/outOfVocabulary`` for what is not known.
    ///
    /// - Parameters:
    ///   - key: what is hashed; 0 is missing, nil is not known.
    ///   - row: of the catalogue's numbering; nil is not known.
    func identity(_ operation: RankingEncoder.Operation, key: UInt64?, row: UInt32?) -> UInt32 {
        if operation.buckets > 0 {
            guard let key else { return FeatureCounter.outOfVocabulary }
            return key == 0 ? 0 : 1 + UInt32(Self.mixed(key) % operation.buckets)
        }
        guard let row, row < operation.rows || operation.vocabulary != nil else {
            return FeatureCounter.outOfVocabulary
        }
        guard let vocabulary = operation.vocabulary, row > 0 else { return row }
        let known = Int(row) < vocabulary.count ? vocabulary[Int(row)] : 0
        return known == 0 ? FeatureCounter.outOfVocabulary : known
    }

    /// The finaliser of MurmurHash3 (Appleby): every bit of the result depends on every bit of the key.
    private static func mixed(_ key: UInt64) -> UInt64 {
        var x = key
        x = (x ^ x >> 33) &* 0xFF51_AFD7_ED55_8CCD
        x = (x ^ x >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return x ^ x >> 33
    }

    mutating func tags(_ operation: RankingEncoder.Operation, _ candidates: [RankingCandidate], _ place: Int) {
        lists[place].removeAll()
        let tags = encoder.columns.tags
        for candidate in candidates {
            if let row = candidate.isAnonymous ? nil : candidate.row {
                for tag in tags.range(of: row) {
                    lists[place].rows.append(
                        known(identity(operation, key: UInt64(tags.rows[tag]), row: tags.rows[tag])))
                }
            }
            lists[place].offsets.append(lists[place].rows.count)
            counter?.count(operation.feature, id: lists[place].offsets.suffix(2).reduce(0) { $1 - $0 } > 0 ? 1 : 0)
        }
    }
}
