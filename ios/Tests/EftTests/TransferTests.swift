import Foundation
import Testing

@testable import Eft

@Suite struct TransferTests {
    private let alice = "alice@example.org"
    private let bob = "bob@example.org"

    @Test("What was written is there after an import, and the identity only if it moves")
    func roundTrip() async throws {
        let folder = try Folder()
        let old = try await folder.open().addAccount(alice, password: "secret")
        _ = try await old.conversation(with: bob).send("From the old phone")
        for identity in [IdentityKey.stays, .moves] {
            let file = folder.url.appendingPathComponent("\(identity)")
            #expect(try await old.export(to: file, passphrase: "correct horse", identity: identity) == 1)
            let new = try await Folder().open()
                .importAccount(alice, password: "secret", from: file, passphrase: "correct horse")
            let page = try await new.conversation(with: bob).timeline()
            #expect(page.messages.map(\.text) == ["From the old phone"])
            #expect(new.deviceID != old.deviceID)
            #expect((new.fingerprint == old.fingerprint) == (identity == .moves))
            await new.shutDown()
        }
        await old.shutDown()
        let late = folder.url.appendingPathComponent("late")
        await expect(.suspended) { () async throws(EftError) in try await old.export(to: late, passphrase: "correct horse") }
    }

    @Test("A file or passphrase that is not right is refused, and the account can be added all the same")
    func damaged() async throws {
        let folder = try Folder()
        let old = try await folder.open().addAccount(alice, password: "secret")
        let file = folder.url.appendingPathComponent("history")
        await expect(.invalidInput) { () async throws(EftError) in try await old.export(to: file, passphrase: "") }
        let below = URL(fileURLWithPath: "/proc/none")
        await expect(.invalidInput) { () async throws(EftError) in try await old.export(to: below, passphrase: "x") }
        try await old.export(to: file, passphrase: "correct horse")
        await old.shutDown()
        let short = folder.url.appendingPathComponent("short")
        let whole = try Data(contentsOf: file)
        try whole.prefix(whole.count / 2).write(to: short)

        let eft = try Folder().open()
        let jid = alice
        for (path, passphrase) in [(file, "wrong"), (file, ""), (short, "correct horse"), (below, "correct horse")] {
            await expect(.invalidInput) { () async throws(EftError) in
                try await eft.importAccount(jid, password: "secret", from: path, passphrase: passphrase)
            }
        }
        try await eft.importAccount(jid, password: "secret", from: file, passphrase: "correct horse").shutDown()
    }

    @Test("An account whose key is lost is rebuilt when the user says so")
    func rebuilt() async throws {
        let folder = try Folder()
        let first = try await folder.open().addAccount(alice, password: "secret")
        await first.shutDown()
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("keys"))
        let eft = try folder.open()
        let jid = alice
        await expect(.keyUnavailable) { () async throws(EftError) in try await eft.account(jid) }
        let rebuilt = try await eft.rebuildAccount(jid, password: "secret")
        #expect(rebuilt.messageCount == 0)
        #expect(rebuilt.gapCount == 1)
        #expect(FileManager.default.fileExists(atPath: rebuilt.setAside.path))
        #expect(rebuilt.account.deviceID != first.deviceID)
        #expect(rebuilt.account.fingerprint != first.fingerprint)
        await rebuilt.account.shutDown()
        await expect(.invalidInput) { () async throws(EftError) in
            try await eft.rebuildAccount("nobody@example.org", password: "secret")
        }
    }
}

extension OnARealServer {
    @Test("A password that was changed elsewhere is given to the account")
    func newPassword() async throws {
        let account = try await Folder().open().addAccount(try setting("ALICE"), password: "of last year")
        let options = try serverOptions()
        await expect(.authRejected) { () async throws(EftError) in try await account.connect(options) }
        try await account.setPassword(try setting("ALICE_PASSWORD"))
        try await account.connect(options)
        await account.shutDown()
        await expect(.suspended) { () async throws(EftError) in try await account.setPassword("too late") }
    }
}
