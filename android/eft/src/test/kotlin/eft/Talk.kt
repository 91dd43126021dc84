package eft

import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.CoroutineStart

/** Logs Alice and Bob in, lets Alice write and Bob answer. Everything an app needs to chat is here. */
fun main(): Unit = runBlocking {
    val alice = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), setting("ALICE_PASSWORD"))
    val bob = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("BOB")), setting("BOB_PASSWORD"))
    for (account in listOf(alice, bob)) account.connect(serverOptions())

    val atBob = async(start = CoroutineStart.UNDISPATCHED) { bob.messages().first { it.text != null } }
    alice.conversation(bob.jid).send("Tea at four?")
    println("${bob.jid} reads: ${atBob.await().text}")

    val atAlice = async(start = CoroutineStart.UNDISPATCHED) { alice.messages().first { it.text != null } }
    bob.conversation(alice.jid).send("Gladly ☕")
    println("${alice.jid} reads: ${atAlice.await().text}")

    for (account in listOf(alice, bob)) account.shutDown()
}
