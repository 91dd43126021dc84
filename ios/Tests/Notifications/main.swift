// Runs EftNotificationService against UserNotifications.swift beside this file, and a real server. Ends with the first
// expectation that fails.
import Eft
import Foundation
import UserNotifications

func check(_ holds: Bool, _ what: String, line: Int = #line) {
    guard !holds else { return }
    print("error: line \(line): \(what)")
    exit(1)
}

func setting(_ name: String) -> String {
    guard let value = ProcessInfo.processInfo.environment["EFT_TEST_\(name)"] else {
        print("error: EFT_TEST_\(name) is not set")
        exit(1)
    }
    return value
}

final class Secrets: SecretStore, @unchecked Sendable {
    private let lock = NSLock()
    private var secrets: [String: Data] = [:]
    func load(_ name: String) throws -> Data? { lock.withLock { secrets[name] } }
    func store(_ secret: Data, as name: String) throws { lock.withLock { secrets[name] = secret } }
    func delete(_ name: String) throws { lock.withLock { secrets[name] = nil } }
}

let options = ConnectOptions(
    server: ServerAddress(host: setting("HOST"), port: UInt16(setting("PORT"))!, directTls: false),
    extraRootsPem: try String(contentsOfFile: setting("CA"), encoding: .utf8))
let folder = URL(fileURLWithPath: setting("FOLDER")).appendingPathComponent(UUID().uuidString)
let secrets = Secrets()
let bobsJid = setting("BOB")

final class Service: EftNotificationService {
    nonisolated(unsafe) static var filters = false
    nonisolated(unsafe) static var isBroken = false
    override var mayFilter: Bool { Service.filters }

    override func account(for request: UNNotificationRequest) async throws -> Account {
        if Service.isBroken { throw CocoaError(.fileNoSuchFile) }
        return try await Eft(folder: folder, secrets: secrets, isExtension: true).account(bobsJid)
    }

    override func connectOptions(for request: UNNotificationRequest) -> ConnectOptions { options }
}

/// What a push becomes.
func push() async -> UNNotificationContent {
    let content = UNMutableNotificationContent()
    content.body = "There may be messages"
    content.sound = .default
    let request = UNNotificationRequest(identifier: "push", content: content, trigger: nil)
    let service = Service()
    let (shown, show) = AsyncStream<UNNotificationContent>.makeStream()
    service.didReceive(request) { content in
        show.yield(content)
        // A second answer to one push would be a fault of the extension: it would come before this.
        service.serviceExtensionTimeWillExpire()
        show.finish()
    }
    var all: [UNNotificationContent] = []
    for await content in shown { all.append(content) }
    check(all.count == 1, "the system was answered \(all.count) times")
    return all[0]
}

let bob = try await Eft(folder: folder, secrets: secrets).addAccount(bobsJid, password: setting("BOB_PASSWORD"))
try await bob.connect(options)
bob.setActive(false)
try await bob.suspend()
let alice = try await Eft(folder: folder.appendingPathComponent("alice"), secrets: Secrets())
    .addAccount(setting("ALICE"), password: setting("ALICE_PASSWORD"))
let events = alice.events()
try await alice.connect(options)
var last: Int64 = 0
for number in 1...3 { last = try await alice.conversation(with: bobsJid).send("Message \(number)") }
for await case .messageChanged(let message) in events where message.id == last && message.delivery == .acked { break }

let first = await push()
check(first.body == "Message 1", "the first message rides on the push, not: \(first.body)")
check(first.title == alice.jid && first.threadIdentifier == alice.jid, "it says who wrote")
check(first.badge == 3, "the badge counts what is unread, not \(String(describing: first.badge))")
let others = UNUserNotificationCenter.current().added
check(others.map(\.content.body) == ["Message 2", "Message 3"], "the others are notifications of their own")
check(Set(others.map(\.identifier)).count == 2, "each under an id of its own")

let quiet = await push()
check(quiet.sound == nil && quiet.interruptionLevel == .passive, "nothing new makes no sound")
Service.filters = true
check(await push().body.isEmpty, "nothing new is no notification where that is allowed")
Service.isBroken = true
check(await push().body == "There may be messages", "who cannot look says so")
check(UNUserNotificationCenter.current().added.count == 2, "nothing was shown twice")
await alice.shutDown()
await bob.shutDown()
