package eft

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.runBlocking
import uniffi.eft.*
import java.io.File
import java.nio.file.Files

/** Logs Alice and Bob in, lets Alice write and Bob answer. Everything an app needs to chat is here. */
fun main(): Unit = runBlocking {
    val alice = login("ALICE")
    val bob = login("BOB")
    alice.conversation(bob.jid()).send("Tea at four?")
    println("${bob.jid()} reads: ${bob.next().text}")
    bob.conversation(alice.jid()).send("Gladly ☕")
    println("${alice.jid()} reads: ${alice.next().text}")
    alice.account.shutDown()
    bob.account.shutDown()
}

suspend fun login(who: String): User {
    val eft = Eft.open(Files.createTempDirectory("eft").toString(), MemorySecrets())
    val account = eft.addAccount(env(who), env("${who}_PASSWORD"))
    val messages = Channel<Message>(Channel.UNLIMITED)
    val subscription = account.subscribe(object : AccountObserver {
        override fun onEvent(event: Event) { if (event is Event.MessageReceived) messages.trySend(event.message) }
        override fun onEnd() { messages.close() }
    })
    val server = ServerAddress(env("HOST"), env("PORT").toUShort(), directTls = false)
    account.connect(ConnectOptions(server = server, extraRootsPem = File(env("CA")).readText()))
    return User(account, messages, subscription)
}

/** An account with what it received. The subscription lives as long as this does. */
class User(val account: Account, private val messages: Channel<Message>, private val subscription: Subscription) {
    fun jid() = account.jid()
    fun conversation(peer: String) = account.conversation(peer)

    /** The next text. A device is also told of messages from before its time, which it cannot read. */
    suspend fun next() = messages.receiveAsFlow().first { it.text != null }
}

val Message.text get() = (content as? Content.Text)?.text

/** Stands for the Android Keystore, which no JVM has. */
class MemorySecrets : SecretStore {
    private val secrets = HashMap<String, ByteArray>()
    override fun load(name: String) = synchronized(secrets) { secrets[name] }
    override fun store(name: String, secret: ByteArray) = synchronized(secrets) { secrets[name] = secret }
    override fun delete(name: String) { synchronized(secrets) { secrets.remove(name) } }
}

fun env(name: String): String =
    System.getenv("EFT_TEST_$name") ?: error("EFT_TEST_$name is not set: run this by tests/setup/kotlin.sh")
