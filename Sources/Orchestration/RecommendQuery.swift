import Catalog
import Messages
import RPC

/// A validated request for one page.
struct RecommendQuery: Sendable {
    var user: UserKey
    var pageSize: Int
    /// Ascending.
    var excluded: [ItemKey]
    /// What he says of the scene, by key.
    var context: [String: String]
    /// Where the user says he is.
    var place: Place?
    /// Key of the city he says he is in; 0 when he does not.
    var city: UInt64
    var requestID: String

    /// - Throws: INVALID_ARGUMENT that names the field, what was expected and what was found.
    init(_ request: RecommendRequest, configuration: OrchestratorConfiguration) throws(RPCError) {
        try RequestLimits.check(id: request.userID, "user_id")
        guard request.pageSize <= RequestLimits.pageSizeMax else {
            throw RPCError(
                .invalidArgument,
                "page_size: expected 1 to \(RequestLimits.pageSizeMax), or 0 for \(configuration.pageSize), "
                    + "found \(request.pageSize)")
        }
        guard request.excludeItemIDs.count <= RequestLimits.excludedMax else {
            throw RPCError(
                .invalidArgument,
                "exclude_item_ids: expected at most \(RequestLimits.excludedMax), found \(request.excludeItemIDs.count)"
            )
        }
        for id in request.excludeItemIDs { try RequestLimits.check(id: id, "exclude_item_ids") }
        if !request.requestID.isEmpty { try RequestLimits.check(id: request.requestID, "request_id") }
        guard request.context.count <= RequestLimits.contextMax else {
            throw RPCError(
                .invalidArgument,
                "context: expected at most \(RequestLimits.contextMax) keys, found \(request.context.count)")
        }
        for (key, value) in request.context {
            _ = try RequestLimits.text(key, "context")
            _ = try RequestLimits.text(value, "context: \(key)")
        }
        user = UserKey(publicID: request.userID)
        pageSize = request.pageSize == 0 ? configuration.pageSize : Int(request.pageSize)
        excluded = request.excludeItemIDs.map { ItemKey(publicID: $0) }.sorted()
        context = request.context
        place = try Self.place(request.context)
        city = request.context["city"].map { $0.isEmpty ? 0 : PublicID.key(of: $0) } ?? 0
        requestID = request.requestID.isEmpty ? String(UInt64.random(in: 1 ... .max), radix: 16) : request.requestID
    }
}

extension RecommendQuery {
    /// The scene of the request, in a snapshot's rows; what its log does not have is unknown.
    ///
    /// - Parameter notes: are told of keys that the snapshot's data set does not have. They fail no request: another
    ///   snapshot, before this one or after it, may have them.
    func scene(at now: Int64, on snapshot: FunnelSnapshot, notes: inout CompletenessNotes) -> Catalog.Scene {
        let known = snapshot.contexts.known
        let unused = context.keys.filter { !known.contains($0) }.sorted()
        if let first = unused.first {
            let more = unused.count > 1 ? " and \(unused.count - 1) more keys" : ""
            notes.note(
                "context: not used: '\(first)'\(more), which the snapshot's data set does not have; known here: "
                    + known.sorted().joined(separator: ", "))
        }
        return Catalog.Scene(
            timeMilliseconds: now, surface: context["surface"].map { snapshot.surface(named: $0) } ?? 0,
            contexts: snapshot.contexts.rows(context, place: place))
    }

    /// - Throws: INVALID_ARGUMENT when one coordinate comes without the other or is beyond its range.
    private static func place(_ context: [String: String]) throws(RPCError) -> Place? {
        guard let latitude = try degrees("latitude", -90...90, context) else {
            guard context["longitude"] == nil else {
                throw RPCError(.invalidArgument, "context: longitude: expected latitude too, found none")
            }
            return nil
        }
        guard let longitude = try degrees("longitude", -180...180, context) else {
            throw RPCError(.invalidArgument, "context: latitude: expected longitude too, found none")
        }
        return Place(latitude: latitude, longitude: longitude)
    }

    private static func degrees(
        _ key: String, _ range: ClosedRange<Double>, _ context: [String: String]
    ) throws(RPCError) -> Double? {
        guard let text = context[key] else { return nil }
        guard let value = Double(text), range.contains(value) else {
            throw RPCError(
                .invalidArgument,
                "context: \(key): expected \(Int(range.lowerBound)) to \(Int(range.upperBound)) degrees, found "
                    + "'\(text.prefix(40))'")
        }
        return value
    }
}

extension RequestLimits {
    static func text(_ text: String, _ field: String) throws(RPCError) -> String {
        guard text.utf8.count <= textBytesMax else {
            throw RPCError(
                .invalidArgument, "\(field): expected at most \(textBytesMax) bytes, found \(text.utf8.count)")
        }
        return text
    }

    static func amount(_ amount: Float, _ field: String, max: Float) throws(RPCError) -> Float {
        guard amount >= 0, amount <= max else {
            throw RPCError(.invalidArgument, "\(field): expected 0 to \(max), found \(amount)")
        }
        return amount
    }

    static func amount(_ time: Int64, _ field: String) throws(RPCError) -> Int64 {
        guard time >= 0, time <= timeMillisecondsMax else {
            throw RPCError(.invalidArgument, "\(field): expected milliseconds since 1970, found \(time)")
        }
        return time
    }

    static func place(_ coordinates: Coordinates?) throws(RPCError) -> Place? {
        guard let coordinates else { return nil }
        guard let place = Place(latitude: coordinates.latitude, longitude: coordinates.longitude) else {
            throw RPCError(
                .invalidArgument,
                "place: expected latitude -90 to 90 and longitude -180 to 180, found \(coordinates.latitude) and "
                    + "\(coordinates.longitude)")
        }
        return place
    }

    static func check(id: String, _ field: String) throws(RPCError) {
        guard !id.isEmpty else { throw RPCError(.invalidArgument, "\(field): expected an id, found an empty string") }
        guard id.utf8.count <= idBytesMax else {
            throw RPCError(
                .invalidArgument, "\(field): expected at most \(idBytesMax) bytes, found \(id.utf8.count)")
        }
    }
}
