package eft

import kotlinx.coroutines.flow.first
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import kotlin.math.abs
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** Two accounts on a real server, driven from Kotlin. */
class TalkTest {
    @Test
    fun `the program that shows how to chat does chat`() {
        val printed = ByteArrayOutputStream()
        val console = System.out
        System.setOut(PrintStream(printed, true, Charsets.UTF_8))
        try {
            main()
        } finally {
            System.setOut(console)
        }
        val lines = printed.toString(Charsets.UTF_8).lines()
        assertTrue("${setting("BOB")} reads: Tea at four?" in lines, lines.toString())
        assertTrue("${setting("ALICE")} reads: Gladly ☕" in lines, lines.toString())
    }

    @Test
    fun `two accounts log in, send and receive`() = story {
        val alice = Person.login("ALICE")
        val bob = Person.login("BOB")
        // The flow follows by an event of its own.
        alice.account.connection.first { it == ConnectionState.Online }
        alice.account.conversation(bob.jid).send("Tea at four?")
        val got = bob.nextText()
        assertEquals("Tea at four?", got.text)
        assertEquals(Encryption.OMEMO2, got.encryption)
        assertEquals(alice.jid, got.sender)
        assertEquals(alice.account.deviceId, got.senderDevice)
        assertTrue(abs(got.sentAt.toEpochMilli() - System.currentTimeMillis()) < 60_000)
        bob.account.conversation(alice.jid).send("Gladly ☕")
        assertEquals("Gladly ☕", alice.nextText().text)
        val page = alice.account.conversation(bob.jid).page(limit = 10)
        assertEquals(listOf("Gladly ☕", "Tea at four?"), page.messages.mapNotNull { it.text })
        val bobsDevice = alice.account.devices(bob.jid).single { it.id == bob.account.deviceId }
        assertEquals(bob.account.fingerprint, bobsDevice.fingerprint)
        assertEquals(Trust.BLINDLY_TRUSTED, bobsDevice.trust)
        assertEquals(emptyList(), alice.account.contacts().filter { it.jid == alice.jid })
        alice.leave()
        bob.leave()
        alice.account.connection.first { it == ConnectionState.Disconnected }
    }

    @Test
    fun `a fingerprint is verified or rejected, and a decision can be changed`() = story {
        val alice = Person.login("ALICE")
        val bob = Person.login("BOB")
        alice.account.conversation(bob.jid).send("Who are you?")
        assertEquals("Who are you?", bob.nextText().text)
        suspend fun bobsTrust() = alice.account.devices(bob.jid).single { it.id == bob.account.deviceId }.trust
        // As people read it out, and as a code carries it.
        val code = Fingerprint.of(bob.account.fingerprint.digits.uppercase())
        assertEquals(bob.account.fingerprint, code)
        alice.account.verify(bob.jid, code)
        assertEquals(Trust.VERIFIED, bobsTrust())
        alice.account.distrust(bob.jid, code)
        assertEquals(Trust.DISTRUSTED, bobsTrust())
        alice.account.verify(bob.jid, code)
        assertEquals(Trust.VERIFIED, bobsTrust())
        assertFailsWith<EftException.InvalidInput> { alice.account.verify(alice.jid, alice.account.fingerprint) }
        alice.leave()
        assertFailsWith<EftException.Suspended> { alice.account.verify(bob.jid, code) }
        bob.leave()
    }

    @Test
    fun `what is decided about a conversation is asked for and answered from Kotlin`() = story {
        val alice = Person.login("ALICE")
        val bob = Person.login("BOB")
        val talk = alice.account.conversation(bob.jid)
        assertEquals(false, talk.separateVersions())
        talk.setSeparateVersions(true)
        assertEquals(true, talk.separateVersions())
        assertEquals(null, talk.optOut())
        talk.keepEncrypted()
        val id = talk.send("In stanzas of their own")
        assertEquals("In stanzas of their own", bob.nextText().text)
        // Nothing is in the way of it, and Bob's device is not downgraded.
        assertFailsWith<EftException.InvalidInput> { talk.resend(id) }
        assertFailsWith<EftException.InvalidInput> { alice.account.acceptLegacy(bob.jid, bob.account.deviceId) }
        assertFailsWith<EftException.InvalidInput> { alice.account.acceptLegacy(bob.jid, DeviceId(0u)) }
        assertTrue(alice.account.resetSessions(bob.jid) >= 1)
        alice.account.acceptDowngrade()
        alice.leave()
        assertFailsWith<EftException.Suspended> { talk.optOut() }
        bob.leave()
    }

    @Test
    fun `a refused password is a typed error, and trying again does not help`() = story {
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), "wrong")
        val error = assertFailsWith<EftException.AuthRejected> { account.connect(serverOptions()) }
        assertEquals("auth-rejected", error.code)
        assertEquals(false, error.isRetryable)
        // The state follows on a thread of its own.
        assertEquals("auth-rejected", (account.connection.first { it is ConnectionState.Offline } as ConnectionState.Offline).code)
        account.shutDown()
        assertFailsWith<EftException.Suspended> { account.conversation(Jid.of(setting("BOB"))).send("too late") }
    }

    @Test
    fun `a server whose certificate nobody vouches for is refused`() = story {
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), setting("ALICE_PASSWORD"))
        assertFailsWith<EftException.CertificateRejected> {
            account.connect(serverOptions().copy(extraRootsPem = null))
        }
        account.shutDown()
    }
}
