/// A named group of methods that a server offers.
public protocol RPCService: Sendable {
    /// Full name, for instance "tributary.v1.Recall".
    static var serviceName: String { get }

    /// Adds every method of the service.
    func register(in router: inout Router)
}
