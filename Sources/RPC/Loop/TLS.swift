import NIOCore
import NIOSSL

/// How a server proves who it is, and whom it lets in.
public struct ServerTLS: Sendable, Hashable {
    /// PEM file of the certificate, followed by its intermediates.
    public var certificateChain: String
    /// PEM file of the private key.
    public var privateKey: String
    /// PEM file of the authorities whose clients are let in (mutual TLS); nil lets in everyone.
    public var clientAuthorities: String?

    public init(certificateChain: String, privateKey: String, clientAuthorities: String? = nil) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.clientAuthorities = clientAuthorities
    }

    func context() throws(RPCError) -> NIOSSLContext {
        try TLSFiles.reading {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try TLSFiles.certificates(certificateChain), privateKey: try TLSFiles.key(privateKey))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["h2"]
            if let clientAuthorities {
                configuration.trustRoots = .certificates(try TLSFiles.authorities(clientAuthorities))
                configuration.certificateVerification = .noHostnameVerification
            }
            return try NIOSSLContext(configuration: configuration)
        }
    }
}

/// How a client checks the server, and proves who it is.
public struct ClientTLS: Sendable, Hashable {
    /// PEM file of the authorities that may vouch for the server; nil trusts those of the system.
    public var authorities: String?
    /// The name that the server's certificate must carry, if not the address itself; nil expects the host of the target.
    public var serverName: String?
    /// PEM files of the client's own certificate and key, for servers that ask for them.
    public var certificateChain: String?
    public var privateKey: String?

    public init(
        authorities: String? = nil, serverName: String? = nil, certificateChain: String? = nil,
        privateKey: String? = nil
    ) {
        self.authorities = authorities
        self.serverName = serverName
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    func context() throws(RPCError) -> NIOSSLContext {
        guard (certificateChain == nil) == (privateKey == nil) else {
            throw RPCError(.invalidArgument, "TLS: a client certificate and its key are given together or not at all")
        }
        return try TLSFiles.reading {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["h2"]
            if let authorities { configuration.trustRoots = .certificates(try TLSFiles.authorities(authorities)) }
            if let certificateChain, let privateKey {
                configuration.certificateChain = try TLSFiles.certificates(certificateChain)
                configuration.privateKey = try TLSFiles.key(privateKey)
            }
            return try NIOSSLContext(configuration: configuration)
        }
    }
}

/// Reads PEM files with errors that name them.
private enum TLSFiles {
    static func reading<Result>(_ body: () throws -> Result) throws(RPCError) -> Result {
        do {
            return try body()
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(
                .invalidArgument, "TLS: the certificates and keys do not fit together: \(error)", cause: error)
        }
    }

    static func certificates(_ path: String) throws -> [NIOSSLCertificateSource] {
        try authorities(path).map { .certificate($0) }
    }

    static func authorities(_ path: String) throws -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw RPCError(.invalidArgument, "TLS: no certificates could be read from '\(path)'", cause: error)
        }
    }

    static func key(_ path: String) throws -> NIOSSLPrivateKeySource {
        do {
            return .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
        } catch {
            throw RPCError(.invalidArgument, "TLS: no private key could be read from '\(path)'", cause: error)
        }
    }
}
