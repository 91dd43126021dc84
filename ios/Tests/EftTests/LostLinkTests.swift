import Eft
import Testing

extension OnARealServer {
    @Test("Who loses the link says so, comes back alone, and has what was said meanwhile")
    func lostLink() async throws {
        let link = try Link()
        let alice = try await Person.login("ALICE")
        let bob = try await Person.login("BOB", port: link.port)
        try await alice.account.conversation(with: bob.jid).send("Before the tunnel")
        #expect(try await bob.nextText().text == "Before the tunnel")

        link.lose()
        for await case .offline(let code, _, let retryAt) in bob.events {
            #expect(code == "offline")
            #expect(retryAt != nil)
            break
        }
        let said = (1...5).map { "While you were out, \($0)" }
        for text in said { try await alice.account.conversation(with: bob.jid).send(text) }
        let answer = try await bob.account.conversation(with: alice.jid).send("Written in a tunnel")

        link.restore()
        var heard: [String?] = []
        for _ in said { heard.append(try await bob.nextText().text) }
        #expect(heard == said)
        #expect(try await alice.nextText().text == "Written in a tunnel")
        // Once each, in order, wherever they came from.
        let page = try await bob.account.conversation(with: alice.jid).timeline(limit: 7)
        let texts = page.messages.compactMap(\.text).reversed().filter { $0 != "Written in a tunnel" }
        #expect(texts == ["Before the tunnel"] + said)
        #expect(page.messages.contains { $0.id == answer })
        await alice.account.shutDown()
        await bob.account.shutDown()
    }
}
