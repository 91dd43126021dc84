package eft

import kotlinx.coroutines.flow.first
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertIs

/** Two accounts, of which one loses its way to the server. */
class LostLinkTest {
    @Test
    fun `who loses the link says so, comes back alone, and has what was said meanwhile`() = story(120) {
        Link().use { link ->
            val alice = Person.login("ALICE")
            val bob = Person.login("BOB", serverOptions(link.port))
            alice.account.conversation(bob.jid).send("Before")
            assertEquals("Before", bob.nextText().text)
            alice.account.verify(bob.jid, bob.account.fingerprint)

            link.lose()
            val lost = assertIs<ConnectionState.Offline>(bob.account.connection.first { it is ConnectionState.Offline })
            assertEquals("offline", lost.code)
            assertEquals(true, lost.retryAt != null)
            val said = (1..5).map { "While you were out, $it" }
            for (text in said) alice.account.conversation(bob.jid).send(text)
            val answer = bob.account.conversation(alice.jid).send("Written in a tunnel")

            link.restore()
            assertEquals(said, said.map { bob.nextText().text })
            assertEquals("Written in a tunnel", alice.nextText().text)
            bob.next<Event.MessageChanged> { it.message.id == answer && it.message.delivery == Delivery.Acked }
            bob.account.connection.first { it == ConnectionState.Online }
            // Once each, in order, wherever they came from.
            val read = bob.account.conversation(alice.jid).page().messages.mapNotNull { it.text }.reversed()
            assertEquals(listOf("Before") + said, read.filter { it != "Written in a tunnel" })
            alice.leave()
            bob.leave()
        }
    }

    @Test
    fun `who was closed meanwhile catches up when it is opened again`() = story(120) {
        val folder = newFolder()
        val secrets = MemorySecrets()
        val jid = Jid.of(setting("BOB"))
        val first = Person.of(Eft.open(folder, secrets).addAccount(jid, setting("BOB_PASSWORD")))
        first.account.connect(serverOptions())
        val alice = Person.login("ALICE")
        alice.account.conversation(jid).send("Before")
        assertEquals("Before", first.nextText().text)
        first.leave()

        alice.account.conversation(jid).send("While you slept")
        val eft = Eft.open(folder, secrets)
        assertEquals(listOf(jid), eft.accounts())
        val again = Person.of(eft.account(jid))
        assertEquals(first.account.deviceId, again.account.deviceId)
        assertEquals(first.account.fingerprint, again.account.fingerprint)
        again.account.connect(serverOptions())
        assertEquals("While you slept", again.nextText().text)
        again.leave()
        alice.leave()
    }
}
