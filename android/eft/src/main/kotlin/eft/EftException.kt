package eft

import eft.core.InternalException
import kotlinx.coroutines.CancellationException
import java.nio.charset.CharacterCodingException
import eft.core.EftException as CoreException
import eft.core.KeyFault as CoreKeyFault

/**
 * Why a call failed. The message is a sentence for a log, in English; it never holds keys or the content of a message.
 *
 * @property code names the kind of failure, the same in every release and language.
 * @property isRetryable whether the same call can succeed later without the user doing anything.
 */
public sealed class EftException(
    public val code: String,
    message: String,
    public val isRetryable: Boolean = false,
    cause: Throwable? = null,
) : Exception(message, cause) {
    /** No connection to the server. */
    public class Offline(message: String) : EftException("offline", message, isRetryable = true)

    /** The server refused the credentials, or offers no mechanism that Eft accepts. */
    public class AuthRejected(message: String) : EftException("auth-rejected", message)

    /** The server offers less security than it once did: see [Account.acceptDowngrade]. */
    public class Downgraded(message: String) : EftException("downgraded", message)

    /** The server's certificate is not valid for the account's domain. */
    public class CertificateRejected(message: String) : EftException("certificate-rejected", message)

    /** The server lacks something that Eft cannot work without. */
    public class ServerTooOld(message: String) : EftException("server-too-old", message)

    /** Devices of the recipient wait for a trust decision. */
    public class NotTrusted(message: String) : EftException("not-trusted", message)

    /** No device of the recipient can be encrypted to. */
    public class NoRecipients(message: String) : EftException("no-recipients", message)

    /** The contact wishes no more encrypted messages: see [Conversation.keepEncrypted]. */
    public class OptedOut(message: String) : EftException("opted-out", message)

    /** The message exceeds what the server takes. */
    public class TooLarge(message: String) : EftException("too-large", message)

    /** The secret store gives no key to the database; [fault] says what to tell the user. */
    public class KeyUnavailable(public val fault: KeyFault, message: String) :
        EftException("key-unavailable", message, fault.passes)

    /** Another process holds the database. */
    public class StoreLocked(message: String) : EftException("store-locked", message, isRetryable = true)

    /** The database cannot be read: wrong key, damaged, or newer than this Eft. */
    public class StoreDamaged(message: String) : EftException("store-damaged", message)

    /** The account was shut down. */
    public class Suspended(message: String) : EftException("suspended", message)

    /** An argument is not valid. */
    public class InvalidInput(message: String) : EftException("invalid-input", message)

    /** The server or the peer forbids it. */
    public class NotAllowed(message: String) : EftException("not-allowed", message)

    /** A fault in Eft. Please report it. */
    public class Bug(message: String, cause: Throwable? = null) : EftException("bug", message, cause = cause)
}

/**
 * Why the secret store gave no key.
 *
 * @property passes whether it works later by itself.
 */
public enum class KeyFault(internal val passes: Boolean) {
    /** The device was not unlocked since it was started. */
    LOCKED(true),

    /** The key is gone, and what it encrypted with it: the account has to be added anew. */
    LOST(false),

    /** There is a key, and it is not what was kept. */
    DAMAGED(false),

    /** The user or the system refused. */
    DENIED(false),

    /** The secret store does not answer. */
    UNAVAILABLE(true),
}

/** Calls the core, and turns what it throws into the public exception. Cancellation passes. */
internal inline fun <T> mapped(call: () -> T): T = try {
    call()
} catch (e: CoreException) {
    throw e.mapped()
} catch (e: InternalException) {
    // A panic that was caught at the border.
    throw EftException.Bug(e.message ?: "the core panicked", e)
} catch (e: CharacterCodingException) {
    // Half of a surrogate pair: what generated code says of a text that has no UTF-8.
    throw EftException.InvalidInput("a text that is not Unicode")
} catch (e: CancellationException) {
    throw e
} catch (e: IllegalStateException) {
    // The handle was closed: what generated code says of an object that was destroyed.
    throw EftException.Suspended(e.message ?: "the handle was closed")
}

private fun CoreException.mapped(): EftException = when (this) {
    is CoreException.Offline -> EftException.Offline(reason)
    is CoreException.AuthRejected -> EftException.AuthRejected(reason)
    is CoreException.Downgraded -> EftException.Downgraded(reason)
    is CoreException.CertificateRejected -> EftException.CertificateRejected(reason)
    is CoreException.ServerTooOld -> EftException.ServerTooOld(reason)
    is CoreException.NotTrusted -> EftException.NotTrusted(reason)
    is CoreException.NoRecipients -> EftException.NoRecipients(reason)
    is CoreException.OptedOut -> EftException.OptedOut(reason)
    is CoreException.TooLarge -> EftException.TooLarge(reason)
    is CoreException.KeyUnavailable -> EftException.KeyUnavailable(fault.mapped(), reason)
    is CoreException.StoreLocked -> EftException.StoreLocked(reason)
    is CoreException.StoreDamaged -> EftException.StoreDamaged(reason)
    is CoreException.Suspended -> EftException.Suspended(reason)
    is CoreException.InvalidInput -> EftException.InvalidInput(reason)
    is CoreException.NotAllowed -> EftException.NotAllowed(reason)
    is CoreException.Bug -> EftException.Bug(reason)
}

private fun CoreKeyFault.mapped() = when (this) {
    CoreKeyFault.LOCKED -> KeyFault.LOCKED
    CoreKeyFault.LOST -> KeyFault.LOST
    CoreKeyFault.DAMAGED -> KeyFault.DAMAGED
    CoreKeyFault.DENIED -> KeyFault.DENIED
    CoreKeyFault.UNAVAILABLE -> KeyFault.UNAVAILABLE
}
