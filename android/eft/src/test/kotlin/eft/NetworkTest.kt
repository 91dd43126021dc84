package eft

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** What an app brings in place of parts of how connections are made, beside a real server. */
class NetworkTest {
    private val authority = File(setting("CA")).inputStream().use {
        CertificateFactory.getInstance("X.509").generateCertificate(it) as X509Certificate
    }
    private val good = TrustManagerVerifier(Certificates.trust(authority))
    private val domain = setting("ALICE").substringAfter('@')
    private val chains = CopyOnWriteArrayList<List<X509Certificate>>()

    /** Knows where one server listens. */
    private inner class PhoneBook : Resolver {
        val asked = CopyOnWriteArrayList<String>()

        override suspend fun srv(name: String): List<SrvRecord> {
            asked += name
            if (!name.startsWith("_xmpp-client._tcp.$domain")) return emptyList()
            return listOf(SrvRecord(0, 0, setting("PORT").toInt(), "here.$domain"))
        }

        override suspend fun addresses(host: String): List<InetAddress> {
            asked += host
            return if (host.startsWith("here.")) listOf(InetAddress.getByName(setting("HOST"))) else emptyList()
        }
    }

    private fun verifier(judge: suspend (String, List<X509Certificate>) -> Unit) = object : CertificateVerifier {
        override suspend fun verify(domain: String, chain: List<X509Certificate>) = judge(domain, chain)
    }

    private fun options(network: Network) = serverOptions().copy(extraRootsPem = null, network = network)

