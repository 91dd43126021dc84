package eft

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.io.File
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Whatever an app hands in: a typed error or nothing at all, never the end of the process. */
class BadInputTest {
    private val rubbish = listOf(
        "", " ", "@", "@@", "a@", "@b", "a@b@c", "a b@c.d", "a@b/c/d@", "a\u0000b@c", "\uD800@c.d", "a@[::1",
        "x".repeat(1024) + "@example.org", "a@" + "x".repeat(5000), "🦎", "a@-.", "\n", "a@b\u202Ec",
    )

    @Test
    fun `what is no address or fingerprint is refused as it is typed in`() {
        for (text in rubbish) {
            assertNull(Fingerprint.ofOrNull(text))
            assertFailsWith<EftException.InvalidInput>(text) { Fingerprint.of(text) }
            // Some rubbish is a bare domain or a legal address to the letter. Then it has one spelling.
            Jid.ofOrNull(text)?.let { assertEquals(it, Jid.of(it.toString())) }
        }
        for (text in listOf("", " ", "@", "@@", "a@", "@b", "a@b@c", "a\u0000b@c")) {
            assertNull(Jid.ofOrNull(text), text)
            assertFailsWith<EftException.InvalidInput>(text) { Jid.of(text) }
        }
        assertEquals(Jid.of("alice@example.org"), Jid.of("ALICE@Example.ORG"))
        for (port in listOf(Int.MIN_VALUE, -1, 0, 65536, Int.MAX_VALUE)) {
            assertFailsWith<EftException.InvalidInput> { ServerAddress("localhost", port) }
        }
    }

    @Test
    fun `a folder that cannot be is a typed error`() = story {
        val file = File(newFolder(), "file").apply { writeText("in the way") }
        for (folder in listOf(File(file, "below"), file, File("/proc/none"))) {
            assertFailsWith<EftException.StoreDamaged>(folder.path) { Eft.open(folder, MemorySecrets()).accounts() }
        }
    }

    @Test
    fun `texts that cannot be sent are refused, and nothing is queued`() = story {
        val account = offlineAccount()
        val talk = account.conversation(Jid.of("bob@example.org"))
        for (text in listOf("", "\u0000", "a\u0007b", "\uFFFE", "half \uD83D", "\uDC00")) {
            assertFailsWith<EftException.InvalidInput> { talk.send(text) }
        }
        assertFailsWith<EftException.TooLarge> { talk.send("x".repeat(Conversation.maxTextBytes + 1)) }
        for (row in listOf(Long.MIN_VALUE, -1, 0, 1, Long.MAX_VALUE)) {
            assertFailsWith<EftException.InvalidInput> { talk.resend(MessageId(row)) }
        }
        for (device in listOf(0u, 1u, UInt.MAX_VALUE)) {
            assertFailsWith<EftException.InvalidInput> { account.acceptLegacy(talk.peer, DeviceId(device)) }
        }
        assertEquals(emptyList(), talk.page().messages)
        account.shutDown()
    }

    @Test
    fun `a server that is none is a typed error`() = story {
        val account = offlineAccount()
        for (host in listOf("", " ", "\u0000", "not a host", "256.256.256.256", "🦎")) {
            assertIs<EftException>(
                assertFailsWith<Exception> { account.connect(ConnectOptions(ServerAddress(host, 1))) }, host,
            )
        }
        assertFailsWith<EftException.Offline> { account.connect(ConnectOptions(ServerAddress("127.0.0.1", 1))) }
        for (pem in listOf("rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")) {
            assertIs<EftException>(assertFailsWith<Exception> {
                account.connect(ConnectOptions(ServerAddress("127.0.0.1", 1), extraRootsPem = pem))
            }, pem)
        }
        account.shutDown()
    }

    @Test
    fun `a secret store that is locked, has lost its key or throws is a typed error`() = story {
        val locked = object : SecretStore {
            override fun load(name: String): ByteArray? = null
            override fun store(name: String, secret: ByteArray): Unit = throw SecretStoreException.Locked("no unlock yet")
            override fun delete(name: String) = Unit
        }
        val broken = object : SecretStore by locked {
            override fun load(name: String): ByteArray? = throw IllegalStateException("the keychain is on fire")
        }
        val failing = object : SecretStore by locked {
            override fun load(name: String): ByteArray? = throw StackOverflowError("not even an exception")
        }
        val lost = object : SecretStore by locked {
            override fun load(name: String): ByteArray? = throw SecretStoreException.Lost("wiped")
            override fun store(name: String, secret: ByteArray): Unit = throw SecretStoreException.Lost("wiped")
        }
        for ((secrets, reason, fault) in listOf(
            Triple(locked, "locked", KeyFault.LOCKED),
            Triple(broken, "on fire", KeyFault.UNAVAILABLE),
            Triple(failing, "not even an exception", KeyFault.UNAVAILABLE),
            Triple(lost, "the key is lost", KeyFault.LOST),
        )) {
            val eft = Eft.open(newFolder(), secrets)
            val error = assertFailsWith<EftException.KeyUnavailable> { eft.addAccount(Jid.of("a@example.org"), "secret") }
            assertTrue(reason in error.message.orEmpty(), error.message)
            assertEquals(fault, error.fault)
            assertEquals("key-unavailable", error.code)
            assertEquals(fault != KeyFault.LOST, error.isRetryable)
            assertEquals(emptyList(), eft.accounts())
        }
    }

