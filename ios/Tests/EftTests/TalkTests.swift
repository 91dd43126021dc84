import Eft
import Testing

extension OnARealServer {
    @Test("Two accounts log in, send and receive")
    func talk() async throws {
        let alice = try await Person.login("ALICE")
        let bob = try await Person.login("BOB")
        try await alice.account.conversation(with: bob.jid).send("Tea at four?")
        let got = try await bob.nextText()
        #expect(got.text == "Tea at four?")
        #expect(got.encryption == .omemo2)
        #expect(got.sender == alice.jid)
        #expect(got.senderDevice == alice.account.deviceID)
        #expect(abs(got.sentAt.timeIntervalSinceNow) < 60)
        try await bob.account.conversation(with: alice.jid).send("Gladly ☕")
        #expect(try await alice.nextText().text == "Gladly ☕")

        let page = try await alice.account.conversation(with: bob.jid).timeline(limit: 10)
        #expect(page.messages.compactMap(\.text) == ["Gladly ☕", "Tea at four?"])
        // Behind them: what other stories have left, from before this device's time.
        #expect(page.messages.prefix(2).map(\.outgoing) == [false, true])

        let devices = try await alice.account.devices(of: bob.jid)
        let bobsDevice = try #require(devices.first { $0.id == bob.account.deviceID })
        #expect(bobsDevice.fingerprint == bob.account.fingerprint)
        #expect(bobsDevice.trust == .blindlyTrusted)
        await alice.account.shutDown()
        await bob.account.shutDown()
    }

    @Test("A sent message tells how far it is, until the server has it")
    func delivery() async throws {
        let alice = try await Person.login("ALICE")
        let bob = try await Person.login("BOB")
        let id = try await alice.account.conversation(with: bob.jid).send("Still there?")
        for await case .messageChanged(let message) in alice.events where message.id == id {
            if message.delivery == .acked { break }
        }
        #expect(try await bob.nextText().text == "Still there?")
        await alice.account.shutDown()
        await bob.account.shutDown()
    }

    @Test("A fingerprint is verified or rejected, and a decision can be changed")
    func trust() async throws {
        let alice = try await Person.login("ALICE")
        let bob = try await Person.login("BOB")
        try await alice.account.conversation(with: bob.jid).send("Who are you?")
        #expect(try await bob.nextText().text == "Who are you?")
        func bobsTrust() async throws -> Trust? {
            try await alice.account.devices(of: bob.jid).first { $0.id == bob.account.deviceID }?.trust
        }
        // As people read it out, and as a code carries it.
        let digits = bob.account.fingerprint.filter { $0 != " " }.uppercased()
        try await alice.account.verify(bob.account.fingerprint, of: bob.jid)
        #expect(try await bobsTrust() == .verified)
        try await alice.account.distrust(digits, of: bob.jid)
        #expect(try await bobsTrust() == .distrusted)
        try await alice.account.verify(digits, of: bob.jid)
        #expect(try await bobsTrust() == .verified)
        for wrong in ["", "yes", String(digits.dropFirst()), digits + "0"] {
            await expect(.invalidInput, "\(wrong)") { () async throws(EftError) in
                try await alice.account.verify(wrong, of: bob.jid)
            }
            await expect(.invalidInput, "\(wrong)") { () async throws(EftError) in
                try await alice.account.distrust(wrong, of: bob.jid)
            }
        }
        await expect(.invalidInput) { () async throws(EftError) in
            try await alice.account.verify(alice.account.fingerprint, of: alice.jid)
        }
        await alice.account.shutDown()
        await bob.account.shutDown()
    }

    @Test("History goes back page by page, and is there again when the folder is opened again")
    func history() async throws {
        let alice = try await Person.login("ALICE")
        let peer = try setting("BOB")
        let texts = (1...5).map { "Line \($0)" }
        for text in texts { try await alice.account.conversation(with: peer).send(text) }
        let conversation = try alice.account.conversation(with: peer)
        let first = try await conversation.timeline(limit: 2)
        #expect(first.messages.compactMap(\.text) == ["Line 5", "Line 4"])
        let second = try await conversation.timeline(before: first.older, limit: 2)
        #expect(second.messages.compactMap(\.text) == ["Line 3", "Line 2"])
        await alice.account.shutDown()

        let eft = try alice.folder.open()
        #expect(try eft.accounts == [alice.jid])
        let again = try await eft.account(alice.jid)
        #expect(again.deviceID == alice.account.deviceID)
        #expect(again.fingerprint == alice.account.fingerprint)
        for size in [1, 2, 5, 50] {
            var read: [String] = []
            for try await message in try again.conversation(with: peer).history(pageSize: size) {
                if let text = message.text { read.append(text) }
            }
            #expect(read == texts.reversed(), "pages of \(size)")
        }
        await again.shutDown()
    }
}