    private suspend fun alice() =
        Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), setting("ALICE_PASSWORD"))

    @Test
    fun `names and certificates by the app, and the key of the server pinned`() = story(90) {
        val book = PhoneBook()
        val watching = verifier { domain, chain ->
            chains += chain
            good.verify(domain, chain)
        }
        val alice = alice()
        alice.connect(ConnectOptions(network = Network(book, watching)))
        // The flow follows by an event of its own.
        alice.connection.first { it == ConnectionState.Online }
        assertTrue(book.asked.any { it.startsWith("here.$domain") }, "${book.asked}")
        assertTrue(chains.first().first().isFor(domain))
        alice.disconnect()

        val pin = KeyPin.of(chains.first().first())
        alice.connect(serverOptions().copy(network = Network(keyPins = listOf(pin))))
        alice.disconnect()
        val other = Network(keyPins = listOf(KeyPin.of(authority)))
        val error = assertFailsWith<EftException.CertificateRejected> { alice.connect(serverOptions().copy(network = other)) }
        assertTrue("pinned" in error.message.orEmpty(), error.message)
        alice.shutDown()
    }

    @Test
    fun `whatever a verifier throws is a no, with its reason`() = story(90) {
        val alice = alice()
        for ((judge, reason) in listOf<Pair<CertificateVerifier, String>>(
            TrustManagerVerifier(Certificates.trust()) to "issuer is not trusted",
            verifier { _, _ -> throw CertificateRefused(CertificateProblem.WRONG_NAME) } to "another domain",
            verifier { _, _ -> throw CertificateRefused(CertificateProblem.EXPIRED) } to "validity period",
            verifier { _, _ -> throw CertificateRefused(CertificateProblem.REVOKED) } to "revoked",
            verifier { _, _ -> throw CertificateRefused(CertificateProblem.NOT_PINNED) } to "pinned",
            verifier { _, _ -> throw CertificateRefused(CertificateProblem.OTHER, "because of me") } to "because of me",
            verifier { _, _ -> throw IllegalStateException("the screen is on fire") } to "on fire",
            verifier { _, _ -> throw StackOverflowError("not even an exception") } to "not even an exception",
            verifier { _, _ -> throw CancellationException("nobody cares") } to "nobody cares",
            // A reason that has no UTF-8 cannot be said, and is a no all the same.
            verifier { _, _ -> throw IllegalStateException("half \uD83D") } to "",
        )) {
            val error = assertFailsWith<EftException.CertificateRejected>(reason) { alice.connect(options(Network(verifier = judge))) }
            assertTrue(reason in error.message.orEmpty(), error.message)
        }
        alice.connect(options(Network(verifier = good)))
        alice.shutDown()
    }

    @Test
    fun `whatever a resolver throws or finds is a typed error`() = story(120) {
        val alice = alice()
        fun resolver(srv: suspend () -> List<SrvRecord>, found: suspend () -> List<InetAddress>) = object : Resolver {
            override suspend fun srv(name: String) = srv()
            override suspend fun addresses(host: String) = found()
        }
        for (broken in listOf(
            resolver({ emptyList() }, { emptyList() }),
            resolver({ error("on fire") }, { error("on fire") }),
            resolver({ throw StackOverflowError() }, { throw StackOverflowError() }),
            resolver({ throw CancellationException() }, { throw CancellationException() }),
            resolver({ listOf(SrvRecord(-1, 0, 0, "")) }, { emptyList() }),
            resolver({ listOf(SrvRecord(0, 0, 0, "half \uD83D")) }, { emptyList() }),
            resolver({ listOf(SrvRecord(0, 0, 1, "nowhere")) }, { listOf(InetAddress.getByName("127.0.0.1")) }),
        )) {
            assertFailsWith<EftException.Offline> { alice.connect(ConnectOptions(network = Network(broken))) }
        }
        alice.connect(ConnectOptions(network = Network(PhoneBook(), good)))
        alice.shutDown()
    }

    @Test
    fun `who is asked may call Eft, and may be given up while it thinks`() = story(90) {
        val alice = alice()
        val curious = object : Resolver by PhoneBook() {
            override suspend fun srv(name: String): List<SrvRecord> {
                // As blocking code does it, on the thread that asks.
                runBlocking { alice.conversations() }
                alice.networkChanged()
                alice.setActive(true)
                return PhoneBook().srv(name)
            }
        }
        alice.connect(ConnectOptions(network = Network(curious, good)))
        alice.disconnect()

        val isAsked = CompletableDeferred<Unit>()
        val slow = verifier { _, _ ->
            isAsked.complete(Unit)
            awaitCancellation()
        }
        val connecting = launch { alice.connect(options(Network(verifier = slow))) }
        isAsked.await()
        connecting.cancelAndJoin()
        alice.disconnect()

        // From inside of the question, the account that asks is ended.
        val ending = verifier { _, _ -> alice.disconnect() }
        assertFailsWith<EftException> { alice.connect(options(Network(verifier = ending))) }
        alice.connect(options(Network(verifier = good)))
        val closing = verifier { _, _ -> alice.shutDown() }
        alice.disconnect()
        assertFailsWith<EftException> { alice.connect(options(Network(verifier = closing))) }
        // It may be shutting down still.
        alice.shutDown()
        assertFailsWith<EftException.Suspended> { alice.conversations() }
    }

    @Test
    fun `a proxy of either kind carries the connection`() = story(90) {
        val alice = alice()
        for (isSocks in listOf(true, false)) {
            TestProxy(isSocks).use { proxy ->
                val through = if (isSocks) Proxy.Socks5("127.0.0.1", proxy.port) else Proxy.HttpConnect("127.0.0.1", proxy.port)
                val server = ServerAddress("server.$domain", 5222)
                alice.connect(serverOptions().copy(server = server, network = Network(proxy = through)))
                assertEquals(listOf("server.$domain:5222"), proxy.asked.toList())
                alice.disconnect()
            }
        }
        alice.shutDown()
    }

    @Test
    fun `a WebSocket is looked for where the app says`() = story {
        val alice = offlineAccount()
        ServerSocket(0, 8, InetAddress.getByName("127.0.0.1")).use { door ->
            val first = CompletableDeferred<Int>()
            thread(isDaemon = true) { door.accept().use { first.complete(it.getInputStream().read()) } }
            val network = Network(webSocket = WebSocketUse.At("wss://127.0.0.1:${door.localPort}/xmpp"))
            assertFailsWith<EftException> { alice.connect(ConnectOptions(network = network)) }
            assertEquals(0x16, first.await(), "TLS from the first byte")
        }
        alice.shutDown()
    }

    @Test
    fun `what makes no sense is refused when it is made`() {
        val pin = KeyPin.of(authority)
        for (made in listOf(
            { Network(verifier = good, keyPins = listOf(pin)) },
            { Network(proxy = Proxy.Socks5("", 1080)) },
            { Network(proxy = Proxy.HttpConnect("proxy.example", 0)) },
            { Network(proxy = Proxy.Socks5("proxy.example", 65536)) },
            { Network(proxy = Proxy.Socks5("half \uD83D", 1)) },
            { Network(webSocket = WebSocketUse.At("")) },
            { Network(webSocket = WebSocketUse.At("ws://a.example/")) },
            { Network(webSocket = WebSocketUse.At("wss://a b/")) },
        )) assertFailsWith<EftException.InvalidInput> { made() }
        val login = ProxyLogin("alice", "hush")
        for (word in listOf("alice", "hush")) assertFalse(word in "${Proxy.Socks5("proxy.example", 1080, login)}")
    }
}
