import EftGenerated
import Foundation

/// How the server is reached; the default asks the DNS.
public struct ConnectOptions: Sendable {
    /// Connect here instead of asking the DNS. The certificate has to name the account's domain all the same.
    public var server: ServerAddress?
    /// More certificate authorities to trust, PEM.
    public var extraRootsPem: String?
    /// Allows SASL PLAIN, which hands the password to the server.
    public var allowPlain: Bool
    /// What replaces a part of how connections are made.
    public var network: Network?
    /// How many messages of the account's past a new device fetches when it connects for the first time, 1 to 250; 100 if it is
    /// not said. What is older comes on demand: ``Conversation/loadOlder(limit:)``.
    public var firstHistoryCount: Int?

    public init(
        server: ServerAddress? = nil, extraRootsPem: String? = nil, allowPlain: Bool = false, network: Network? = nil,
        firstHistoryCount: Int? = nil
    ) {
        self.server = server
        self.extraRootsPem = extraRootsPem
        self.allowPlain = allowPlain
        self.network = network
        self.firstHistoryCount = firstHistoryCount
    }

    var core: CoreConnectOptions {
        CoreConnectOptions(
            server: server, extraRootsPem: extraRootsPem, allowPlain: allowPlain,
            firstHistoryCount: firstHistoryCount.map { UInt32(clamping: $0) }, network: network?.core)
    }
}

/// What replaces a part of how connections are made; the default replaces nothing. To be made once and used for every
/// connection: another object with a verifier is another trust, under which TLS begins from nothing again.
public final class Network: Sendable {
    let core: CoreNetwork

    /// - Parameters:
    ///   - resolver: Looks names up; `PlatformResolver` asks the system. Without one there are addresses, and no SRV records.
    ///   - verifier: Judges certificates, in place of the authorities that Eft brings and of
    ///     ``ConnectOptions/extraRootsPem``: on Apple's platforms a `PlatformVerifier`.
    ///   - keyPins: The server's key has to be one of these, each the SHA-256 of a `SubjectPublicKeyInfo` in DER (the value
    ///     of RFC 7469); empty for any key with a good certificate. Not together with a verifier, which can look at the key
    ///     itself.
    ///   - proxy: Goes through a proxy.
    ///   - webSocket: When to connect by WebSocket (RFC 7395).
    /// - Throws: `invalidInput` for a pin that is not of 32 bytes, for pins beside a verifier, and for a proxy or an address
    ///   that is none.
    public init(
        resolver: (any Resolver)? = nil, verifier: (any CertificateVerifier)? = nil, keyPins: [Data] = [],
        proxy: Proxy? = nil, webSocket: WebSocketUse = .whenBlocked
    ) throws(EftError) {
        core = try mapped {
            try CoreNetwork(
                resolver: resolver.map(HostResolver.init), verifier: verifier.map(HostVerifier.init), keyPins: keyPins,
                proxy: proxy, websocket: webSocket)
        }
    }
}
