import Eft
import Foundation
import Testing

/// More than two of the small pages that are fetched first.
private let absent = 150

extension OnARealServer {
    @Test("A long absence is a gap until catch-up goes on, and older history comes on demand")
    func gaps() async throws {
        let alice = try await Person.login("ALICE")
        let bob = try await Person.login("BOB")
        let toBob = try alice.account.conversation(with: bob.jid)
        let toAlice = try bob.account.conversation(with: alice.jid)
        try await toBob.send("first")
        #expect(try await bob.nextText().text == "first")
        // Ended, so that what comes meanwhile is in the archive alone.
        await bob.account.disconnect()
        var last: Int64 = 0
        for number in 1...absent { last = try await toBob.send("line \(number)") }
        for await case .messageChanged(let message) in alice.events where message.id == last && message.delivery == .acked {
            break
        }

        try await bob.account.pauseCatchUp()
        try await bob.account.connect(try serverOptions())
        for await case .catchUpProgressed(_, let complete, let gapOpen, let paused) in bob.events where paused {
            #expect(gapOpen && !complete)
            break
        }
        let page = try await toAlice.timeline(limit: absent)
        #expect(page.messages.first?.text == "line \(absent)")
        let gap = try #require(page.gaps.first)
        #expect(page.gaps.count == 1 && !gap.filling && (1..<UInt32(absent)).contains(gap.index))

        try await bob.account.resumeCatchUp()
        for await event in bob.events { if case .gapClosed = event { break } }
        let whole = try await toAlice.timeline(limit: absent + 1)
        #expect(whole.gaps.isEmpty)
        #expect(whole.messages.map(\.text) == (1...absent).reversed().map { "line \($0)" } + ["first"])

        // A device that is new fetches the past as far as it is told to, and more when it is asked for.
        let late = try await Folder().open().addAccount(try setting("BOB"), password: try setting("BOB_PASSWORD"))
        let lateToAlice = try late.conversation(with: alice.jid)
        await expect(.offline) { () async throws(EftError) in try await lateToAlice.loadOlder() }
        let events = late.events()
        var options = try serverOptions()
        options.firstHistoryCount = 5
        try await late.connect(options)
        for await case .catchUpProgressed(_, true, _, _) in events { break }
        let few = try await lateToAlice.timeline(limit: 200).messages.count
        #expect((1...5).contains(few))
        let loaded = try await lateToAlice.loadOlder(limit: 20)
        #expect((1...20).contains(loaded.count) && !loaded.atBeginning)
        #expect(try await lateToAlice.timeline(limit: 200).messages.count == few + Int(loaded.count))
        while try await !lateToAlice.loadOlder(limit: 250).atBeginning {}
        var count = 0
        for try await _ in lateToAlice.history(pageSize: 200) { count += 1 }
        // Many that cannot be read are one line.
        #expect(count > few + Int(loaded.count))
        for account in [late, alice.account, bob.account] { await account.shutDown() }
    }
}
