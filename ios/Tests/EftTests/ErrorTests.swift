import Foundation
import Testing

@testable import Eft

extension OnARealServer {
    @Test("A refused password is a typed error, and trying again does not help")
    func wrongPassword() async throws {
        let folder = try Folder()
        let account = try await folder.open().addAccount(try setting("ALICE"), password: "wrong")
        let options = try serverOptions()
        do throws(EftError) {
            try await account.connect(options)
            Issue.record("logged in with a wrong password")
        } catch {
            #expect(error.code == .authRejected)
            #expect(!error.isRetryable)
        }
        await account.shutDown()
    }

    @Test("A certificate of an unknown authority is a typed error")
    func unknownAuthority() async throws {
        let folder = try Folder()
        let account = try await folder.open().addAccount(try setting("ALICE"), password: try setting("ALICE_PASSWORD"))
        var options = try serverOptions()
        options.extraRootsPem = nil
        let distrustful = options
        await expect(.certificateRejected) { () async throws(EftError) in try await account.connect(distrustful) }
        await account.shutDown()
    }

    @Test("A call that is cancelled returns at once, and the account still works")
    func cancelledConnect() async throws {
        let silence = try SilentServer()
        let folder = try Folder()
        let account = try await folder.open().addAccount(try setting("ALICE"), password: try setting("ALICE_PASSWORD"))
        let nowhere = ConnectOptions(
            server: ServerAddress(host: "127.0.0.1", port: silence.port, directTls: false))
        let connecting = Task { () async -> EftError? in
            do throws(EftError) {
                try await account.connect(nowhere)
                return nil
            } catch {
                return error
            }
        }
        try await Task.sleep(nanoseconds: 300_000_000)
        let begin = Date()
        connecting.cancel()
        let error = try #require(await connecting.value)
        #expect(error.code == .cancelled)
        #expect(Date().timeIntervalSince(begin) < 1)
        await account.disconnect()
        try await account.connect(try serverOptions())
        await account.shutDown()
    }

    @Test("After shutting down every call is a typed error, and shutting down again is none")
    func afterShutDown() async throws {
        let alice = try await Person.login("ALICE")
        let bob = try setting("BOB")
        let conversation = try alice.account.conversation(with: bob)
        let options = try serverOptions()
        await alice.account.shutDown()
        let account = alice.account
        await expect(.suspended) { () async throws(EftError) in try await account.connect(options) }
        await expect(.suspended) { () async throws(EftError) in try await account.devices(of: bob) }
        await expect(.suspended) { () async throws(EftError) in try await account.verify(account.fingerprint, of: bob) }
        await expect(.suspended) { () async throws(EftError) in try await conversation.send("too late") }
        await expect(.suspended) { () async throws(EftError) in try await conversation.timeline() }
        await expect(.suspended) { () async throws(EftError) in try await conversation.optOut }
        await expect(.suspended) { () async throws(EftError) in try await conversation.keepEncrypted() }
        await expect(.suspended) { () async throws(EftError) in try await conversation.resend(1) }
        await expect(.suspended) { () async throws(EftError) in try await conversation.setSeparateVersions(true) }
        await expect(.suspended) { () async throws(EftError) in try await account.resetSessions() }
        #expect(account.jid == alice.jid)
        await account.disconnect()
        await account.shutDown()
        var late = account.events().makeAsyncIterator()
        #expect(await late.next() == nil)
    }
}

