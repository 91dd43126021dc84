import EftGenerated

/// What a notification extension shows for a push. Apart from the calls to the system, so that it is tested where there is
/// no such system.
public enum NotificationPlan: Sendable {
    /// The first message takes the place of the push; the others become local notifications.
    case show(first: Message, others: [Message])

    /// There is nothing to show, and the extension may say so (entitlement
    /// `com.apple.developer.usernotifications.filtering`): no notification.
    case nothing

    /// There is nothing to show, and the system insists on a notification: one that makes no sound and lights no screen.
    case quiet

    /// There may be something, and it was not found in time: a notification that says no more than that.
    case generic

    /// Decides.
    ///
    /// - Parameters:
    ///   - outcome: What the push came to; `nil` if the account could not be opened.
    ///   - mayFilter: Whether the app has the filtering entitlement.
    public static func of(_ outcome: WakeOutcome?, mayFilter: Bool) -> NotificationPlan {
        let nothing: NotificationPlan = mayFilter ? .nothing : .quiet
        guard let outcome else { return .generic }
        let readable = outcome.notifications.filter { $0.text != nil }
        if let first = readable.first { return .show(first: first, others: Array(readable.dropFirst())) }
        switch outcome.reason {
        // The app has the account, and shows what comes: two notifications for one message are one too many.
        case .heldElsewhere: return nothing
        case .caughtUp: return outcome.complete ? nothing : .generic
        case .deadline, .failed: return .generic
        }
    }

    /// The id of a message's notification, the same whenever it is shown: a second one replaces the first.
    ///
    /// - Parameters:
    ///   - message: What is shown.
    ///   - account: Whose message it is.
    public static func identifier(of message: Message, account: String) -> String { "eft:\(account)/\(message.id)" }
}
