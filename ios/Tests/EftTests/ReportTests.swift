import Eft
import Foundation
import Testing

extension OnARealServer {
    @Test("A report says what is known with a connection, without one and after the end, and names nobody")
    func report() async throws {
        let account = try await Folder().open().addAccount(try setting("ALICE"), password: try setting("ALICE_PASSWORD"))
        let nowhere = ConnectOptions(server: ServerAddress(host: "127.0.0.1", port: 1, directTls: false))
        await expect(.offline) { () async throws(EftError) in try await account.connect(nowhere) }
        let offline = await account.report()
        #expect(offline.problems.first?.code == "not-connected")
        #expect(offline.problems.first?.area == .connection)
        #expect(offline[.connection, "state"]?.hasPrefix("offline") == true)

        try await account.connect(try serverOptions())
        let online = await account.report()
        #expect(online[.connection, "state"] == "online")
        #expect(online[.server, "software, by its own word"]?.hasPrefix("Prosody") == true)
        #expect(online.problems.map(\.code) == ["push-not-registered"])
        #expect(online.problems.allSatisfy { online.text.contains($0.text) })

        try await account.suspend()
        #expect(await account.report()[.connection, "state"] == "suspended")
        let fingerprint = account.fingerprint
        await account.shutDown()
        let closed = await account.report()
        #expect(closed[.connection, "state"] == "closed")
        let secrets = ["alice", "eft.test", try setting("ALICE_PASSWORD"), "127.0.0.1", fingerprint]
        for report in [offline, online, closed] {
            #expect(report.account == "a…@e….test")
            let printed = "\(report) \(String(reflecting: report)) \(report.facts)"
            for secret in secrets { #expect(!printed.contains(secret), "\(secret) in \(printed)") }
        }
    }
}

extension Report {
    fileprivate subscript(area: ReportArea, name: String) -> String? {
        facts.first { $0.area == area && $0.name == name }?.value
    }
}
