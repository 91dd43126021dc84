#if canImport(UserNotifications) && !os(tvOS)
import EftGenerated
import Foundation
import UserNotifications

/// The notification extension: reads and decrypts what a push spoke of. Subclass it in the extension's target, and say
/// where the account is:
///
/// ```swift
/// final class NotificationService: EftNotificationService {
///     override func account(for request: UNNotificationRequest) async throws -> Account {
///         let eft = try Eft(folder: sharedFolder, secrets: secrets, isExtension: true)
///         return try await eft.account("alice@example.org")
///     }
/// }
/// ```
///
/// The push has to be visible and mutable (`mutable-content: 1`). The system gives the extension about thirty seconds and
/// kills it without a word when they are over; this one stops five before that by a clock of its own, and shows the best it
/// has. When the app holds the account itself, the app shows its messages, and this steps aside.
open class EftNotificationService: UNNotificationServiceExtension {
    /// How long catching up may take. What is left of thirty is for closing the database and for the system.
    open var seconds: TimeInterval { 25 }

    /// Whether the app has the entitlement `com.apple.developer.usernotifications.filtering`.
    open var mayFilter: Bool { false }

    private let delivery = Delivery()

    /// Opens the account that the push is for. The extension closes it.
    open func account(for request: UNNotificationRequest) async throws -> Account {
        preconditionFailure("account(for:) has to be overridden")
    }

    /// How the account's server is reached.
    open func connectOptions(for request: UNNotificationRequest) -> ConnectOptions { ConnectOptions() }

    /// Says a message. The default shows the sender's address and the text.
    open func fill(_ content: UNMutableNotificationContent, with message: Message) {
        content.title = message.sender
        content.body = message.text ?? ""
        content.threadIdentifier = message.conversation
        content.sound = .default
    }

    /// Says that there may be messages. The default leaves what the push says.
    open func fillGeneric(_ content: UNMutableNotificationContent) {}

    /// Starts the work.
    open override func didReceive(
        _ request: UNNotificationRequest, withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) {
        let generic = (request.content.mutableCopy() as? UNMutableNotificationContent) ?? UNMutableNotificationContent()
        fillGeneric(generic)
        delivery.begin(best: generic, handler: contentHandler)
        let box = Unchecked((self, request))
        Task {
            let (service, request) = box.value
            await service.work(on: request)
        }
    }

    /// The system's patience ends before our clock: the best there is.
    open override func serviceExtensionTimeWillExpire() {
        delivery.end(with: nil)
    }

    private func work(on request: UNNotificationRequest) async {
        guard let account = try? await account(for: request) else { return delivery.end(with: nil) }
        let outcome = try? await account.handlePush(connectOptions(for: request), within: seconds)
        switch NotificationPlan.of(outcome, mayFilter: mayFilter) {
        case .show(let first, let others):
            for message in others { await add(message, account: account.jid) }
            let content = UNMutableNotificationContent()
            fill(content, with: first)
            if let badge = outcome?.badge { content.badge = NSNumber(value: badge) }
            // Before the system is answered, for then it may freeze the process. Who is killed in between is told again.
            try? await account.announced((outcome?.notifications ?? []).map(\.id))
            await account.shutDown()
            delivery.end(with: content)
        case .nothing:
            await account.shutDown()
            delivery.end(with: UNNotificationContent())
        case .quiet:
            await account.shutDown()
            delivery.end(with: silent(request))
        case .generic:
            await account.shutDown()
            delivery.end(with: nil)
        }
    }

    private func add(_ message: Message, account: String) async {
        let content = UNMutableNotificationContent()
        fill(content, with: message)
        let identifier = NotificationPlan.identifier(of: message, account: account)
        try? await UNUserNotificationCenter.current().add(
            UNNotificationRequest(identifier: identifier, content: content, trigger: nil))
    }

    private func silent(_ request: UNNotificationRequest) -> UNNotificationContent {
        let content = (request.content.mutableCopy() as? UNMutableNotificationContent) ?? UNMutableNotificationContent()
        content.sound = nil
        content.interruptionLevel = .passive
        content.relevanceScore = 0
        return content
    }
}

/// Answers the system once, whoever is first.
private final class Delivery: @unchecked Sendable {
    private let lock = NSLock()
    private var best: UNNotificationContent?
    private var handler: ((UNNotificationContent) -> Void)?

    func begin(best: UNNotificationContent, handler: @escaping (UNNotificationContent) -> Void) {
        lock.withLock {
            self.best = best
            self.handler = handler
        }
    }

    /// - Parameter content: What is shown; `nil` for the best there was from the start.
    func end(with content: UNNotificationContent?) {
        let (handler, best) = lock.withLock {
            defer { self.handler = nil }
            return (self.handler, self.best)
        }
        guard let handler, let shown = content ?? best else { return }
        handler(shown)
    }
}

/// The system's objects are used by one task at a time, which the compiler cannot see.
private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
#endif
