import EftGenerated
import Foundation

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
