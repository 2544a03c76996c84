import Models

extension FunnelConfiguration {
    init(reader: inout ConfigurationReader) throws(ConfigurationError) {
        pageSize = try reader.integer("page_size", in: 1...500) ?? pageSize
        channels = try reader.integers("channels", in: 1...1000) ?? channels
        preRank = try reader.section("prerank", PreRankConfiguration.init(reader:)) ?? preRank
        rankLimit =
            try reader.section("rank") { section throws(ConfigurationError) in
                try section.integer("limit", in: 1...2000) ?? FunnelConfiguration().rankLimit
            } ?? rankLimit
        fusion = try reader.section("fusion", FusionSpecification.init(reader:)) ?? fusion
        newItemPlaces = try reader.integer("new_item_places", in: 0...20) ?? newItemPlaces
        rejectedLog = try reader.section("rejected_log", RejectedLogSizes.init(reader:)) ?? rejectedLog
        let minimums = channels.count * preRank.channelMinimum
        guard minimums <= preRank.keep else {
            throw reader.refusal(
                "\(reader.path).prerank.channel_minimum: expected at most \(preRank.keep) candidates of all channels "
                    + "together, found \(channels.count) times \(preRank.channelMinimum)")
        }
    }
}

extension RejectedLogSizes {
    init(reader: inout ConfigurationReader) throws(ConfigurationError) {
        perPage = try reader.integer("per_page", in: 1...100) ?? perPage
        megabytes = try reader.integer("megabytes", in: 1...65_536) ?? megabytes
    }
}

extension PreRankConfiguration {
    init(reader: inout ConfigurationReader) throws(ConfigurationError) {
        keep = try reader.integer("keep", in: 1...2000) ?? keep
        channelMinimum = try reader.integer("channel_minimum", in: 0...2000) ?? channelMinimum
        categoryMinimum = try reader.integer("category_minimum", in: 0...2000) ?? categoryMinimum
    }
}

extension FusionSpecification {
    init(reader: inout ConfigurationReader) throws(ConfigurationError) {
        guard let formula = try reader.choice("formula", Formula.self) else { throw reader.missing("formula") }
        guard let terms = try reader.sections("terms", FusionTerm.init(reader:)) else { throw reader.missing("terms") }
        self.init(formula, terms)
        do throws(ModelError) {
            try validate(reader.path)
        } catch {
            throw reader.refusal(error.message)
        }
    }
}

extension FusionTerm {
    fileprivate init(reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            head: try reader.string("head"), attribute: try reader.choice("attribute"),
            weight: try reader.number("weight"), power: try reader.number("power"),
            offset: try reader.number("offset"), lengthAdjusted: try reader.boolean("length_adjusted") ?? false)
    }

    /// As it is written in a file.
    var yaml: String {
        var parts = [head.map { "head: \($0)" }, attribute.map { "attribute: \($0.rawValue)" }].compactMap(\.self)
        for (key, value) in [("weight", weight), ("power", power), ("offset", offset)] {
            if let value { parts.append("\(key): \(value)") }
        }
        if lengthAdjusted { parts.append("length_adjusted: true") }
        return "{\(parts.joined(separator: ", "))}"
    }
}
