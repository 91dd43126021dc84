import EftGenerated
import Foundation

extension Account {
    /// Writes the history into one file, encrypted by a passphrase (an `age` file): conversations, messages, what is thought
    /// of keys. Never the password, or what waits to be sent; the identity key only if it `moves`. The file is there when it
    /// is whole. Takes some seconds; cancelled, it may be there later.
    ///
    /// - Parameters:
    ///   - file: The file to be made. Whoever has it and the passphrase can read everything.
    ///   - passphrase: What it is encrypted by.
    ///   - identity: With `moves`, **the user has to say that this device is gone, or will be**: from the import on, the account
    ///     must not be used here any more. Two devices that both live with one key cannot be told apart by anybody, and
    ///     whoever has file and passphrase can be this device.
    /// - Returns: How many messages are in it.
    /// - Throws: `invalidInput` for an empty passphrase or a file that cannot be written, `suspended`, `storeDamaged`.
    @discardableResult
    public func export(to file: URL, passphrase: String, identity: IdentityKey = .stays) async throws(EftError) -> Int {
        let core = core
        let exported = try await waiting {
            try await core.export(path: file.path, passphrase: passphrase, identity: identity)
        }
        return Int(clamping: exported.messageCount)
    }

    /// Logs in with another password from the next connection on: the user's answer to `authRejected`, after the password was
    /// changed elsewhere. Changes nothing at the server, and does not connect; a connection that stands is kept.
    ///
    /// - Throws: `storeLocked`, `suspended`, `storeDamaged`.
    public func setPassword(_ password: String) async throws(EftError) {
        let core = core
        try await waiting { try await core.setPassword(password: password) }
    }
}

extension Eft {
    /// As ``addAccount(_:password:)``, with the history out of a file of ``Account/export(to:passphrase:identity:)``. The account
    /// gets a new device id, and the identity key of the file if there is one in it: the device that it was on must not be
    /// used any more. What is damaged is refused whole, and leaves an account that can be imported or added again.
    ///
    /// - Throws: `invalidInput` for an account that is here already; for a wrong passphrase, for a file that is damaged, not
    ///   complete, of a newer version, or another account's. `keyUnavailable`.
    public func importAccount(_ jid: String, password: String, from file: URL, passphrase: String) async throws(EftError)
        -> Account
    {
        let core = core
        return Account(
            try await waiting {
                try await core.importAccount(jid: jid, password: password, path: file.path, passphrase: passphrase)
            })
    }

    /// Puts a new database in the place of an account's that is damaged, or whose key is lost, and saves what can be read.
    /// Never done by itself: ``account(_:)`` says what is wrong and leaves everything as it is, and the user decides. The
    /// account is a new device then: contacts see one more. Not to be called while an ``Account`` for it is open.
    ///
    /// - Throws: `invalidInput` for an account that is not here, `keyUnavailable` if the key may come back, `storeLocked` while
    ///   another process has it, `storeDamaged` if a newer Eft wrote it, or the folder cannot be written.
    public func rebuildAccount(_ jid: String, password: String) async throws(EftError) -> RebuiltAccount {
        let core = core
        let rebuilt = try await waiting { try await core.rebuildAccount(jid: jid, password: password) }
        return RebuiltAccount(
            account: Account(rebuilt.account), messageCount: Int(clamping: rebuilt.messageCount),
            gapCount: Int(clamping: rebuilt.gapCount), setAside: URL(fileURLWithPath: rebuilt.setAside))
    }
}

/// What is left of an account whose database could not be used any more.
public struct RebuiltAccount: Sendable {
    /// The account, as a new device with the history that could be saved. Not connected.
    public let account: Account
    /// Messages that were saved.
    public let messageCount: Int
    /// Places of the old database where something could not be read: 0 if nothing is known to be missing. With the key lost
    /// nothing can be read, which is one gap.
    public let gapCount: Int
    /// Where the old database lies now. Nothing was deleted; whoever wants to, may.
    public let setAside: URL
}
