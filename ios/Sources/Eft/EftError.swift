import EftGenerated
import Foundation

/// Why a call failed.
public struct EftError: Error, Hashable, Sendable {
    /// What to tell the failures apart by.
    public let code: Code

    /// A sentence for a log, in English. Never holds keys or the content of a message.
    public let reason: String

    /// Whether the same call can succeed later without the user doing anything.
    public let isRetryable: Bool

    /// With ``Code/keyUnavailable``: why the secret store gave no key.
    public let keyFault: KeyFault?

    init(code: Code, reason: String, isRetryable: Bool = false, keyFault: KeyFault? = nil) {
        self.code = code
        self.reason = reason
        self.isRetryable = isRetryable
        self.keyFault = keyFault
    }

    /// The kinds of failure. The raw values are the same in every language and release.
    public enum Code: String, CaseIterable, Sendable {
        /// No connection to the server.
        case offline
        /// The server refused the credentials, or offers no mechanism that Eft accepts.
        case authRejected = "auth-rejected"
        /// The server offers less security than it once did: see ``Account/acceptDowngrade()``.
        case downgraded
        /// The server's certificate is not valid for the account's domain.
        case certificateRejected = "certificate-rejected"
        /// The server lacks something that Eft cannot work without.
        case serverTooOld = "server-too-old"
        /// Devices of the recipient wait for a trust decision.
        case notTrusted = "not-trusted"
        /// No device of the recipient can be encrypted to.
        case noRecipients = "no-recipients"
        /// The contact wishes no more encrypted messages: see ``Conversation/keepEncrypted()``.
        case optedOut = "opted-out"
        /// The message exceeds what the server takes.
        case tooLarge = "too-large"
        /// The secret store does not give the database's key.
        case keyUnavailable = "key-unavailable"
        /// Another process holds the database.
        case storeLocked = "store-locked"
        /// The database cannot be read: wrong key, damaged, or newer than this Eft.
        case storeDamaged = "store-damaged"
        /// The account was shut down.
        case suspended
        /// The task was cancelled while it waited. Never the answer to a task that was not.
        case cancelled
        /// An argument is not valid.
        case invalidInput = "invalid-input"
        /// The server or the peer forbids it.
        case notAllowed = "not-allowed"
        /// A fault in Eft. Please report it.
        case bug
    }
}

extension EftError: CustomStringConvertible, LocalizedError {
    /// Code and reason, for a log.
    public var description: String { "\(code.rawValue): \(reason)" }

    /// The reason. It is not translated: show people words of your own, chosen by ``code``.
    public var errorDescription: String? { reason }
}

extension EftError {
    static let cancelled = EftError(code: .cancelled, reason: "the task was cancelled")

    init(_ error: any Error) {
        switch error {
        case let error as EftError: self = error
        case let error as CoreError: self.init(error)
        // What the generated code throws when library and sources do not belong together, or a panic was caught.
        default: self.init(code: .bug, reason: String(describing: error))
        }
    }

    private init(_ error: CoreError) {
        var fault: KeyFault?
        let sentence: String
        switch error {
        case .KeyUnavailable(let found, let reason):
            fault = found
            sentence = reason
        case .Offline(let reason), .AuthRejected(let reason), .Downgraded(let reason), .CertificateRejected(let reason),
            .ServerTooOld(let reason), .NotTrusted(let reason), .NoRecipients(let reason), .OptedOut(let reason),
            .TooLarge(let reason), .StoreLocked(let reason), .StoreDamaged(let reason), .Suspended(let reason),
            .InvalidInput(let reason), .NotAllowed(let reason), .Bug(let reason):
            sentence = reason
        }
        // A code that is not known here came from a newer core.
        self.init(
            code: Code(rawValue: error.code()) ?? .bug, reason: sentence, isRetryable: error.retryable(), keyFault: fault)
    }
}
