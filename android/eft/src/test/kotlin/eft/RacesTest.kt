package eft

import eft.core.FfiConverterTypeAccountObserver
import eft.core.FfiConverterTypeCertificateVerifier
import eft.core.FfiConverterTypeResolver
import eft.core.FfiConverterTypeSecretStore
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import java.io.File
import java.net.InetAddress
import java.security.cert.X509Certificate
import java.util.Timer
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.schedule
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertTrue

/** Objects that are made, used, given up and destroyed by many threads at once: no crash, no hang, nothing left. */
class RacesTest {
    @Test
    fun `making, calling, cancelling and destroying at once ends well and leaves nothing`() {
        val slice = Slice("f2-kotlin", 600)
        // Other tests of this process may not be swept up yet.
        val before = held.mapValues { (_, converter) -> handles(converter) }
        var rounds = 0
        var atStart = 0L
        while (true) {
            val seed = slice.seed() ?: break
            slice.good(round(seed))
            rounds++
            // What is let go when it is collected must not pile up until then: the C library gives little back of what was
            // once in use. The first rounds fill what stays: threads, pages, code.
            if (rounds % 20 == 0) System.gc()
            if (rounds == 100) atStart = residentKiB()
        }
        val left = left(before)
        assertTrue(left.isEmpty(), "the core still holds $left; threads: ${threads()}")
        if (atStart != 0L) assertTrue(residentKiB() - atStart < 128 * 1024, "$atStart KiB became ${residentKiB()}")
        slice.end()
    }

    private fun round(seed: Long): Int {
        val random = Random(seed)
        val folder = newFolder()
        val open = ConcurrentHashMap.newKeySet<String>()
        orTold(seed, open) {
            val eft = Eft.open(folder, MemorySecrets())
            val account = eft.addAccount(Jid.of("alice@example.org"), "secret")
            val closing = random.nextInt(CALLS)
            coroutineScope {
                repeat(CALLS) { number ->
                    val kind = random.nextInt(11)
                    val isGivenUp = random.nextInt(3) == 0
                    launch(Dispatchers.IO) {
                        val job = launch { open.during("$number of kind $kind") { survive { call(account, kind, number) } } }
                        if (isGivenUp) {
                            yield()
                            job.cancel()
                        }
                    }
                    if (number == closing) {
                        launch(Dispatchers.IO) { open.during("shutting down") { survive { account.shutDown() } } }
                        launch(Dispatchers.IO) { account.close() }
                        launch(Dispatchers.IO) { eft.close() }
                    }
                }
            }
            open.during("shutting down at the end") { account.shutDown() }
            account.close()
            eft.close()
        }
        folder.deleteRecursively()
        return CALLS
    }

    /** Runs a round. If it does not end, what was open and what all threads did is told. */
    private fun orTold(seed: Long, open: Set<String>, tell: suspend CoroutineScope.() -> Unit) {
        var seen = ""
        // Before the end, which takes back all that is open.
        val watch = Timer(true).apply {
            schedule(100_000) {
                seen = "open: $open\n${threads()}"
            }
        }
        try {
            story(120, tell)
        } catch (e: TimeoutCancellationException) {
            throw AssertionError("seed $seed does not end; $seen", e)
        } finally {
            watch.cancel()
        }
    }

    /** What every thread does. */
    private fun threads() = Thread.getAllStackTraces().filterValues { it.isNotEmpty() }
        .map { (thread, frames) -> "$thread ${thread.state}\n" + frames.joinToString("\n") { "    at $it" } }
        .joinToString("\n")

    private inline fun MutableSet<String>.during(what: String, block: () -> Unit) {
        add(what)
        try {
            block()
        } finally {
            remove(what)
        }
    }

    private suspend fun call(account: Account, kind: Int, number: Int) {
        val bob = Jid.of("bob@example.org")
        when (kind) {
            0 -> account.conversation(bob).send("number $number")
            1 -> account.conversation(bob).page()
            2 -> account.conversation(bob).timeline().first()
            3 -> account.devices(account.jid)
            4 -> account.events().firstOrNull()
            5 -> account.resetSessions()
            6 -> account.contacts()
            7 -> account.verify(bob, Fingerprint.of("0".repeat(63) + "1"))
            8 -> account.close()
            9 -> account.connect(ConnectOptions(network = Network(NoNames(number), NoTrust)))
            else -> account.connect(ConnectOptions(ServerAddress("127.0.0.1", 1)))
        }
    }

    /** What may be said to a call that comes too late, or finds nobody. */
    private suspend fun survive(call: suspend () -> Unit) {
        try {
            call()
        } catch (_: EftException.Suspended) {
        } catch (_: EftException.Offline) {
        } catch (_: NoSuchElementException) {
            // `first` of a flow that ended with the account.
        }
    }

    /** Finds nothing: late, at once, or with an error. */
    private class NoNames(private val number: Int) : Resolver {
        override suspend fun srv(name: String): List<SrvRecord> = if (number % 2 == 0) error("no DNS") else emptyList()

        override suspend fun addresses(host: String): List<InetAddress> {
            if (number % 3 == 0) delay(1)
            return emptyList()
        }
    }

    private object NoTrust : CertificateVerifier {
        override suspend fun verify(domain: String, chain: List<X509Certificate>) = error("nobody was reached")
    }

    /** How many objects of each kind the core has not let go of, once it had a minute for it; nothing, if all is well. */
    private fun left(before: Map<String, Int>): Map<String, Int> {
        val end = System.nanoTime() + 60_000_000_000
        while (true) {
            System.gc()
            val more = held.mapValues { (name, converter) -> handles(converter) - before.getValue(name) }.filterValues { it > 0 }
            if (more.isEmpty() || System.nanoTime() > end) return more
            Thread.sleep(100)
        }
    }

    /** How many of the app's objects the core holds. */
    private fun handles(converter: Any): Int {
        val map = converter.javaClass.getDeclaredField("handleMap").apply { isAccessible = true }.get(converter)
        return map.javaClass.getMethod("getSize").invoke(map) as Int
    }

    private fun residentKiB(): Long {
        System.gc()
        return File("/proc/self/status").readLines().first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong()
    }

    private companion object {
        const val CALLS = 100
        val held = mapOf(
            "observers" to FfiConverterTypeAccountObserver,
            "secret stores" to FfiConverterTypeSecretStore,
            "resolvers" to FfiConverterTypeResolver,
            "certificate verifiers" to FfiConverterTypeCertificateVerifier,
        )
    }
}
