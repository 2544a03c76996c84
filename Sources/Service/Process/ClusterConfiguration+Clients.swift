public import RPC

extension ClusterConfiguration {
    /// A client of the replicas at `targets`, by this cluster's security.
    public func client(
        _ targets: [String], configuration: ClientConfiguration = ClientConfiguration()
    ) throws(RPCError) -> Client {
        var configuration = configuration
        configuration.tls = tls.map {
            ClientTLS(
                authorities: $0.authority, certificateChain: $0.clientAuthority == nil ? nil : $0.certificate,
                privateKey: $0.clientAuthority == nil ? nil : $0.key)
        }
        return try Client(targets: targets, configuration: configuration)
    }
}
