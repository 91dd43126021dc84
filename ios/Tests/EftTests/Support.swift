import Eft
import Foundation
import Testing

/// Stories that share one server and its two accounts, and so are told one after the other.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OnARealServer {}

/// What `with-server` says about the server it started.
func setting(_ name: String) throws -> String {
    try #require(
        ProcessInfo.processInfo.environment["EFT_TEST_\(name)"], "EFT_TEST_\(name) is not set: run ios/test.sh")
}

/// How the test server is reached, or another port that leads there.
func serverOptions(port: UInt16? = nil) throws -> ConnectOptions {
    let port = try port ?? #require(UInt16(try setting("PORT")))
    return ConnectOptions(
        server: ServerAddress(host: try setting("HOST"), port: port, directTls: false),
        extraRootsPem: try String(contentsOfFile: try setting("CA"), encoding: .utf8))
}

/// A folder of its own in the one that test.sh removes after the tests.
struct Folder {
    let url: URL

    init() throws {
        url = URL(fileURLWithPath: try setting("FOLDER")).appendingPathComponent(UUID().uuidString)
    }

    func open(isExtension: Bool = false) throws -> Eft {
        try Eft(folder: url.appendingPathComponent("data"), secrets: FileSecrets(folder: url.appendingPathComponent("keys")), isExtension: isExtension)
    }
}

/// A logged-in account with what happens to it.
struct Person {
    let account: Account
    let events: Events
    let folder: Folder

    var jid: String { account.jid }

    /// Logs `ALICE` or `BOB` in on a new device.
    static func login(_ who: String, port: UInt16? = nil) async throws -> Person {
        let folder = try Folder()
        let account = try await folder.open().addAccount(try setting(who), password: try setting("\(who)_PASSWORD"))
        let events = account.events()
        try await account.connect(try serverOptions(port: port))
        return Person(account: account, events: events, folder: folder)
    }

    /// The next text. A device is also told of messages from before its time, which it cannot read.
    func nextText() async throws -> Message {
        for await case .messageReceived(let message) in events where message.text != nil { return message }
        throw Ended()
    }

    struct Ended: Error {}
}

/// Stands for the Keychain, which Linux has not: one file per secret.
struct FileSecrets: SecretStore {
    let folder: URL

    func load(_ name: String) throws -> Data? {
        FileManager.default.contents(atPath: file(name).path)
    }

    func store(_ secret: Data, as name: String) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try secret.write(to: file(name), options: .atomic)
    }

    func delete(_ name: String) throws {
        if FileManager.default.fileExists(atPath: file(name).path) { try FileManager.default.removeItem(at: file(name)) }
    }

    private func file(_ name: String) -> URL {
        // Names hold addresses, and those may hold a slash.
        folder.appendingPathComponent(Data(name.utf8).map { String(format: "%02x", $0) }.joined())
    }
}

/// Checks that the call fails with this code.
func expect<Value>(
    _ code: EftError.Code, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ call: () async throws(EftError) -> Value
) async {
    do throws(EftError) {
        let value = try await call()
        Issue.record("no \(code), but \(value) \(comment.map(String.init(describing:)) ?? "")", sourceLocation: sourceLocation)
    } catch {
        #expect(error.code == code, comment, sourceLocation: sourceLocation)
        #expect(!error.reason.isEmpty, comment, sourceLocation: sourceLocation)
    }
}

/// Waits until the condition holds; false after ten seconds without it.
func eventually(_ holds: () -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if holds() { return true }
        try await Task.sleep(nanoseconds: 10_000_000)
    }
    return holds()
}
