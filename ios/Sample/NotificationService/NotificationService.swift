#if canImport(UserNotifications)
import Eft
import UserNotifications

/// The sample's notification extension: finds the account, and leaves the rest to Eft.
final class NotificationService: EftNotificationService {
    override func account(for request: UNNotificationRequest) async throws -> Account {
        let eft = try Session.open(isExtension: true)
        guard let jid = try eft.accounts.first else { throw CocoaError(.fileNoSuchFile) }
        return try await eft.account(jid)
    }
}
#endif
