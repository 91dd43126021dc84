package eft.android

import android.app.PendingIntent
import eft.Account
import eft.ConnectOptions
import eft.ConnectionState
import eft.Eft
import eft.Jid
import eft.MemorySecrets
import eft.Message
import eft.Person
import eft.newFolder
import eft.serverOptions
import eft.setting
import eft.story
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first

/** A push wakes a phone that was asleep: everything but Android itself is real. */
class WakeRunnerTest {
    private class Phone(val account: Account, var port: Int? = null) : EftHost, WakeRunner.Shows {
        val shown = mutableListOf<String>()
        val said = mutableListOf<String>()
        val read = mutableListOf<Jid>()
        var onScreen: Jid? = null
        override val notificationIcon = 0
        override suspend fun accounts() = listOf(account.jid)
        override suspend fun account(jid: Jid) = account.takeIf { it.jid == jid }
        override fun connectOptions(jid: Jid): ConnectOptions = port?.let(::serverOptions) ?: serverOptions()
        override fun openConversation(account: Jid, peer: Jid): PendingIntent? = null
        override fun isShown(account: Jid, peer: Jid) = peer == onScreen
        override suspend fun message(account: Jid, message: Message) { shown += message.text.orEmpty() }
        override suspend fun replied(account: Jid, peer: Jid, text: String) { said += text }
        override suspend fun read(account: Jid, peer: Jid) { read += peer }
    }

    private suspend fun phone(): Phone {
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("BOB")), setting("BOB_PASSWORD"))
        account.connect(serverOptions())
        account.disconnect()
        return Phone(account)
    }

    private fun spool() = Spool(File(newFolder(), "spool"))

    @Test
    fun `who is woken fetches and shows what was written, once, and sleeps again`() = story(120) {
        val bob = phone()
        val alice = Person.login("ALICE")
        for (number in 1..3) alice.account.conversation(bob.account.jid).send("Are you awake? $number")
        alice.waitUntilAcked("Are you awake? 3")
        val spool = spool()
        repeat(2) { spool.add(Work.Push(bob.account.jid).encoded()) }
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        assertEquals(listOf("Are you awake? 1", "Are you awake? 2", "Are you awake? 3"), bob.shown)
        assertEquals(0, spool.size)
        bob.account.connection.first { it == ConnectionState.Disconnected }
        // A push that comes late finds nothing new.
        spool.add(Work.Push(null).encoded())
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        assertEquals(3, bob.shown.size)
        // What is on the screen needs no notification.
        bob.onScreen = alice.jid
        alice.account.conversation(bob.account.jid).send("I see you")
        alice.waitUntilAcked("I see you")
        spool.add(Work.Push(null).encoded())
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        assertEquals(3, bob.shown.size)
        bob.account.shutDown()
        alice.leave()
    }

    @Test
    fun `an answer from a notification is sent by the job, and waits where there is no network`() = story(120) {
        val bob = phone()
        val alice = Person.login("ALICE")
        val spool = spool()
        // A new device also has what was written before its time, and could not read it.
        val before = bob.account.conversations().singleOrNull { it.peer == alice.jid }?.unreadCount ?: 0u
        alice.account.conversation(bob.account.jid).send("Where are you?")
        alice.waitUntilAcked("Where are you?")
        spool.add(Work.Push(null).encoded())
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        val question = bob.account.conversations().single { it.peer == alice.jid }
        assertEquals(before + 1u, question.unreadCount)
        val asked = checkNotNull(question.lastMessage).id
        spool.add(Work.Reply(bob.account.jid, alice.jid, asked, "From the lock screen").encoded())
        spool.add(Work.MarkRead(bob.account.jid, alice.jid, asked).encoded())
        spool.add(byteArrayOf(9, 9, 9))
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        assertEquals("From the lock screen", alice.nextText().text)
        assertEquals(listOf("From the lock screen"), bob.said)
        assertEquals(listOf(alice.jid), bob.read)
        assertEquals(0u, bob.account.conversations().single { it.peer == alice.jid }.unreadCount)

        bob.port = 1
        spool.add(Work.Push(null).encoded())
        assertFalse(WakeRunner(bob, spool, bob).run(30.seconds))
        assertEquals(1, spool.size)
        bob.port = null
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        bob.account.shutDown()
        alice.leave()
    }

    @Test
    fun `what cannot go better the next time is not tried for ever`() = story(120) {
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("BOB")), "wrong")
        val bob = Phone(account)
        val spool = spool()
        spool.add(Work.Push(Jid.of("nobody@example.org")).encoded())
        spool.add(Work.Push(account.jid).encoded())
        assertTrue(WakeRunner(bob, spool, bob).run(60.seconds))
        account.shutDown()
    }

    private suspend fun Person.waitUntilAcked(text: String) {
        next<eft.Event.MessageChanged> { it.message.text == text && it.message.delivery == eft.Delivery.Acked }
    }
}
