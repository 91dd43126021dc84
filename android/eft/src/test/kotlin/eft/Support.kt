package eft

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.io.File
import java.nio.file.Files
import kotlin.test.assertIs

/** What `with-server` says about the server it started. */
fun setting(name: String): String =
    System.getenv("EFT_TEST_$name") ?: error("EFT_TEST_$name is not set: run this by tests/setup/kotlin.sh")

/** How the test server is reached, directly or through a link. */
fun serverOptions(port: Int = setting("PORT").toInt()) = ConnectOptions(
    server = ServerAddress(setting("HOST"), port),
    extraRootsPem = File(setting("CA")).readText(),
)

fun newFolder(): File = Files.createTempDirectory("eft").toFile().also { it.deleteOnExit() }

/** A story, with an end that comes also when something hangs. */
fun story(seconds: Long = 60, tell: suspend CoroutineScope.() -> Unit): Unit =
    runBlocking { withTimeout(seconds * 1000, tell) }

/** An account that nobody connects. */
suspend fun offlineAccount(folder: File = newFolder(), secrets: SecretStore = MemorySecrets()): Account =
    Eft.open(folder, secrets).addAccount(Jid.of("alice@example.org"), "secret")

/** Waits until the condition holds. */
suspend fun eventually(what: String, holds: suspend () -> Boolean) {
    repeat(500) {
        if (holds()) return
        kotlinx.coroutines.delay(20)
    }
    error("never came true: $what")
}

/** Stands for the Android Keystore, which no JVM has. */
class MemorySecrets : SecretStore {
    private val secrets = HashMap<String, ByteArray>()
    override fun load(name: String) = synchronized(secrets) { secrets[name] }
    override fun store(name: String, secret: ByteArray) = synchronized(secrets) { secrets[name] = secret }
    override fun delete(name: String) { synchronized(secrets) { secrets.remove(name) } }
}

/** An account with what happens to it, from before it is connected on. */
class Person(val account: Account, private val events: Channel<Event>, private val watching: Job) {
    val jid get() = account.jid

    /** The next event of a kind; what comes before it is passed over. */
    suspend inline fun <reified E : Event> next(crossinline wanted: (E) -> Boolean = { true }): E =
        assertIs<E>(any { it is E && wanted(it) })

    suspend fun any(wanted: (Event) -> Boolean): Event = events.receiveAsFlow().first(wanted)

    /** The next text. A device is also told of messages from before its time, which it cannot read. */
    suspend fun nextText(): Message = next<Event.MessageReceived> { it.message.text != null }.message

    suspend fun leave() {
        account.shutDown()
        watching.join()
    }

    companion object {
        private val watchers = CoroutineScope(Dispatchers.Default)

        /** Logs `ALICE` or `BOB` in on a new device. */
        suspend fun login(who: String, options: ConnectOptions = serverOptions()): Person {
            val eft = Eft.open(newFolder(), MemorySecrets())
            return of(eft.addAccount(Jid.of(setting(who)), setting("${who}_PASSWORD"))).also { it.account.connect(options) }
        }

        fun of(account: Account): Person {
            val events = Channel<Event>(Channel.UNLIMITED)
            // Undispatched: it is subscribed when this returns.
            val watching = watchers.launch(start = CoroutineStart.UNDISPATCHED) {
                account.events().collect(events::send)
                events.close()
            }
            return Person(account, events, watching)
        }
    }
}
