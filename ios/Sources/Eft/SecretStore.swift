import EftGenerated
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

/// Shows the app's store to the core.
final class HostSecretStore: CoreSecretStore {
    private let store: any SecretStore

    init(_ store: any SecretStore) {
        self.store = store
    }

    func load(name: String) throws -> Data? {
        try translated { try store.load(name) }
    }

    func store(name: String, secret: Data) throws {
        try translated { try store.store(secret, as: name) }
    }

    func delete(name: String) throws {
        try translated { try store.delete(name) }
    }

    private func translated<Value>(_ call: () throws -> Value) throws -> Value {
        do {
            return try call()
        } catch let error as SecretStoreError {
            throw switch error {
            case .locked(let reason): CoreSecretStoreError.Locked(reason: reason)
            case .lost(let reason): CoreSecretStoreError.Lost(reason: reason)
            case .corrupt(let reason): CoreSecretStoreError.Corrupt(reason: reason)
            case .failed(let reason): CoreSecretStoreError.Failed(reason: reason)
            }
        } catch {
            throw CoreSecretStoreError.Failed(reason: String(describing: error))
        }
    }
}
