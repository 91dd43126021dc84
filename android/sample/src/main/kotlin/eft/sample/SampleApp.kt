package eft.sample

import android.app.Application
import android.app.PendingIntent
import android.content.Intent
import android.net.Uri
import eft.Account
import eft.ConnectOptions
import eft.Eft
import eft.Jid
import eft.android.EftHost
import eft.android.KeystoreSecretStore
import eft.android.PlatformNetwork
import eft.android.UnifiedPush
import eft.android.Wake
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.io.File

/** Holds the one [Eft] and the open accounts, for the screens and for the services that a push starts. */
class SampleApp : Application(), EftHost {
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private val opening = Mutex()
    private var eft: Eft? = null
    private val open = HashMap<Jid, Account>()

    /** The chat on the screen. */
    @Volatile
    var shown: Jid? = null

    override fun connectOptions(jid: Jid): ConnectOptions = ConnectOptions(network = PlatformNetwork.default)

    override val notificationIcon: Int get() = android.R.drawable.stat_notify_chat

    override fun onCreate() {
        super.onCreate()
        Wake.resume(this)
    }

    private suspend fun eft(): Eft =
        eft ?: Eft.open(File(noBackupFilesDir, "eft"), KeystoreSecretStore(this)).also { eft = it }

    suspend fun add(jid: Jid, password: String): Account = opening.withLock {
        eft().addAccount(jid, password).also { open[jid] = it }
    }.also { account ->
        UnifiedPush.distributors(this).firstOrNull()?.let { UnifiedPush.register(this, it, account.jid) }
    }

    override suspend fun accounts(): List<Jid> = opening.withLock { eft().accounts() }

    override suspend fun account(jid: Jid): Account? = opening.withLock {
        open[jid] ?: if (jid in eft().accounts()) eft().account(jid).also { open[jid] = it } else null
    }

    override fun isShown(account: Jid, peer: Jid): Boolean = peer == shown

    override fun openConversation(account: Jid, peer: Jid): PendingIntent {
        val intent = Intent(this, MainActivity::class.java)
            .setData(Uri.fromParts("eft", peer.toString(), null))
            .putExtra(MainActivity.PEER, peer.toString())
        return PendingIntent.getActivity(this, 0, intent, PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT)
    }
}
