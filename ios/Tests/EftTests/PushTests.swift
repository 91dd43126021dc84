import Eft
import Foundation
import Testing

extension OnARealServer {
    @Test("A registration for pushes waits for the server, is agreed to, is proven by a push, and is taken back")
    func pushes() async throws {
        let begin = Int64(Date().timeIntervalSince1970 * 1000) - 1000
        let folder = try Folder()
        let account = try await folder.open().addAccount(try setting("ALICE"), password: try setting("ALICE_PASSWORD"))
        #expect(try await account.pushHealth == nil)
        try await account.registerPush(target)
        #expect(try await account.pushHealth == .waiting)

        try await account.connect(try serverOptions())
        let agreed = try await time(of: account) { if case .registered(let at) = $0 { at } else { nil } }
        #expect(agreed >= begin)

        _ = try await account.handlePush(try serverOptions(), within: 20)
        let proven = try await time(of: account) { if case .proven(let at) = $0 { at } else { nil } }
        #expect(proven >= agreed)

        // A new token begins anew, at once where there is a connection.
        var renewed = target
        renewed.node = "after a new token"
        try await account.registerPush(renewed)
        _ = try await time(of: account) { if case .registered(let at) = $0 { at } else { nil } }
        try await account.unregisterPush()
        #expect(try await account.pushHealth == nil)
        await account.shutDown()
        await expect(.suspended) { () async throws(EftError) in try await account.pushHealth }
        await expect(.suspended) { () async throws(EftError) in try await account.registerPush(target) }
        await expect(.suspended) { () async throws(EftError) in try await account.unregisterPush() }
    }

    @Test("A push is asked for and arrives in an extension, and one that nobody answers is missed")
    func selfTest() async throws {
        let folder = try Folder()
        let account = try await folder.open().addAccount(try setting("ALICE"), password: try setting("ALICE_PASSWORD"))
        await expect(.offline) { () async throws(EftError) in
            try await account.registerPush(PushTarget(service: "push.example.org"))
            _ = try await account.testPush(within: 1)
        }
        try await account.unregisterPush()
        try await account.connect(try serverOptions())
        #expect(try await account.testPush(within: 1) == .notPossible(obstacle: .notRegistered))
        try await account.registerPush(PushTarget(service: try setting("PUSH_SERVICE"), node: "swift"))
        _ = try await time(of: account) { if case .registered(let at) = $0 { at } else { nil } }

        let running = Task { try await account.testPush(within: 30) }
        try await waitUntil { try String(contentsOfFile: try setting("PUSHES"), encoding: .utf8).contains("swift\n") }
        // The system wakes the extension, whether the app runs or not.
        let beside = try await folder.open(isExtension: true).account(try setting("ALICE"))
        #expect(try await beside.handlePush(try serverOptions(), within: 20).complete)
        try await beside.suspend()
        await beside.shutDown()
        let result = try await running.value
        guard case .arrived(let after) = result else { throw Unexpected(what: "\(result)") }
        #expect(after < 30_000)
        _ = try await time(of: account) { if case .proven(let at) = $0 { at } else { nil } }

        try await waitUntil { if case .online = account.connection { true } else { false } }
        #expect(try await account.testPush(within: 1) == .missed(leg: .appServerToPhone))
        #expect(try await account.pushHealth == .stale)
        await account.shutDown()
        await expect(.suspended) { () async throws(EftError) in try await account.testPush(within: 1) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct PushTests {
    @Test("Without a connection a registration is kept and forgotten here")
    func offline() async throws {
        let account = try await Folder().open().addAccount("alice@example.org", password: "secret")
        try await account.unregisterPush()
        try await account.registerPush(PushTarget(service: "push.example.org"))
        #expect(try await account.pushHealth == .waiting)
        try await account.unregisterPush()
        #expect(try await account.pushHealth == nil)
        await account.shutDown()
    }

    @Test("A target that cannot be said in XML is a typed error, and nothing is kept")
    func rubbish() async throws {
        let account = try await Folder().open().addAccount("alice@example.org", password: "secret")
        let rubbish = [
            PushTarget(service: ""), PushTarget(service: "@@"), PushTarget(service: "push.example.org", node: ""),
            PushTarget(service: "push.example.org", node: "a\u{0}b"),
            PushTarget(service: "push.example.org", options: [PushOption(name: "secret", value: "\u{7}")]),
        ]
        for target in rubbish {
            await expect(.invalidInput) { () async throws(EftError) in try await account.registerPush(target) }
            #expect(try await account.pushHealth == nil)
        }
        await account.shutDown()
    }

    @Test("What wakes a phone is not printed")
    func printed() {
        let printed = "\(target) \(target.options) \(String(reflecting: target))"
        #expect(printed.contains("push.example.org"))
        #expect(!printed.contains("node-of-this-phone"))
        #expect(!printed.contains("hush"))
    }
}

private let target = PushTarget(
    service: "push.example.org", node: "node-of-this-phone", options: [PushOption(name: "secret", value: "hush")])

private struct Unexpected: Error { let what: String }

/// Waits until something holds; fails after ten seconds.
private func waitUntil(_ holds: () throws -> Bool) async throws {
    for _ in 0..<1000 where try !holds() { try await Task.sleep(nanoseconds: 10_000_000) }
    #expect(try holds())
}

/// Waits until the registration stands as it should, and says since when; fails after ten seconds.
private func time(of account: Account, _ wanted: (PushHealth) -> Int64?) async throws -> Int64 {
    for _ in 0..<1000 {
        if let health = try await account.pushHealth, let at = wanted(health) { return at }
        try await Task.sleep(nanoseconds: 10_000_000)
    }
    return try #require(nil as Int64?, "the registration never stood as it should")
}
