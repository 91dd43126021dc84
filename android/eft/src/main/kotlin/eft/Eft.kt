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
     * As [addAccount], with the history out of a file of [Account.export]. The account gets a new device id, and the identity
     * key of the file if there is one in it: the device that it was on must not be used any more. What is damaged is refused
     * whole, and leaves an account that can be imported or added again.
     *
     * @throws EftException.InvalidInput for an account that is here already; for a wrong passphrase, for a file that is damaged,
     *   not complete, of a newer version, or another account's.
     * @throws EftException.KeyUnavailable if the secret store takes no key.
     */
    public suspend fun importAccount(jid: Jid, password: String, file: File, passphrase: String): Account =
        Account(mapped { core.importAccount(jid.toString(), password, file.path, passphrase) })

    /**
     * Puts a new database in the place of an account's that is damaged, or whose key is lost, and saves what can be read. Never
     * done by itself: [account] says what is wrong and leaves everything as it is, and the user decides. The account is a new
     * device then: contacts see one more. Not to be called while an [Account] for it is open.
     *
     * @param password kept in the new database.
     * @throws EftException.InvalidInput for an account that is not here.
     * @throws EftException.KeyUnavailable if the key may come back: see [KeyFault].
     * @throws EftException.StoreLocked if another process has it.
     * @throws EftException.StoreDamaged if a newer Eft wrote it, or the folder cannot be written.
     */
    public suspend fun rebuildAccount(jid: Jid, password: String): RebuiltAccount =
        mapped { core.rebuildAccount(jid.toString(), password) }.mapped()

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