    @Test
    fun `a secret store may call Eft, from inside of a call`() = story {
        var eft: Eft? = null
        val memory = MemorySecrets()
        val curious = object : SecretStore by memory {
            override fun load(name: String): ByteArray? {
                runBlocking { eft?.accounts() }
                Jid.of("inside@example.org")
                return memory.load(name)
            }
        }
        eft = Eft.open(newFolder(), curious)
        val account = eft.addAccount(Jid.of("alice@example.org"), "")
        account.shutDown()
        eft.account(account.jid).shutDown()
    }

    @Test
    fun `a collector that throws ends its own flow and no other`() = story {
        val account = offlineAccount()
        val seen = Channel<Event>(Channel.UNLIMITED)
        val other = launch(Dispatchers.Default) {
            account.events().collect(seen::send)
            seen.close()
        }
        val failed = async(Dispatchers.Default) {
            runCatching { account.events().collect { error("the screen is on fire") } }.exceptionOrNull()
        }
        delay(200)
        runCatching { account.connect(ConnectOptions(ServerAddress("127.0.0.1", 1))) }
        assertEquals("the screen is on fire", failed.await()?.message)
        account.shutDown()
        other.join()
        assertTrue(Event.ConnectionChanged(ConnectionState.Connecting) in seen.receiveAsFlow().toList())
    }

    @Test
    fun `an observer of the core that throws loses that event and no more, and is told of the end`() = story {
        val core = eft.core.Eft.open(newFolder().path, HostSecretStore(MemorySecrets()))
        val account = core.addAccount("alice@example.org", "secret")
        val seen = Channel<eft.core.Event>(Channel.UNLIMITED)
        account.subscribe(object : eft.core.AccountObserver {
            override fun onEvent(event: eft.core.Event) {
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
            runCatching { account.connect(eft.core.ConnectOptions(eft.core.ServerAddress("127.0.0.1", 1u, false))) }
            account.shutDown()
            val all = seen.receiveAsFlow().toList()
            assertTrue(eft.core.Event.Connecting in all && eft.core.Event.Disconnected in all, all.toString())
        }
    }

    @Test
    fun `a slow collector gets one reset in place of what it missed`() {
        val queue = EventQueue(limit = 3)
        repeat(4) { queue.push(Event.RolledBack) }
        queue.push(Event.ConnectionChanged(ConnectionState.Online))
        assertEquals(
            listOf(Event.Reset, Event.ConnectionChanged(ConnectionState.Online), null), List(3) { queue.pop() },
        )
    }

    @Test
    fun `any call may be given up at any moment, from any thread`() = story(120) {
        val account = offlineAccount()
        val bob = Jid.of("bob@example.org")
        val random = Random(11)
        val calls = List<suspend () -> Any?>(8) { number ->
            {
                when (number) {
                    0 -> account.conversation(bob).send("perhaps")
                    1 -> account.conversation(bob).page()
                    2 -> account.devices(account.jid)
                    3 -> account.connect(ConnectOptions(ServerAddress("127.0.0.1", 1)))
                    4 -> account.events().collect { }
                    5 -> account.conversation(bob).timeline().collect { }
                    6 -> account.contacts()
                    else -> account.resetSessions()
                }
            }
        }
        val delays = List(400) { random.nextLong(0, 4) }
        delays.mapIndexed { index, pause ->
            async(Dispatchers.IO) {
                val job: Job = launch {
                    try {
                        calls[index % calls.size]()
                    } catch (_: EftException.Offline) {
                    }
                }
                delay(pause)
                withTimeout(20_000) { job.cancelAndJoin() }
            }
        }.awaitAll()
        // It still works, and is closed once, whoever asks.
        account.conversation(bob).send("certainly")
        withContext(Dispatchers.IO) { List(10) { async { account.shutDown(); account.close() } }.awaitAll() }
        assertFailsWith<EftException.Suspended> { account.devices(account.jid) }
    }
}
