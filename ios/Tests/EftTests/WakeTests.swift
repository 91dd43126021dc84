import Foundation
import Testing

@testable import Eft

extension OnARealServer {
    @Test("Who is woken is told what was written meanwhile, until it was shown, and the app resumes where it was")
    func wake() async throws {
        let bob = try await Person.login("BOB")
        let alice = try await Person.login("ALICE")
        // A new device also has what was written before its time, and could not read it.
        let older = try bob.account.conversation(with: alice.jid)
        if let newest = try await older.timeline(limit: 1).messages.first { try await older.markRead(upTo: newest.id) }
        bob.account.setActive(false)
        try await bob.account.suspend()
        let texts = (1...3).map { "Are you awake? \($0)" }
        var last: Int64 = 0
        for text in texts { last = try await alice.account.conversation(with: bob.jid).send(text) }
        for await case .messageChanged(let message) in alice.events where message.id == last && message.delivery == .acked {
            break
        }
        await expect(.suspended) { () async throws(EftError) in try await bob.account.conversations }

        // The extension is another process; here it is another object for the same folder.
        let woken = try await bob.folder.open(isExtension: true).account(bob.jid)
        let outcome = try await woken.handlePush(try serverOptions(), within: 25)
        #expect(outcome.complete)
        #expect(outcome.notifications.compactMap(\.text) == texts)
        #expect(outcome.badge == 3)
        #expect(!outcome.more)
        // Killed before anything was shown, it is told again; once it was shown, no more.
        #expect(try await woken.announcements().compactMap(\.text) == texts)
        try await woken.announced(outcome.notifications.map(\.id))
        #expect(try await woken.announcements().isEmpty)
        // Answered from the notification.
        let conversation = try woken.conversation(with: alice.jid)
        try await conversation.leaveText("From the lock screen")
        try await conversation.leaveReadMark(upTo: try #require(outcome.notifications.last).id)
        await woken.shutDown()

        try await bob.account.resume()
        #expect(try await alice.nextText().text == "From the lock screen")
        let read = try await bob.account.conversation(with: alice.jid).timeline().messages
        #expect(read.compactMap(\.text) == ["From the lock screen"] + texts.reversed())
        let summary = try #require(try await bob.account.conversations.first { $0.peer == alice.jid })
        #expect(summary.unreadCount == 0)
        #expect(try await bob.account.search("awa").count == 3)
        #expect(try await bob.account.search("nothing").isEmpty)
        #expect(try await bob.account.session?.resumable == true)
        await alice.account.shutDown()
        await bob.account.shutDown()
    }

    @Test("Without time or server, a wake says so in time")
    func noTime() async throws {
        let bob = try await Person.login("BOB")
        await bob.account.disconnect()
        let none = try await bob.account.handlePush(try serverOptions(), within: 0)
        #expect(!none.complete)
        let nowhere = ConnectOptions(server: ServerAddress(host: "127.0.0.1", port: 1, directTls: false))
        let start = Date()
        let failed = try await bob.account.handlePush(nowhere, within: 10)
        #expect(!failed.complete)
        #expect(Date().timeIntervalSince(start) < 15)
        await bob.account.shutDown()
        await expect(.suspended) { () async throws(EftError) in try await bob.account.handlePush(nowhere, within: 10) }
        for seconds in [-1, .nan, .infinity, -.infinity] as [TimeInterval] {
            await expect(.suspended) { () async throws(EftError) in try await bob.account.handlePush(nowhere, within: seconds) }
        }
    }
}

@Suite struct NotificationPlanTests {
    private func message(_ id: Int64, readable: Bool = true) -> Message {
        let content = readable ? Content.text(text: "text \(id)") : .unreadable(code: "bad-mac", reason: "why")
        return Message(
            id: id, conversation: "bob@example.org", sender: "bob@example.org", senderDevice: nil, outgoing: false,
            sentAtMs: 0, content: content, encryption: .omemo2, delivery: nil)
    }

    private func plan(
        _ messages: [Message], complete: Bool = true, reason: WakeReason = .caughtUp, mayFilter: Bool = false
    ) -> String {
        let outcome = WakeOutcome(notifications: messages, more: false, badge: 0, complete: complete, reason: reason)
        return name(NotificationPlan.of(outcome, mayFilter: mayFilter))
    }

    private func name(_ plan: NotificationPlan) -> String {
        switch plan {
        case .show(let first, let others): "show \(first.id) \(others.map(\.id))"
        case .nothing: "nothing"
        case .quiet: "quiet"
        case .generic: "generic"
        }
    }

    private let failed = WakeReason.failed(code: "offline", reason: "no network", retryable: true)

    @Test("The first message takes the push's place, and the others follow, complete or not")
    func messages() {
        #expect(plan([message(1)]) == "show 1 []")
        #expect(plan([message(1), message(2), message(3)], mayFilter: true) == "show 1 [2, 3]")
        #expect(plan([message(1), message(2)], complete: false, reason: .deadline) == "show 1 [2]")
        #expect(plan([message(1, readable: false), message(2)]) == "show 2 []")
    }

    @Test("Nothing new is quiet, or nothing at all where that is allowed; what was not looked for to the end is neither")
    func nothing() {
        #expect(plan([]) == "quiet")
        #expect(plan([], mayFilter: true) == "nothing")
        #expect(plan([message(1, readable: false)]) == "quiet")
        #expect(plan([], complete: false, reason: .heldElsewhere, mayFilter: true) == "nothing")
        #expect(plan([], complete: false, reason: .heldElsewhere) == "quiet")
        for mayFilter in [false, true] {
            #expect(plan([], complete: false, mayFilter: mayFilter) == "generic")
            #expect(plan([], complete: false, reason: .deadline, mayFilter: mayFilter) == "generic")
            #expect(plan([], complete: false, reason: failed, mayFilter: mayFilter) == "generic")
            #expect(name(NotificationPlan.of(nil, mayFilter: mayFilter)) == "generic")
        }
    }

    @Test("A message has one notification, whenever it is shown")
    func identifiers() {
        let account = "alice@example.org"
        #expect(NotificationPlan.identifier(of: message(7), account: account) == "eft:alice@example.org/7")
    }
}
