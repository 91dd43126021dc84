package eft.android

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Person
import android.app.RemoteInput
import android.content.Context
import android.content.Intent
import android.graphics.drawable.Icon
import android.net.Uri
import android.os.Build
import eft.Jid
import eft.Message

/**
 * One notification per conversation, with what was said in it since it was last read. It answers ("reply") and goes away
 * ("mark as read") without the app being opened.
 *
 * A message that is shown twice is shown once: its place is the conversation's, and its row says whether it is there.
 */
internal class Notifications(private val context: Context, private val host: EftHost) : WakeRunner.Shows {
    private val manager = context.getSystemService(NotificationManager::class.java)

    override suspend fun message(account: Jid, message: Message) {
        val name = host.displayName(account, message.conversation)
        val row = message.id.row
        post(account, message.conversation, name, row) { style ->
            if (style.messages.any { it.extras.getLong(ROW, -1) == row }) return@post false
            val line = Notification.MessagingStyle.Message(
                message.text.orEmpty(), message.sentAt.toEpochMilli(), Person.Builder().setName(name).build(),
            )
            line.extras.putLong(ROW, row)
            style.addMessage(line)
            true
        }
    }

    override suspend fun replied(account: Jid, peer: Jid, text: String) {
        // Android turns the reply's wheel until the notification is posted anew.
        post(account, peer, host.displayName(account, peer), -1) { style ->
            style.addMessage(Notification.MessagingStyle.Message(text, System.currentTimeMillis(), null as Person?))
            true
        }
    }

    /** Takes the conversation's notification away. */
    override suspend fun read(account: Jid, peer: Jid) {
        manager?.cancel(tag(account, peer), ID)
    }

    private inline fun post(
        account: Jid, peer: Jid, name: String, row: Long, add: (Notification.MessagingStyle) -> Boolean,
    ) {
        // Nobody to post to, or nobody who may.
        val manager = manager ?: return
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) return postPlain(manager, account, peer, name, row)
        val shown = manager.activeNotifications.firstOrNull { it.tag == tag(account, peer) && it.id == ID }?.notification
        val style = Notification.MessagingStyle(Person.Builder().setName(account.toString()).build())
        shown?.let(::linesOf)?.forEach(style::addMessage)
        if (!add(style)) return
        val newest = style.messages.maxOf { it.extras.getLong(ROW, -1) }
        val builder = builder(manager, account, peer, newest).setStyle(style)
        manager.notify(tag(account, peer), ID, builder.build())
    }

    /** Before Android 9 a conversation cannot be read back: it says who wrote, and no more. */
    private fun postPlain(manager: NotificationManager, account: Jid, peer: Jid, name: String, row: Long) {
        manager.notify(tag(account, peer), ID, builder(manager, account, peer, row).setContentTitle(name).build())
    }

    private fun linesOf(notification: Notification): List<Notification.MessagingStyle.Message> {
        @Suppress("DEPRECATION") // The other one came with Android 13.
        val bundles = notification.extras.getParcelableArray(Notification.EXTRA_MESSAGES)
        return Notification.MessagingStyle.Message.getMessagesFromBundleArray(bundles)
    }

    private fun builder(manager: NotificationManager, account: Jid, peer: Jid, row: Long): Notification.Builder {
        // Made already, it keeps what the user set.
        manager.createNotificationChannel(
            NotificationChannel(CHANNEL, host.messagesLabel, NotificationManager.IMPORTANCE_HIGH),
        )
        return Notification.Builder(context, CHANNEL)
            .setSmallIcon(host.notificationIcon)
            .setCategory(Notification.CATEGORY_MESSAGE)
            .setAutoCancel(true)
            // The content is the user's affair, and not that of who sees the screen.
            .setVisibility(Notification.VISIBILITY_PRIVATE)
            .setContentIntent(host.openConversation(account, peer))
            .addAction(reply(account, peer, row))
            .addAction(markRead(account, peer, row))
    }

    private fun reply(account: Jid, peer: Jid, row: Long): Notification.Action {
        val label = host.replyLabel
        val intent = action(NotificationActions.REPLY, account, peer, row, true)
        return Notification.Action.Builder(null as Icon?, label, intent)
            .addRemoteInput(RemoteInput.Builder(NotificationActions.TEXT).setLabel(label).build())
            .setAllowGeneratedReplies(false)
            .semantic(Notification.Action.SEMANTIC_ACTION_REPLY)
            .build()
    }

    private fun markRead(account: Jid, peer: Jid, row: Long): Notification.Action =
        Notification.Action.Builder(
            null as Icon?, host.markReadLabel, action(NotificationActions.MARK_READ, account, peer, row, false),
        ).semantic(Notification.Action.SEMANTIC_ACTION_MARK_AS_READ).build()

    private fun Notification.Action.Builder.semantic(action: Int) =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) setSemanticAction(action) else this

    /** The system writes the reply into the intent, and so that one is mutable; it names our receiver, and nobody else's. */
    private fun action(name: String, account: Jid, peer: Jid, row: Long, isFilled: Boolean): PendingIntent {
        val intent = Intent(context, NotificationActions::class.java)
            .setAction(name)
            // Intents that differ in extras only are one to Android.
            .setData(Uri.fromParts("eft", "$account/$peer", null))
            .putExtra(NotificationActions.ACCOUNT, account.toString())
            .putExtra(NotificationActions.PEER, peer.toString())
            .putExtra(NotificationActions.READ_UP_TO, row)
        val mutability = when {
            !isFilled -> PendingIntent.FLAG_IMMUTABLE
            Build.VERSION.SDK_INT >= Build.VERSION_CODES.S -> PendingIntent.FLAG_MUTABLE
            else -> 0
        }
        return PendingIntent.getBroadcast(context, 0, intent, PendingIntent.FLAG_UPDATE_CURRENT or mutability)
    }

    internal companion object {
        const val CHANNEL = "eft.messages"
        const val ID = 1
        const val ROW = "eft.row"

        fun tag(account: Jid, peer: Jid) = "eft:$account/$peer"
    }
}
