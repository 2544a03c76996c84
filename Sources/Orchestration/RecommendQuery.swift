import Catalog
import Messages
import RPC

/// A validated request for one page.
struct RecommendQuery: Sendable {
    var user: UserKey
    var pageSize: Int
    /// Ascending.
    var excluded: [ItemKey]
    var surface: String?
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
        for key in request.context.keys.sorted() where key != "surface" {
            throw RPCError(.invalidArgument, "context: unknown key '\(key)'; known here: surface")
        }
        if !request.requestID.isEmpty { try RequestLimits.check(id: request.requestID, "request_id") }
        user = UserKey(publicID: request.userID)
        pageSize = request.pageSize == 0 ? configuration.pageSize : Int(request.pageSize)
        excluded = request.excludeItemIDs.map { ItemKey(publicID: $0) }.sorted()
        surface = request.context["surface"]
        requestID = request.requestID.isEmpty ? String(UInt64.random(in: 1 ... .max), radix: 16) : request.requestID
    }
}

extension RequestLimits {
    static func check(id: String, _ field: String) throws(RPCError) {
        guard !id.isEmpty else { throw RPCError(.invalidArgument, "\(field): expected an id, found an empty string") }
        guard id.utf8.count <= idBytesMax else {
            throw RPCError(
                .invalidArgument, "\(field): expected at most \(idBytesMax) bytes, found \(id.utf8.count)")
        }
    }
}
