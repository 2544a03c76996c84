/// Names one method of a service and fixes the types of its messages.
public struct RPCMethod<Request: RPCMessage, Response: RPCMessage>: Sendable {
    /// Full name of the service, for instance "tributary.v1.Recall".
    public let service: String
    /// Name of the method within the service, for instance "Recall".
    public let name: String
    /// What goes over the wire: "/service/name".
    public let path: String

    public init(service: String, name: String) {
        self.service = service
        self.name = name
        path = "/\(service)/\(name)"
    }
}
