package eft

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import java.io.File
import java.time.Instant

/** A registration for pushes, from before there is a connection until it is taken back. */
class PushesTest {
    private val target = PushTarget("push.example.org", "node-of-this-phone", mapOf("secret" to "hush"))

    @Test
    fun `a registration waits for the server, is agreed to, is proven by a push, and is taken back`() = story(90) {
        val begin = Instant.now().minusSeconds(1)
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), setting("ALICE_PASSWORD"))
        assertNull(account.pushHealth())
        account.registerPush(target)
        assertEquals(PushHealth.Waiting, account.pushHealth())

        account.connect(serverOptions())
        eventually("the server agrees") { account.pushHealth() is PushHealth.Registered }
        val agreed = assertIs<PushHealth.Registered>(account.pushHealth()).at
        assertTrue(agreed in begin..Instant.now(), "$agreed")

        account.handlePush(serverOptions(), within = 20.seconds)
        eventually("the push is noted") { account.pushHealth() is PushHealth.Proven }
        val proven = assertIs<PushHealth.Proven>(account.pushHealth()).at
        assertTrue(proven in agreed..Instant.now(), "$proven")

        // A new token begins anew, at once where there is a connection.
        account.registerPush(target.copy(node = "after a new token"))
        eventually("the server agrees anew") { account.pushHealth() is PushHealth.Registered }
        account.unregisterPush()
        assertNull(account.pushHealth())
        account.shutDown()
        assertFailsWith<EftException.Suspended> { account.pushHealth() }
        assertFailsWith<EftException.Suspended> { account.registerPush(target) }
    }

    @Test
    fun `a push is asked for and arrives, and one that nobody answers is missed`() = story(120) {
        val pushes = File(setting("PUSHES"))
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), setting("ALICE_PASSWORD"))
        assertFailsWith<EftException.Offline> {
            account.registerPush(PushTarget(setting("PUSH_SERVICE"), "kotlin"))
            account.testPush(1.seconds)
        }
        account.unregisterPush()
        account.connect(serverOptions())
        assertEquals(PushTest.NotPossible(PushObstacle.NotRegistered), account.testPush(1.seconds))
        account.registerPush(PushTarget(setting("PUSH_SERVICE"), "kotlin"))
        eventually("the server agrees") { account.pushHealth() is PushHealth.Registered }

        val woken = launch {
            eventually("the app server is told") { "kotlin" in pushes.readLines() }
            assertTrue(account.handlePush(serverOptions(), within = 20.seconds).isComplete)
        }
        val arrived = assertIs<PushTest.Arrived>(account.testPush(30.seconds))
        assertTrue(arrived.after in 0.seconds..30.seconds, "$arrived")
        assertIs<PushHealth.Proven>(account.pushHealth())
        woken.join()

        account.connection.first { it == ConnectionState.Online }
        assertEquals(PushTest.Missed(PushLeg.AppServerToPhone), account.testPush(1.seconds))
        assertEquals(PushHealth.Stale, account.pushHealth())
        account.shutDown()
        assertFailsWith<EftException.Suspended> { account.testPush(1.seconds) }
    }

    @Test
    fun `without a connection a registration is kept and forgotten here`() = story {
        val account = offlineAccount()
        account.unregisterPush()
        account.registerPush(PushTarget("push.example.org"))
        assertEquals(PushHealth.Waiting, account.pushHealth())
        account.unregisterPush()
        assertNull(account.pushHealth())
        account.shutDown()
    }

    @Test
    fun `a target that cannot be said in XML is refused, and nothing is kept`() = story {
        val account = offlineAccount()
        for (rubbish in listOf(
            PushTarget(""), PushTarget("@@"), PushTarget("a\u0000b"), target.copy(node = ""), target.copy(node = "a\u0000b"),
            target.copy(options = mapOf("secret" to "\u0007")), target.copy(options = mapOf("" to "x")),
            target.copy(node = "half \uD83D"),
        )) {
            assertFailsWith<EftException.InvalidInput>("$rubbish") { account.registerPush(rubbish) }
            assertNull(account.pushHealth())
        }
        account.shutDown()
    }

    @Test
    fun `what wakes a phone is not printed`() {
        assertEquals("PushTarget(push.example.org)", "$target")
        for (word in listOf("node-of-this-phone", "secret", "hush")) assertFalse(word in "$target")
    }
}
