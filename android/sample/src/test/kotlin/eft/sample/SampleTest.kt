package eft.sample

import eft.Account
import eft.ConnectOptions
import eft.Eft
import eft.Jid
import eft.SecretStore
import eft.ServerAddress
import eft.Trust
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.io.File
import java.nio.file.Files
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** What the sample's screens show, beside a real server. */
class SampleTest {
    private fun setting(name: String) = System.getenv("EFT_TEST_$name") ?: error("EFT_TEST_$name is not set")

    private fun jid(who: String) = Jid.of(setting(who))

    private suspend fun login(who: String): Account {
        val account = Eft.open(Files.createTempDirectory("sample").toFile(), Secrets()).addAccount(jid(who), setting("${who}_PASSWORD"))
        account.connect(
            ConnectOptions(ServerAddress(setting("HOST"), setting("PORT").toInt()), File(setting("CA")).readText()),
        )
        return account
    }

    private class Secrets : SecretStore {
        private val secrets = java.util.concurrent.ConcurrentHashMap<String, ByteArray>()
        override fun load(name: String) = secrets[name]
        override fun store(name: String, secret: ByteArray) { secrets[name] = secret }
        override fun delete(name: String) { secrets.remove(name) }
    }

    @Test
    fun `a list, a chat and its devices show what happens`() = runBlocking {
        withTimeout(90_000) {
            val scope = CoroutineScope(Dispatchers.Default + Job())
            val alice = login("ALICE")
            val bob = login("BOB")
            val chats = ChatList(bob, scope)
            chats.load()
            val chat = Chat(alice, bob.jid, scope)
            assertFalse(chat.send(""))
            assertEquals("There is nothing to send.", chat.problem.value)
            assertTrue(chat.send("Tea at four?"))
            assertEquals(null, chat.problem.value)

            val row = chats.rows.first { rows -> rows.any { it.lastText == "Tea at four?" } }.first()
            assertEquals(alice.jid, row.peer)
            // A new device also has what was written before its time, and could not read it.
            assertTrue(row.unreadCount >= 1)
            val sent = chat.lines.first { lines -> lines.lastOrNull()?.mark == "sent" }.last()
            assertEquals("Tea at four?" to true, sent.text to sent.isMine)

            val answer = Chat(bob, alice.jid, scope)
            answer.lines.first { it.isNotEmpty() }
            answer.read()
            chats.load()
            assertEquals(0, chats.rows.value.first().unreadCount)
            chats.loadContacts()
            chats.add(Jid.of("carol@example.org"))
            assertEquals(listOf(alice.jid, Jid.of("carol@example.org")), chats.rows.value.map { it.peer }.filter { it != bob.jid })
            assertTrue(answer.send("Gladly ☕"))
            val got = chat.lines.first { lines -> lines.lastOrNull()?.text == "Gladly ☕" }.last()
            assertEquals(false to "", got.isMine to got.mark)

            val trust = TrustList(alice, bob.jid)
            trust.load()
            val device = trust.devices.value.single { it.id == bob.deviceId }
            assertTrue("not compared yet" in trust.describe(device))
            assertFalse(trust.scan("no fingerprint"))
            assertTrue(trust.scan(" ${bob.fingerprint.digits} "))
            assertEquals(Trust.VERIFIED, trust.devices.value.single { it.id == bob.deviceId }.trust)
            trust.distrust(bob.fingerprint)
            assertEquals(Trust.DISTRUSTED, trust.devices.value.single { it.id == bob.deviceId }.trust)
            alice.shutDown()
            bob.shutDown()
            scope.cancel()
        }
    }
}
