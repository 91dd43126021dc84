package eft

import eft.core.SecretStore as CoreStore
import eft.core.SecretStoreException as CoreException

/**
 * Keeps small secrets under a name, safe from who reads the disk: one per account, the key of its database.
 *
 * `eft.android.KeystoreSecretStore` is the one for apps. Calls come from threads of Eft, one after the other or not, never
 * from the main thread, and may block.
 */
public interface SecretStore {
    /**
     * The secret under this name; `null` if there never was one.
     *
     * @throws SecretStoreException any other exception counts as [SecretStoreException.Failed].
     */
    public fun load(name: String): ByteArray?

    /**
     * Keeps a secret, and replaces an older one of this name. It has to be durable on return.
     *
     * @throws SecretStoreException as [load].
     */
    public fun store(name: String, secret: ByteArray)

    /**
     * Removes a secret. Removing what is not there is no error.
     *
     * @throws SecretStoreException as [load].
     */
    public fun delete(name: String)
}

/** Why a secret store gave nothing. The message is the platform's reason, for a log. */
public sealed class SecretStoreException(message: String, cause: Throwable?) : Exception(message, cause) {
    /** The device has not been unlocked since it was started. Later it will work. */
    public class Locked(message: String, cause: Throwable? = null) : SecretStoreException(message, cause)

    /** The secret was here, and the platform no longer has what opens it. */
    public class Lost(message: String, cause: Throwable? = null) : SecretStoreException(message, cause)

    /** What is kept is not what was stored. */
    public class Corrupt(message: String, cause: Throwable? = null) : SecretStoreException(message, cause)

    /** Anything else. */
    public class Failed(message: String, cause: Throwable? = null) : SecretStoreException(message, cause)
}

/** Shows the app's store to the core. */
internal class HostSecretStore(private val store: SecretStore) : CoreStore {
    override fun load(name: String): ByteArray? = told { store.load(name) }

    override fun store(name: String, secret: ByteArray) = told { store.store(name, secret) }

    override fun delete(name: String) = told { store.delete(name) }

    private inline fun <T> told(call: () -> T): T = try {
        call()
    } catch (e: SecretStoreException) {
        val reason = e.message.orEmpty()
        throw when (e) {
            is SecretStoreException.Locked -> CoreException.Locked(reason)
            is SecretStoreException.Lost -> CoreException.Lost(reason)
            is SecretStoreException.Corrupt -> CoreException.Corrupt(reason)
            is SecretStoreException.Failed -> CoreException.Failed(reason)
        }
    } catch (e: Throwable) {
        // Errors, too: generated code catches exceptions only, and what passes it comes out as a wrong answer.
        throw CoreException.Failed(e.toString())
    }
}
