package eft

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.Closeable
import java.io.File
import eft.core.Eft as CoreEft

/**
 * A folder with accounts in it: where everything starts.
 *
 * ```kotlin
 * val eft = Eft.open(File(context.noBackupFilesDir, "eft"), KeystoreSecretStore(context))
 * val account = eft.addAccount(Jid.of("alice@example.org"), password) // later: eft.account(jid)
 * scope.launch { account.messages().collect { println("${it.sender}: ${it.text}") } }
 * account.connect()
 * account.conversation(Jid.of("bob@example.org")).send("Hello, Bob")
 * ```
 *
 * Everything in this package may be used from any thread. A suspending call ends early when its coroutine is cancelled;
 * that gives up waiting, what was begun is finished or undone by the core, never left half done.
 */
public class Eft private constructor(private val core: CoreEft) : Closeable {
    /**
     * Addresses of the accounts in the folder.
     *
     * @throws EftException.StoreDamaged if the folder cannot be read.
     */
    public suspend fun accounts(): List<Jid> =
        withContext(Dispatchers.IO) { mapped { core.accounts() } }.map(Jid::known)

    /**
     * Makes the database, the device and the keys of an account. Does not connect.
     *
     * @param password kept in the encrypted database.
     * @throws EftException.InvalidInput for an account that is here already.
     * @throws EftException.KeyUnavailable if the secret store takes no key.
     */
    public suspend fun addAccount(jid: Jid, password: String): Account =
        Account(mapped { core.addAccount(jid.toString(), password) })

    /**
     * Opens an account that is in the folder.
     *
     * @throws EftException.InvalidInput for an account that is not here.
     * @throws EftException.KeyUnavailable [KeyUnavailable.fault][EftException.KeyUnavailable.fault] says why.
     * @throws EftException.StoreLocked if another process has it.
     * @throws EftException.StoreDamaged if the database cannot be read.
     */
    public suspend fun account(jid: Jid): Account = Account(mapped { core.account(jid.toString()) })

    /** Lets go of the folder. Its accounts stay as they are. */
    override fun close() {
        core.close()
    }

    public companion object {
        /**
         * Opens the folder, or makes it. It is for Eft alone; on Android choose one that no backup takes
         * (`Context.getNoBackupFilesDir`).
         *
         * @throws EftException.StoreDamaged if the folder cannot be made or read.
         */
        public suspend fun open(folder: File, secrets: SecretStore): Eft =
            Eft(withContext(Dispatchers.IO) { mapped { CoreEft.open(folder.path, HostSecretStore(secrets)) } })
    }
}
