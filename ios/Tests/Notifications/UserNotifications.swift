// Stands for Apple's UserNotifications: the part that the extension uses, and a center that remembers what was added.
import Foundation

open class UNNotificationContent: NSObject, @unchecked Sendable {
    public internal(set) var title = ""
    public internal(set) var body = ""
    public internal(set) var threadIdentifier = ""
    public internal(set) var sound: UNNotificationSound?
    public internal(set) var badge: NSNumber?
    public internal(set) var interruptionLevel = UNNotificationInterruptionLevel.active
    public internal(set) var relevanceScore = 0.0

    public override init() {}

    open override func mutableCopy() -> Any {
        let copy = UNMutableNotificationContent()
        copy.title = title
        copy.body = body
        copy.threadIdentifier = threadIdentifier
        copy.sound = sound
        copy.badge = badge
        return copy
    }
}

public final class UNMutableNotificationContent: UNNotificationContent, @unchecked Sendable {
    public override var title: String { get { super.title } set { super.title = newValue } }
    public override var body: String { get { super.body } set { super.body = newValue } }
    public override var threadIdentifier: String { get { super.threadIdentifier } set { super.threadIdentifier = newValue } }
    public override var sound: UNNotificationSound? { get { super.sound } set { super.sound = newValue } }
    public override var badge: NSNumber? { get { super.badge } set { super.badge = newValue } }
    public override var interruptionLevel: UNNotificationInterruptionLevel {
        get { super.interruptionLevel }
        set { super.interruptionLevel = newValue }
    }
    public override var relevanceScore: Double { get { super.relevanceScore } set { super.relevanceScore = newValue } }
}

public enum UNNotificationInterruptionLevel: Sendable { case passive, active }

public final class UNNotificationSound: Sendable {
    public static let `default` = UNNotificationSound()
}

public final class UNNotificationTrigger: Sendable {}

public final class UNNotificationRequest: @unchecked Sendable {
    public let identifier: String
    public let content: UNNotificationContent

    public init(identifier: String, content: UNNotificationContent, trigger: UNNotificationTrigger?) {
        self.identifier = identifier
        self.content = content
    }
}

open class UNNotificationServiceExtension: NSObject {
    public override init() {}
    open func didReceive(
        _ request: UNNotificationRequest, withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) {}
    open func serviceExtensionTimeWillExpire() {}
}

public final class UNUserNotificationCenter: @unchecked Sendable {
    private static let only = UNUserNotificationCenter()
    private let lock = NSLock()
    private var requests: [UNNotificationRequest] = []

    public static func current() -> UNUserNotificationCenter { only }

    public func add(_ request: UNNotificationRequest) async throws {
        lock.withLock { requests = requests.filter { $0.identifier != request.identifier } + [request] }
    }

    public var added: [UNNotificationRequest] { lock.withLock { requests } }
}
