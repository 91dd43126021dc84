import Foundation

/// Keeps small secrets under a name, safe from who reads the disk: one per account, the key of its database.
///
/// `KeychainSecretStore` is the one for apps. Calls come from threads of Eft, one after the other or not, never from the
/// main thread, and may block.
public protocol SecretStore: Sendable {
    /// The secret under this name; `nil` if there is none.
    ///
    /// - Throws: ``SecretStoreError``. Any other error counts as ``SecretStoreError/failed(_:)``.
    func load(_ name: String) throws -> Data?

    /// Keeps a secret, and replaces an older one of this name. It has to be durable on return.
    ///
    /// - Throws: As ``load(_:)``.
    func store(_ secret: Data, as name: String) throws

    /// Removes a secret. Removing what is not there is no error.
    ///
    /// - Throws: As ``load(_:)``.
    func delete(_ name: String) throws
}

/// Why a secret store gave nothing. The text is the platform's reason, for a log.
public enum SecretStoreError: Error, Hashable, Sendable {
    /// The device has not been unlocked since it was started. Later it will work.
    case locked(String)
    /// The secret was here, and the platform no longer has it.
    case lost(String)
    /// What is kept is not what was stored.
    case corrupt(String)
    /// Anything else.
    case failed(String)
}
