import Foundation
import Testing

@testable import Eft

extension OnARealServer {
    @Test("Names and certificates are the app's to look up and judge, and who is asked may call Eft")
    func ownNetwork() async throws {
        let alice = try await account()
        let book = try PhoneBook()
        let judge = Judge { chain, domain in
            guard !chain.isEmpty, domain == book.domain else { throw CertificateRefused(.wrongName) }
            _ = try await alice.conversations
            alice.networkChanged()
        }
        let network = try Network(resolver: book, verifier: judge)
        try await alice.connect(ConnectOptions(network: network))
        #expect(book.asked.contains { $0.hasPrefix("here.\(book.domain)") })
        await alice.disconnect()
        try await alice.connect(ConnectOptions(network: network))
        await alice.shutDown()
    }

    @Test("Whatever a verifier throws is a no, with its reason")
    func refusals() async throws {
        let alice = try await account()
        let refusals: [(any Error & Sendable, String)] = [
            (CertificateRefused(.wrongName), "another domain"), (CertificateRefused(.unknownIssuer), "issuer is not trusted"),
            (CertificateRefused(.expired), "validity period"), (CertificateRefused(.revoked), "revoked"),
            (CertificateRefused(.notPinned), "pinned"), (CertificateRefused(.other(reason: "because of me")), "because of me"),
            (OnFire(), "OnFire"), (CancellationError(), "CancellationError"),
        ]
        for (refusal, reason) in refusals {
            let network = try Network(verifier: Judge { _, _ in throw refusal })
            let refusing = try options(network)
            do throws(EftError) {
                try await alice.connect(refusing)
                Issue.record("connected although \(refusal)")
            } catch {
                #expect(error.code == .certificateRejected)
                #expect(error.reason.contains(reason), "\(error.reason)")
            }
        }
        try await alice.connect(try options(try Network(verifier: Judge { _, _ in })))
        await alice.shutDown()
    }

    @Test("Whatever a resolver throws or finds is a typed error")
    func brokenResolvers() async throws {
        let alice = try await account()
        for broken in [
            Names(srv: { throw OnFire() }, addresses: { throw OnFire() }), Names(srv: { [] }, addresses: { [] }),
            Names(srv: { throw CancellationError() }, addresses: { throw CancellationError() }),
            Names(srv: { [] }, addresses: { ["not an address", "127.0.0.1"] }),
            Names(srv: { [SrvRecord(priority: 0, weight: 0, port: 1, target: "nowhere")] }, addresses: { ["127.0.0.1"] }),
        ] {
            let options = ConnectOptions(network: try Network(resolver: broken))
            await expect(.offline) { () async throws(EftError) in try await alice.connect(options) }
        }
        await alice.shutDown()
    }

    @Test("Who is asked may be given up while it thinks, and may end the account")
    func givenUp() async throws {
        let alice = try await account()
        let (asked, isAsked) = AsyncStream<Void>.makeStream()
        let slow = try options(
            try Network(
                verifier: Judge { _, _ in
                    isAsked.yield()
                    try await Task.sleep(nanoseconds: 60_000_000_000)
                }))
        let connecting = Task { () async -> EftError.Code? in
            do throws(EftError) {
                try await alice.connect(slow)
                return nil
            } catch {
                return error.code
            }
        }
        for await _ in asked { break }
        connecting.cancel()
        #expect(await connecting.value == .cancelled)
        await alice.disconnect()
        let ending = try options(try Network(verifier: Judge { _, _ in await alice.shutDown() }))
        await #expect(throws: EftError.self) { try await alice.connect(ending) }
        // It may be shutting down still.
        await alice.shutDown()
        await expect(.suspended) { () async throws(EftError) in try await alice.conversations }
    }

    private func account() async throws -> Account {
        try await Folder().open().addAccount(try setting("ALICE"), password: try setting("ALICE_PASSWORD"))
    }

    private func options(_ network: Network) throws -> ConnectOptions {
        var options = try serverOptions()
        options.extraRootsPem = nil
        options.network = network
        return options
    }
}

@Suite struct NetworkTests {
    @Test("What makes no sense is refused when it is made")
    func nonsense() async throws {
        let pin = Data(repeating: 7, count: 32)
        for made: () throws(EftError) -> Network in [
            { () throws(EftError) in try Network(keyPins: [Data()]) },
            { () throws(EftError) in try Network(keyPins: [pin, pin.dropLast()]) },
            { () throws(EftError) in try Network(verifier: Judge { _, _ in }, keyPins: [pin]) },
            { () throws(EftError) in try Network(proxy: .socks5(host: "", port: 1080, login: nil)) },
            { () throws(EftError) in try Network(proxy: .httpConnect(host: "proxy.example", port: 0, login: nil)) },
            { () throws(EftError) in try Network(webSocket: .at(url: "")) },
            { () throws(EftError) in try Network(webSocket: .at(url: "ws://a.example/")) },
        ] {
            await expect(.invalidInput) { () async throws(EftError) in try made() }
        }
        _ = try Network(keyPins: [pin], proxy: .socks5(host: "proxy.example", port: 1, login: nil), webSocket: .only)
    }

    @Test("The password of a proxy is not printed")
    func proxyLogin() {
        let printed = "\(Proxy.socks5(host: "proxy.example", port: 1080, login: ProxyLogin(name: "alice", password: "hush")))"
        #expect(printed.contains("proxy.example"))
        #expect(!printed.contains("hush"))
    }

    @Test("Security's codes for certificates have their meaning")
    func trustStatus() {
        #expect(TrustStatus.problem(-67602, "") == .wrongName)
        #expect(TrustStatus.problem(-67818, "") == .expired)
        #expect(TrustStatus.problem(-67819, "") == .expired)
        #expect(TrustStatus.problem(-67820, "") == .revoked)
        #expect(TrustStatus.problem(-67843, "") == .unknownIssuer)
        #expect(TrustStatus.problem(-1, "why") == .other(reason: "why (-1)"))
    }
}

private struct OnFire: Error {}

private struct Judge: CertificateVerifier {
    let judge: @Sendable (_ chain: [Data], _ domain: String) async throws -> Void

    func verify(_ chain: [Data], for domain: String) async throws { try await judge(chain, domain) }
}

private struct Names: Resolver {
    let srv: @Sendable () async throws -> [SrvRecord]
    let addresses: @Sendable () async throws -> [String]

    func srv(_ name: String) async throws -> [SrvRecord] { try await srv() }
    func addresses(of host: String) async throws -> [String] { try await addresses() }
}

/// Knows where one server listens.
private final class PhoneBook: Resolver, @unchecked Sendable {
    let domain: String
    private let host: String
    private let port: UInt16
    private let lock = NSLock()
    private var questions: [String] = []

    var asked: [String] { lock.withLock { questions } }

    init() throws {
        domain = String(try setting("ALICE").split(separator: "@")[1])
        host = try setting("HOST")
        port = try #require(UInt16(try setting("PORT")))
    }

    func srv(_ name: String) async throws -> [SrvRecord] {
        lock.withLock { questions.append(name) }
        guard name.hasPrefix("_xmpp-client._tcp.\(domain)") else { return [] }
        return [SrvRecord(priority: 0, weight: 0, port: port, target: "here.\(domain)")]
    }

    func addresses(of name: String) async throws -> [String] {
        lock.withLock { questions.append(name) }
        return name.hasPrefix("here.") ? [host] : []
    }
}
