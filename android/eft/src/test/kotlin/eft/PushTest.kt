package eft

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import java.time.Instant

/** A registration for pushes, from before there is a connection until it is taken back. */
class PushTest {
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
