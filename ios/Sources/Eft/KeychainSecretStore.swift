#if canImport(Security)
import Foundation
import Security

/// Keeps the secrets in the Keychain: readable from the first unlock after a start on, never in a backup, never on
/// another device. App and notification extension share it by an access group.
public struct KeychainSecretStore: SecretStore {
    private let service: String
    private let accessGroup: String?

    /// Names the place in the Keychain. Touches nothing yet.
    ///
    /// - Parameters:
    ///   - service: Sets these secrets apart from others of the app, such as its bundle identifier.
    ///   - accessGroup: `TEAMID.group` of the Keychain Sharing entitlement, the same in app and extension; `nil` for
    ///     an app without extensions.
    public init(service: String, accessGroup: String? = nil) {
        self.service = service
        self.accessGroup = accessGroup
    }

    /// The secret under this name; `nil` if there is none.
    ///
    /// - Throws: ``SecretStoreError``: `locked` before the first unlock.
    public func load(_ name: String) throws -> Data? {
        var query = item(name)
        query[kSecReturnData as String] = true
        query[kSecMatchLimit as String] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == KeychainStatus.itemNotFound { return nil }
        guard status == KeychainStatus.success else { throw KeychainStatus.error(status, "load") }
        guard let secret = found as? Data else { throw SecretStoreError.corrupt("the Keychain's item holds no data") }
        return secret
    }

    /// Keeps a secret, and replaces an older one of this name.
    ///
    /// - Throws: ``SecretStoreError``: `locked` before the first unlock.
    public func store(_ secret: Data, as name: String) throws {
        // Set on both ways: an item of an older release may have another accessibility.
        let content: [String: Any] = [
            kSecValueData as String: secret,
            kSecAttrAccessible as String: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        let query = item(name)
        var status = SecItemUpdate(query as CFDictionary, content as CFDictionary)
        if status == KeychainStatus.itemNotFound {
            status = SecItemAdd(query.merging(content) { $1 } as CFDictionary, nil)
            // Added meanwhile by the other process of the access group.
            if status == KeychainStatus.duplicateItem {
                status = SecItemUpdate(query as CFDictionary, content as CFDictionary)
            }
        }
        guard status == KeychainStatus.success else { throw KeychainStatus.error(status, "store") }
    }

    /// Removes a secret.
    ///
    /// - Throws: ``SecretStoreError``: `locked` before the first unlock.
    public func delete(_ name: String) throws {
        let status = SecItemDelete(item(name) as CFDictionary)
        guard status == KeychainStatus.success || status == KeychainStatus.itemNotFound else {
            throw KeychainStatus.error(status, "delete")
        }
    }

    private func item(_ name: String) -> [String: Any] {
        var query: [String: Any] = [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: service,
            kSecAttrAccount as String: name,
            // The modern Keychain on macOS too; elsewhere there is no other.
            kSecUseDataProtectionKeychain as String: true,
        ]
        if let accessGroup { query[kSecAttrAccessGroup as String] = accessGroup }
        return query
    }
}
#endif
