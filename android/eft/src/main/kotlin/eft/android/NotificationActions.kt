package eft.android

import android.app.RemoteInput
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import eft.EftException
import eft.Jid
import eft.MessageId
import java.io.IOException

/** Takes what the user does in a notification. It is on the disk when this returns, and done by the job that follows. */
public class NotificationActions : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val work = work(intent) ?: return
        // A notification that was touched is as good as an app that is open: the service may start.
        try {
            Wake.submit(context, work, mayStartService = true)
        } catch (_: IOException) {
            // The disk is full. The notification stays as it is, and the user sees that nothing happened.
        }
    }

    private fun work(intent: Intent): Work? {
        val account = address(intent, ACCOUNT) ?: return null
        val peer = address(intent, PEER) ?: return null
        val readUpTo = intent.getLongExtra(READ_UP_TO, NONE).takeIf { it != NONE }?.let(::MessageId)
        return when (intent.action) {
            REPLY -> {
                val text = RemoteInput.getResultsFromIntent(intent)?.getCharSequence(TEXT)?.toString()
                if (text.isNullOrBlank()) null else Work.Reply(account, peer, readUpTo, text)
            }
            MARK_READ -> readUpTo?.let { Work.MarkRead(account, peer, it) }
            else -> null
        }
    }

    private fun address(intent: Intent, name: String): Jid? = try {
        intent.getStringExtra(name)?.let(Jid::of)
    } catch (_: EftException.InvalidInput) {
        null
    }

    internal companion object {
        const val REPLY = "eft.android.REPLY"
        const val MARK_READ = "eft.android.MARK_READ"
        const val ACCOUNT = "account"
        const val PEER = "peer"
        const val READ_UP_TO = "readUpTo"
        const val TEXT = "text"
        private const val NONE = -1L
    }
}
