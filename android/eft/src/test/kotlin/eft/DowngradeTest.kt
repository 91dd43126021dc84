package eft

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** A server that once offered more. */
class DowngradeTest {
    @Test
    fun `who is offered less than before is told so, says nothing, and the user may accept it`() = story(90) {
        val alice = Person.login("ALICE")
        alice.account.disconnect()
        WeakServer(alice.jid.toString().substringAfter('@')).use { weak ->
            val error = assertFailsWith<EftException.Downgraded> { alice.account.connect(weak.options) }
            assertEquals("downgraded", error.code)
            assertFalse(error.isRetryable)
            assertTrue("stream:stream" in weak.heard)
            for (word in listOf("<auth", "<response", "initial-response")) assertFalse(word in weak.heard, word)

            // The real one is as good as it was.
            alice.account.connect(serverOptions())
            alice.account.disconnect()

            // Accepted, it is a server like any other: one that offers PLAIN alone, which is refused for itself.
            alice.account.acceptDowngrade()
            assertFailsWith<EftException.AuthRejected> { alice.account.connect(weak.options) }
            assertFalse("<auth" in weak.heard)
        }
        alice.leave()
    }
}
