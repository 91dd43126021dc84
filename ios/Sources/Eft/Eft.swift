import EftGenerated
import Foundation

/// A folder with accounts in it: where everything starts.
///
/// ```swift
/// let eft = try Eft(folder: folder, secrets: KeychainSecretStore(service: "org.example.chat"))
/// let account = try await eft.addAccount("alice@example.org", password: password) // later: eft.account(_:)
/// let events = account.events()
/// try await account.connect()
/// try await account.conversation(with: "bob@example.org").send("Hello, Bob")
/// for await case .messageReceived(let message) in events {
///     print(message.sender, message.text ?? "(unreadable)")
/// }
/// ```
///
/// Everything in this module may be used from any thread and any actor, and every asynchronous call ends early with
/// ``EftError/Code/cancelled`` when its task is cancelled. That gives up waiting; what was begun is finished or undone
/// by the core, never left half done.
public final class Eft: Sendable {
    let core: CoreEft

    /// Opens the folder, or makes it. Reads the disk. On Apple's platforms the folder is kept out of backups.
    ///
    /// - Parameters:
    ///   - folder: A folder on the disk, for Eft alone. Where an extension shares it, in the App Group's container.
    ///   - secrets: Keeps one small secret per account: on Apple's platforms a `KeychainSecretStore`.
    ///   - isExtension: For a notification extension, or whatever else has little memory and little time: small caches, and
    ///     no long waits for another process.
    /// - Throws: `storeDamaged` if the folder cannot be made or read.
    public init(folder: URL, secrets: any SecretStore, isExtension: Bool = false) throws(EftError) {
        let store = HostSecretStore(secrets)
        core = try mapped {
            if isExtension { return try CoreEft.openForExtension(dataDir: folder.path, secrets: store) }
            return try CoreEft.open(dataDir: folder.path, secrets: store)
        }
        #if canImport(Darwin)
        do {
            try folder.keepForThisDevice()
        } catch {
            throw EftError(code: .storeDamaged, reason: "the folder cannot be kept out of backups: \(error)")
        }
        #endif
    }

    /// Addresses of the accounts in the folder. Reads the disk.
    ///
    /// - Throws: `storeDamaged`.
    public var accounts: [String] {
        get throws(EftError) { try mapped { try core.accounts() } }
    }

    /// Makes the database, the device and the keys of an account. Does not connect.
    ///
    /// - Parameters:
    ///   - jid: The address, `user@host`.
    ///   - password: Kept in the encrypted database.
    /// - Throws: `invalidInput` for what is no address and for an account that is here already, `keyUnavailable`.
    public func addAccount(_ jid: String, password: String) async throws(EftError) -> Account {
        let core = core
        return Account(try await waiting { try await core.addAccount(jid: jid, password: password) })
    }

    /// Opens an account that is in the folder.
    ///
    /// - Throws: `invalidInput` for an account that is not here, `keyUnavailable`, `storeLocked`, `storeDamaged`.
    public func account(_ jid: String) async throws(EftError) -> Account {
        let core = core
        return Account(try await waiting { try await core.account(jid: jid) })
    }
}
