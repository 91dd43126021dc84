package eft.android

import android.content.Context
import android.os.UserManager
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.UserNotAuthenticatedException
import eft.SecretStore
import eft.SecretStoreException
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.MessageDigest
import java.security.ProviderException
import java.security.UnrecoverableKeyException

/**
 * Keeps secrets in files that a key in the Android Keystore encrypts: in StrongBox where the device has one, else in the
 * other secure hardware.
 *
 * The files lie in `Context.getNoBackupFilesDir`, for a backup would bring them to a phone whose Keystore cannot open them.
 * They are readable from the first unlock after a start on, also while the screen is locked.
 */
public class KeystoreSecretStore internal constructor(
    private val folder: File,
    private val key: WrappingKey,
    private val isUnlocked: () -> Boolean,
) : SecretStore {
    /** @param alias names the key in the Keystore; another one is another, empty store. */
    public constructor(context: Context, alias: String = "eft") : this(
        File(context.noBackupFilesDir, "eft-secrets"),
        WrappingKey(context, alias),
        { context.getSystemService(UserManager::class.java)?.isUserUnlocked != false },
    )

    override fun load(name: String): ByteArray? = told {
        val bytes = file(name).readOrNull() ?: return null
        val wrapping = key.find() ?: throw SecretStoreException.Lost("the Keystore has no key, and there is a secret for it")
        WrappedSecret.unwrap(wrapping, name, bytes)
    }

    override fun store(name: String, secret: ByteArray) {
        told { DurableFile.write(file(name), WrappedSecret.wrap(key.findOrMake(), name, secret)) }
    }

    override fun delete(name: String) {
        told { DurableFile.delete(file(name)) }
    }

    /** Names hold addresses, and files may not be called so. */
    private fun file(name: String): File {
        val digest = MessageDigest.getInstance("SHA-256").digest(name.toByteArray())
        return File(folder, digest.joinToString("") { "%02x".format(it) })
    }

    private inline fun <T> told(call: () -> T): T {
        // Before the first unlock the folder is not there, and would look like one that was never written.
        if (!isUnlocked()) throw SecretStoreException.Locked("the device was not unlocked since it was started")
        try {
            return call()
        } catch (e: UserNotAuthenticatedException) {
            throw SecretStoreException.Locked("the Keystore wants the user", e)
        } catch (e: KeyPermanentlyInvalidatedException) {
            throw SecretStoreException.Lost("the Keystore gave its key up", e)
        } catch (e: UnrecoverableKeyException) {
            throw SecretStoreException.Lost("the Keystore's key cannot be had", e)
        } catch (e: GeneralSecurityException) {
            throw SecretStoreException.Failed("the Keystore: $e", e)
        } catch (e: ProviderException) {
            // What the Keystore's service throws when it is busy or out of order; the next call may go well.
            throw SecretStoreException.Failed("the Keystore: $e", e)
        } catch (e: IOException) {
            throw SecretStoreException.Failed("the disk: $e", e)
        }
    }
}
