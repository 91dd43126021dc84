package eft.android

import android.content.Context
import eft.Account
import eft.EftException
import eft.Jid
import eft.Message
import eft.WakeReason
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Does what the spool holds: leaves replies for sending, and fetches and shows what pushes spoke of. */
internal class WakeRunner(private val host: EftHost, private val spool: Spool, private val shows: Shows) {
    /** Where messages are shown. */
    interface Shows {
        suspend fun message(account: Jid, message: Message)
        suspend fun replied(account: Jid, peer: Jid, text: String)
        suspend fun read(account: Jid, peer: Jid)
    }

    /**
     * Works until nothing waits or the time is up. One at a time in a process.
     *
     * @return whether nothing waits any more. What could not be done stays, and is done the next time.
     */
    suspend fun run(within: Duration): Boolean = ONE_AT_A_TIME.withLock {
        val end = TimeSource.Monotonic.markNow() + within
        try {
            withTimeoutOrNull(within) {
                do {
                    val doneCount = round(spool.entries()) { -end.elapsedNow() - CLOSING }
                } while (doneCount > 0 && spool.size > 0)
            }
            spool.size == 0
        } catch (_: IOException) {
            // A full disk, at the worst. It is no reason for the app to end.
            false
        }
    }

    /** Does what it can of it, and returns how much that was. */
    private suspend fun round(entries: List<Spool.Entry>, left: () -> Duration): Int {
        var doneCount = 0
        fun done(name: String) {
            spool.done(name)
            doneCount += 1
        }
        val pushes = mutableListOf<Pair<String, Work.Push>>()
        // Accounts for which something was left, and so has to be sent.
        val written = HashSet<Jid>()
        for (entry in entries) {
            when (val work = Work.decoded(entry.content)) {
                // Of another release, or rubbish: nobody will ever understand it.
                null -> done(entry.name)
                is Work.Push -> pushes += entry.name to work
                is Work.Reply -> if (reply(work)) {
                    // At once: what is done twice is said twice. The push that follows sends it.
                    done(entry.name)
                    written += work.account
                }
                is Work.MarkRead -> if (markRead(work)) done(entry.name)
            }
        }
        for (jid in written) {
            val push = Work.Push(jid)
            pushes += spool.add(push.encoded()) to push
        }
        val known = try {
            host.accounts()
        } catch (_: EftException) {
            return doneCount
        }
        val failed = known.filterTo(HashSet()) { jid ->
            pushes.any { (_, push) -> push.account == null || push.account == jid } && !wake(jid, left())
        }
        for ((name, push) in pushes) {
            if (failed.none { push.account == null || push.account == it }) done(name)
        }
        return doneCount
    }

    /** Whether the reply is in the account's database now, or never will be. */
    private suspend fun reply(reply: Work.Reply): Boolean = tried {
        val account = host.account(reply.account) ?: return@tried true
        val conversation = account.conversation(reply.peer)
        conversation.leaveText(reply.text)
        reply.readUpTo?.let { conversation.leaveReadMark(it) }
        shows.replied(reply.account, reply.peer, reply.text)
        true
    }

    private suspend fun markRead(mark: Work.MarkRead): Boolean = tried {
        host.account(mark.account)?.conversation(mark.peer)?.leaveReadMark(mark.upTo)
        shows.read(mark.account, mark.peer)
        true
    }

    /** Whether everything that the server has for the account was fetched and shown, or another try would not help. */
    private suspend fun wake(jid: Jid, within: Duration): Boolean = tried {
        val account = host.account(jid) ?: return@tried true
        val outcome = account.handlePush(host.connectOptions(jid), within)
        show(account, outcome.notifications)
        if (outcome.hasMore) {
            do {
                val more = account.announcements()
                show(account, more)
            } while (more.isNotEmpty())
        }
        when (val reason = outcome.reason) {
            WakeReason.CaughtUp, WakeReason.HeldElsewhere -> true
            WakeReason.Deadline -> false
            is WakeReason.Failed -> !reason.isRetryable
        }
    }

    private suspend fun show(account: Account, messages: List<Message>) {
        for (message in messages) {
            // What is on the screen, and what nobody can read, needs no notification, and is not asked for again.
            if (message.text != null && !host.isShown(account.jid, message.conversation)) shows.message(account.jid, message)
        }
        // Only now: who dies before this line shows them again, under the same ids.
        if (messages.isNotEmpty()) account.announced(messages.map { it.id })
    }

    /** What `work` says; what fails for good counts as done. */
    private suspend fun tried(work: suspend () -> Boolean): Boolean = try {
        work()
    } catch (e: EftException) {
        !e.isRetryable
    }

    companion object {
        private val ONE_AT_A_TIME = Mutex()

        /** What is kept for showing what was fetched. */
        private val CLOSING = 5.seconds

        fun of(context: Context): WakeRunner {
            val host = context.applicationContext as? EftHost
                ?: error("the Application of this app has to implement EftHost")
            return WakeRunner(host, Wake.spool(context), Notifications(context, host))
        }
    }
}
