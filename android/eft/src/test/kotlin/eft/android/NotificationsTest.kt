package eft.android

import android.app.Application
import android.app.Notification
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.RemoteInput
import android.content.Context
import android.content.Intent
import android.os.Bundle
import eft.Account
import eft.Content
import eft.Encryption
import eft.Jid
import eft.Message
import eft.MessageId
import java.time.Instant
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** The app of these tests: its accounts are nobody's, for what is fetched is tested beside a real server. */
open class HostApplication : Application(), EftHost {
    val endpoints = mutableListOf<Pair<Jid, String?>>()
    override val notificationIcon = android.R.drawable.stat_notify_chat
    override suspend fun accounts() = emptyList<Jid>()
    override suspend fun account(jid: Jid): Account? = null
    override suspend fun displayName(account: Jid, peer: Jid) = "Bob"
    override fun openConversation(account: Jid, peer: Jid): PendingIntent =
        PendingIntent.getActivity(this, 0, Intent("open"), PendingIntent.FLAG_IMMUTABLE)

    override fun onPushEndpoint(account: Jid, endpoint: String?) {
        endpoints += account to endpoint
    }
}

/** The texts that a conversation's notification shows. */
internal fun Notification.lines() = Notification.MessagingStyle.Message
    .getMessagesFromBundleArray(extras.getParcelableArray(Notification.EXTRA_MESSAGES, Bundle::class.java))
    .map { it.text.toString() }

@RunWith(BesideCore::class)
@Config(manifest = Config.NONE, sdk = [35], application = HostApplication::class)
class NotificationsTest {
    private val context = RuntimeEnvironment.getApplication() as HostApplication
    private val manager = checkNotNull(context.getSystemService(NotificationManager::class.java))
    private val alice = Jid.of("alice@example.org")
    private val bob = Jid.of("bob@example.org")
    private val notifications = Notifications(context, context)

    private fun message(row: Long, text: String, peer: Jid = bob) = Message(
        MessageId(row), peer, peer, null, false, Instant.ofEpochMilli(row), Content.Text(text), Encryption.OMEMO2, null,
    )

    @Test
    fun `a conversation has one notification with all that was said, each message once`() = runBlocking {
        notifications.message(alice, message(1, "Tea?"))
        notifications.message(alice, message(2, "At four"))
        notifications.message(alice, message(1, "Tea?"))
        val carol = Jid.of("carol@example.org")
        notifications.message(alice, message(3, "Coffee?", carol))
        assertEquals(2, manager.activeNotifications.size)
        val shown = manager.activeNotifications.first { it.tag == Notifications.tag(alice, bob) }.notification
        assertEquals(listOf("Tea?", "At four"), shown.lines())
        assertEquals(Notification.CATEGORY_MESSAGE, shown.category)
        assertEquals(Notification.VISIBILITY_PRIVATE, shown.visibility)
        assertEquals("Messages", manager.getNotificationChannel(shown.channelId).name)

        notifications.replied(alice, bob, "Gladly")
        val answered = manager.activeNotifications.first { it.tag == Notifications.tag(alice, bob) }.notification
        assertEquals(listOf("Tea?", "At four", "Gladly"), answered.lines())
        notifications.read(alice, bob)
        assertEquals(listOf(Notifications.tag(alice, carol)), manager.activeNotifications.map { it.tag })
    }

    @Test
    fun `answering and marking as read become work that outlives the process`() = runBlocking {
        notifications.message(alice, message(1, "Tea?"))
        notifications.message(alice, message(2, "At four?"))
        val actions = manager.activeNotifications.single().notification.actions
        assertEquals(listOf("Reply", "Mark as read"), actions.map { it.title.toString() })
        assertEquals(
            listOf(Notification.Action.SEMANTIC_ACTION_REPLY, Notification.Action.SEMANTIC_ACTION_MARK_AS_READ),
            actions.map { it.semanticAction },
        )
        // The system fills the reply in; the other one stays as it is.
        assertEquals(listOf(false, true), actions.map { it.actionIntent.isImmutable })

        val filled = shadowOf(actions[0].actionIntent).savedIntent
        RemoteInput.addResultsToIntent(
            actions[0].remoteInputs, filled, Bundle().apply { putCharSequence(NotificationActions.TEXT, "Gladly ☕") },
        )
        NotificationActions().onReceive(context, filled)
        NotificationActions().onReceive(context, shadowOf(actions[1].actionIntent).savedIntent)
        assertEquals(
            listOf(Work.Reply(alice, bob, MessageId(2), "Gladly ☕"), Work.MarkRead(alice, bob, MessageId(2))),
            Wake.spool(context).entries().map { Work.decoded(it.content) },
        )
    }

    @Test
    fun `an action that nobody offered is nothing`() {
        for (intent in listOf(
            Intent(),
            Intent(NotificationActions.REPLY),
            Intent(NotificationActions.REPLY).putExtra("account", "@@").putExtra("peer", ""),
            Intent(NotificationActions.REPLY).putExtra("account", "a@b.c").putExtra("peer", "d@e.f"),
            Intent("else").putExtra("account", "a@b.c").putExtra("peer", "d@e.f"),
            Intent(NotificationActions.MARK_READ).putExtra("account", 7).putExtra("peer", Bundle()),
        )) {
            NotificationActions().onReceive(context, intent)
        }
        assertTrue(Wake.spool(context).entries().isEmpty())
    }
}
