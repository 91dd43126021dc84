package eft.android

import eft.Account
import eft.ConnectOptions
import eft.Jid
import eft.serverOptions
import eft.setting
import java.util.concurrent.atomic.AtomicInteger

/** The app on Bob's phone, whose account is real. */
class PhoneApplication : HostApplication() {
    var account: Account? = null
    var port: Int? = null

    /** Happens while the account is being opened, and before a message is shown. */
    var opening: suspend () -> Unit = {}
    var showing: suspend () -> Unit = {}

    /** How often an account was woken. */
    val wakeCount = AtomicInteger()

    override suspend fun accounts() = listOf(Jid.of(setting("BOB")))
    override suspend fun account(jid: Jid): Account? {
        opening()
        return account
    }

    override fun connectOptions(jid: Jid): ConnectOptions {
        wakeCount.incrementAndGet()
        return port?.let(::serverOptions) ?: serverOptions()
    }

    override suspend fun displayName(account: Jid, peer: Jid): String {
        showing()
        return "Alice"
    }
}
