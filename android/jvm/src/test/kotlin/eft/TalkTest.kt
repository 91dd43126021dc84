package eft

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import uniffi.eft.*
import java.io.ByteArrayOutputStream
import java.io.PrintStream
import java.nio.file.Files
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
        assertTrue("${env("BOB")} reads: Tea at four?" in lines, lines.toString())
        assertTrue("${env("ALICE")} reads: Gladly ☕" in lines, lines.toString())
    }

    @Test
    fun `two accounts log in, send and receive`() = runBlocking {
        withTimeout(60_000) {
            val alice = login("ALICE")
            val bob = login("BOB")
            alice.conversation(bob.jid()).send("Tea at four?")
            val got = bob.next()
            assertEquals("Tea at four?", got.text)
            assertEquals(Encryption.OMEMO2, got.encryption)
            assertEquals(alice.account.deviceId(), got.senderDevice)
            bob.conversation(alice.jid()).send("Gladly ☕")
            assertEquals("Gladly ☕", alice.next().text)
            val page = alice.conversation(bob.jid()).timeline(null, 10u)
            assertEquals(listOf("Gladly ☕", "Tea at four?"), page.messages.mapNotNull { it.text })
            val bobsDevice = alice.account.devices(bob.jid()).single { it.id == bob.account.deviceId() }
            assertEquals(bob.account.fingerprint(), bobsDevice.fingerprint)
            assertEquals(Trust.BLINDLY_TRUSTED, bobsDevice.trust)
            alice.account.shutDown()
            bob.account.shutDown()
        }
    }

    @Test
    fun `a fingerprint is verified or rejected, and a decision can be changed`() = runBlocking {
        withTimeout(60_000) {
            val alice = login("ALICE")
            val bob = login("BOB")
            alice.conversation(bob.jid()).send("Who are you?")
            assertEquals("Who are you?", bob.next().text)
            suspend fun bobsTrust() =
                alice.account.devices(bob.jid()).single { it.id == bob.account.deviceId() }.trust
            // As people read it out, and as a code carries it.
            val digits = bob.account.fingerprint().replace(" ", "").uppercase()
            alice.account.verify(bob.jid(), bob.account.fingerprint())
            assertEquals(Trust.VERIFIED, bobsTrust())
            alice.account.distrust(bob.jid(), digits)
            assertEquals(Trust.DISTRUSTED, bobsTrust())
            alice.account.verify(bob.jid(), digits)
            assertEquals(Trust.VERIFIED, bobsTrust())
            for (wrong in listOf("", "yes", digits.drop(1), digits + "0")) {
                assertFailsWith<EftException.InvalidInput> { alice.account.verify(bob.jid(), wrong) }
                assertFailsWith<EftException.InvalidInput> { alice.account.distrust(bob.jid(), wrong) }
            }
            assertFailsWith<EftException.InvalidInput> { alice.account.verify("@@", digits) }
            assertFailsWith<EftException.InvalidInput> {
                alice.account.verify(alice.jid(), alice.account.fingerprint())
            }
            alice.account.shutDown()
            assertFailsWith<EftException.Suspended> { alice.account.verify(bob.jid(), digits) }
            bob.account.shutDown()
        }
    }

    @Test
    fun `what is decided about a conversation is asked for and answered from Kotlin`() = runBlocking {
        withTimeout(60_000) {
            val alice = login("ALICE")
            val bob = login("BOB")
            val talk = alice.conversation(bob.jid())
            assertEquals(false, talk.separateVersions())
            talk.setSeparateVersions(true)
            assertEquals(true, talk.separateVersions())
            assertEquals(null, talk.optOut())
            talk.keepEncrypted()
            val id = talk.send("In stanzas of their own")
            assertEquals("In stanzas of their own", bob.next().text)
            // Nothing is in the way of it, and Bob's device is not downgraded.
            assertFailsWith<EftException.InvalidInput> { talk.resend(id) }
            assertFailsWith<EftException.InvalidInput> {
                alice.account.acceptLegacy(bob.jid(), bob.account.deviceId())
            }
            assertFailsWith<EftException.InvalidInput> { alice.account.acceptLegacy(bob.jid(), 0u) }
            assertTrue(alice.account.resetSessions(bob.jid()) >= 1u)
            alice.account.acceptDowngrade()
            alice.account.shutDown()
            assertFailsWith<EftException.Suspended> { talk.optOut() }
            bob.account.shutDown()
        }
    }

    @Test
    fun `a refused password is a typed error`() = runBlocking {
        val eft = Eft.open(Files.createTempDirectory("eft").toString(), MemorySecrets())
        val account = eft.addAccount(env("ALICE"), "wrong")
        val server = ServerAddress(env("HOST"), env("PORT").toUShort(), directTls = false)
        val ca = java.io.File(env("CA")).readText()
        assertFailsWith<EftException.AuthRejected> {
            account.connect(ConnectOptions(server = server, extraRootsPem = ca))
        }
        account.shutDown()
        assertFailsWith<EftException.Suspended> { account.conversation(env("BOB")).send("too late") }
        Unit
    }

    @Test
    fun `a locked keychain and one that throws are typed errors and no crash`() = runBlocking {
        val locked = object : SecretStore {
            override fun load(name: String): ByteArray? = null
            override fun store(name: String, secret: ByteArray): Unit = throw SecretStoreException.Locked("no unlock yet")
            override fun delete(name: String) = Unit
        }
        val broken = object : SecretStore by locked {
            override fun load(name: String): ByteArray? = throw IllegalStateException("the keychain is on fire")
        }
        val lost = object : SecretStore by locked {
            override fun load(name: String): ByteArray? = throw SecretStoreException.Lost("wiped")
            override fun store(name: String, secret: ByteArray): Unit = throw SecretStoreException.Lost("wiped")
        }
        for ((secrets, reason, fault) in listOf(
            Triple(locked, "locked", KeyFault.LOCKED),
            Triple(broken, "on fire", KeyFault.UNAVAILABLE),
            Triple(lost, "the key is lost", KeyFault.LOST),
        )) {
            val eft = Eft.open(Files.createTempDirectory("eft").toString(), secrets)
            val error = assertFailsWith<EftException.KeyUnavailable> { eft.addAccount(env("ALICE"), "secret") }
            assertTrue(reason in error.reason, error.reason)
            assertEquals(fault, error.fault)
            assertEquals("key-unavailable", error.code())
            assertEquals(fault != KeyFault.LOST, error.retryable())
            assertEquals(emptyList(), eft.accounts())
        }
    }

    @Test
    fun `an observer that throws loses that event and no more, and is told of the end`() = runBlocking {
        withTimeout(60_000) {
            val eft = Eft.open(Files.createTempDirectory("eft").toString(), MemorySecrets())
            val account = eft.addAccount(env("ALICE"), env("ALICE_PASSWORD"))
            val seen = Channel<Event>(Channel.UNLIMITED)
            account.subscribe(object : AccountObserver {
                override fun onEvent(event: Event) {
                    seen.trySend(event)
                    // Calling Eft from inside is fine, and refused as anywhere once the account is closed.
                    runBlocking { account.devices(account.jid()) }
                    throw IllegalStateException("the screen is on fire")
                }

                override fun onEnd() {
                    seen.close()
                    throw IllegalStateException("still on fire")
                }
            }).use {
                val server = ServerAddress(env("HOST"), env("PORT").toUShort(), directTls = false)
                account.connect(ConnectOptions(server = server, extraRootsPem = java.io.File(env("CA")).readText()))
                assertEquals(Event.Connecting, seen.receive())
                account.shutDown()
                val rest = seen.receiveAsFlow().toList()
                assertTrue(Event.Online in rest && Event.Disconnected in rest, rest.toString())
            }
        }
    }

    @Test
    fun `rubbish instead of an address is a typed error`() = runBlocking {
        val eft = Eft.open(Files.createTempDirectory("eft").toString(), MemorySecrets())
        assertFailsWith<EftException.InvalidInput> { eft.addAccount("@@", "secret") }
        Unit
    }
}