/// What needs no server.
@Suite(.timeLimit(.minutes(1))) struct ErrorTests {
    @Test("Rubbish instead of an address is a typed error", arguments: ["", "@@", "a b@example.org", "alice@", "\u{0}", "@example.org"])
    func rubbishAddress(rubbish: String) async throws {
        let eft = try Folder().open()
        await expect(.invalidInput) { () async throws(EftError) in try await eft.addAccount(rubbish, password: "secret") }
        await expect(.invalidInput) { () async throws(EftError) in try await eft.account(rubbish) }
        #expect(try eft.accounts == [])
        let account = try await eft.addAccount("alice@example.org", password: "secret")
        await expect(.invalidInput) { () async throws(EftError) in try account.conversation(with: rubbish) }
        await expect(.invalidInput) { () async throws(EftError) in try await account.devices(of: rubbish) }
        await expect(.invalidInput) { () async throws(EftError) in try await account.verify(account.fingerprint, of: rubbish) }
    }

    @Test("An account that is here cannot be added, one that is not cannot be opened")
    func wrongAccount() async throws {
        let eft = try Folder().open()
        _ = try await eft.addAccount("alice@example.org", password: "secret")
        await expect(.invalidInput) { () async throws(EftError) in try await eft.addAccount("alice@example.org", password: "secret") }
        await expect(.invalidInput) { () async throws(EftError) in try await eft.account("bob@example.org") }
    }

    @Test("What no message can hold, and a key from elsewhere, are typed errors")
    func wrongArguments() async throws {
        let account = try await Folder().open().addAccount("alice@example.org", password: "secret")
        let conversation = try account.conversation(with: "bob@example.org")
        await expect(.invalidInput) { () async throws(EftError) in try await conversation.send("") }
        await expect(.invalidInput) { () async throws(EftError) in try await conversation.send("a\u{0}b") }
        await expect(.invalidInput) { () async throws(EftError) in try await conversation.timeline(before: "yesterday") }
        #expect(try await conversation.timeline(limit: -1).messages.isEmpty)
        #expect(try await conversation.timeline(limit: .max).messages.isEmpty)
        await expect(.invalidInput) { () async throws(EftError) in try await conversation.resend(7) }
        await expect(.invalidInput) { () async throws(EftError) in try await account.acceptLegacy(device: 7, of: "bob@example.org") }
        await expect(.invalidInput) { () async throws(EftError) in try await account.acceptLegacy(device: 0, of: "bob@example.org") }
    }

    @Test("What nobody decided yet has a default, and a decision is kept")
    func defaults() async throws {
        let account = try await Folder().open().addAccount("alice@example.org", password: "secret")
        let conversation = try account.conversation(with: "bob@example.org")
        #expect(try await conversation.optOut == nil)
        try await conversation.keepEncrypted()
        #expect(try await !conversation.separateVersions)
        try await conversation.setSeparateVersions(true)
        #expect(try await account.conversation(with: "bob@example.org").separateVersions)
        #expect(try await account.resetSessions() == 0)
        #expect(try await account.resetSessions(with: "bob@example.org") == 0)
    }

    @Test("Nobody listening is offline, which is worth another try")
    func nobodyListening() async throws {
        let account = try await Folder().open().addAccount("alice@example.org", password: "secret")
        let port = try SilentServer().port
        let options = ConnectOptions(server: ServerAddress(host: "127.0.0.1", port: port, directTls: false))
        do throws(EftError) {
            try await account.connect(options)
            Issue.record("connected to nobody")
        } catch {
            #expect(error.code == .offline)
            #expect(error.isRetryable)
        }
        await account.shutDown()
    }

    @Test("A file where the folder should be is a typed error")
    func noFolder() async throws {
        let folder = try Folder()
        try Data("in the way".utf8).write(to: folder.url)
        await expect(.storeDamaged) { () async throws(EftError) in
            try Eft(folder: folder.url, secrets: FileSecrets(folder: folder.url))
        }
    }

    @Test("A secret store that fails is a typed error and no crash, whatever it throws")
    func failingSecrets() async throws {
        struct OnFire: Error {}
        let failures: [(any Error, String, KeyFault)] = [
            (SecretStoreError.locked("no unlock yet"), "locked", .locked),
            (SecretStoreError.lost("gone"), "the key is lost", .lost),
            (SecretStoreError.corrupt("bad tag"), "damaged", .damaged),
            (SecretStoreError.failed("out of ink"), "out of ink", .unavailable),
            (OnFire(), "OnFire", .unavailable),
        ]
        for (failure, word, fault) in failures {
            let eft = try Eft(folder: Folder().url, secrets: FailingSecrets(failure: failure))
            do throws(EftError) {
                _ = try await eft.addAccount("alice@example.org", password: "secret")
                Issue.record("an account without a key: \(failure)")
            } catch {
                #expect(error.code == .keyUnavailable)
                #expect(error.keyFault == fault)
                #expect(error.isRetryable == (fault == .locked || fault == .unavailable))
                #expect(error.reason.contains(word), "\(error)")
            }
            #expect(try eft.accounts == [])
        }
    }

    @Test("A task that is cancelled already begins nothing")
    func cancelledBefore() async throws {
        let eft = try Folder().open()
        let adding = Task { () async -> EftError.Code? in
            while !Task.isCancelled { await Task.yield() }
            do throws(EftError) {
                _ = try await eft.addAccount("alice@example.org", password: "secret")
                return nil
            } catch {
                return error.code
            }
        }
        adding.cancel()
        #expect(await adding.value == .cancelled)
        #expect(try eft.accounts == [])
    }

    @Test("A server that offers less than before has a code of its own, and trying again does not help")
    func downgrade() {
        let error = EftError(CoreError.Downgraded(reason: "no SASL2 any more") as any Error)
        #expect(error.code == .downgraded)
        #expect(error.reason == "no SASL2 any more")
        #expect(!error.isRetryable)
        #expect(error.keyFault == nil)
    }

    @Test("Codes are the same as in every other language")
    func codes() {
        #expect(
            EftError.Code.allCases.map(\.rawValue) == [
                "offline", "auth-rejected", "downgraded", "certificate-rejected", "server-too-old", "not-trusted",
                "no-recipients", "opted-out", "too-large", "key-unavailable", "store-locked", "store-damaged",
                "suspended", "cancelled", "invalid-input", "not-allowed", "bug",
            ])
    }
}

struct FailingSecrets: SecretStore {
    let failure: any Error

    func load(_ name: String) throws -> Data? { throw failure }
    func store(_ secret: Data, as name: String) throws { throw failure }
    func delete(_ name: String) throws { throw failure }
}

/// Takes connections and never says a word; released, the port answers nobody.
final class SilentServer: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (server, length) = (descriptor, size)
        let listening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(server, $0, length) == 0 && listen(server, 8) == 0 && getsockname(server, $0, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(listening)
    }

    deinit { close(descriptor) }
}
