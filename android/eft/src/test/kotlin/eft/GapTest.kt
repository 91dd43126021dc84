package eft

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** Who was away for long and wants the rest later, and who wants more than came. */
class GapTest {
    @Test
    fun `a long absence is a gap until catch-up goes on, and older history comes on demand`() = story(120) {
        val alice = Person.login("ALICE")
        val bob = Person.login("BOB")
        val toBob = alice.account.conversation(bob.jid)
        val toAlice = bob.account.conversation(alice.jid)
        toBob.send("first")
        assertEquals("first", bob.nextText().text)
        // Ended, so that what comes meanwhile is in the archive alone.
        bob.account.disconnect()
        var last: MessageId? = null
        for (number in 1..ABSENT) last = toBob.send("line $number")
        alice.next<Event.MessageChanged> { it.message.id == last && it.message.delivery == Delivery.Acked }

        bob.account.pauseCatchUp()
        bob.account.connect(serverOptions())
        val paused = bob.next<Event.CatchUpProgressed> { it.isPaused }
        assertTrue(paused.hasGap && !paused.isComplete, "$paused")
        val shown = toAlice.timeline(ABSENT).first { it.gaps.isNotEmpty() }
        assertEquals("line $ABSENT", shown.messages.first().text)
        assertEquals(listOf(false), shown.gaps.map { it.isFilling })
        assertTrue(shown.gaps.single().index in 1 until ABSENT, "${shown.gaps}")

        bob.account.resumeCatchUp()
        bob.next<Event> { it == Event.GapClosed }
        val whole = toAlice.timeline(ABSENT + 1).first { it.gaps.isEmpty() }
        assertEquals((ABSENT downTo 1).map { "line $it" } + "first", whole.messages.map { it.text })

        // A device that is new fetches the past as far as it is told to, and more when it is asked for.
        val late = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("BOB")), setting("BOB_PASSWORD"))
        val lateToAlice = late.conversation(alice.jid)
        assertFailsWith<EftException.Offline> { lateToAlice.loadOlder() }
        assertFailsWith<EftException.InvalidInput> { lateToAlice.loadOlder(0) }
        late.connect(serverOptions().copy(firstHistoryCount = 5))
        eventually("the first page is here") { lateToAlice.page().messages.isNotEmpty() }
        val few = lateToAlice.history().toList().size
        assertTrue(few in 1..5, "$few")
        val loaded = lateToAlice.loadOlder(20)
        assertTrue(loaded.count in 1..20 && !loaded.isAtBeginning, "$loaded")
        assertEquals(few + loaded.count, lateToAlice.history().toList().size)
        do {
            val more = lateToAlice.loadOlder(250)
        } while (!more.isAtBeginning)
        // Many that cannot be read are one line.
        assertTrue(lateToAlice.history().toList().size > few + loaded.count)
        late.shutDown()
        alice.leave()
        bob.leave()
    }

    private companion object {
        /** More than two of the small pages that are fetched first. */
        const val ABSENT = 150
    }
}
