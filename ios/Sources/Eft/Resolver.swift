import EftGenerated

/// Looks names up. Called in tasks of Eft, which must not be blocked; what it throws means that the DNS did not answer.
public protocol Resolver: Sendable {
    /// The SRV records (RFC 2782) of a full name such as `_xmpp-client._tcp.example.org`; an empty array if there are none.
    func srv(_ name: String) async throws -> [SrvRecord]

    /// The addresses of a host as text, such as `192.0.2.1`; an empty array if there are none.
    func addresses(of host: String) async throws -> [String]
}

/// Shows the app's resolver to the core.
final class HostResolver: CoreResolver {
    private let resolver: any Resolver

    init(_ resolver: any Resolver) {
        self.resolver = resolver
    }

    func srv(name: String, reply: SrvReply) {
        let resolver = resolver
        Task {
            do {
                reply.found(records: try await resolver.srv(name))
            } catch {
                reply.failed(reason: String(describing: error))
            }
        }
    }

    func addresses(host: String, reply: AddressReply) {
        let resolver = resolver
        Task {
            do {
                reply.found(addresses: try await resolver.addresses(of: host))
            } catch {
                reply.failed(reason: String(describing: error))
            }
        }
    }
}
