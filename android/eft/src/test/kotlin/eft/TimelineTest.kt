package eft

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import java.time.Instant
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class TimelineTest {
    private val peer = Jid.of("bob@example.org")

    private fun message(id: Int, text: String) = Message(
        MessageId(id.toLong()), peer, peer, null, false, Instant.EPOCH, Content.Text(text), Encryption.OMEMO2, null,
    )

    private fun List<Message>.after(changes: List<TimelineChange>): List<Message> = toMutableList().apply {
        for (change in changes) {
            when (change) {
                is TimelineChange.Inserted -> add(change.index, change.message)
                is TimelineChange.Changed -> set(change.index, change.message)
                is TimelineChange.Removed -> removeAt(change.index)
            }
        }
    }

    @Test
    fun `the changes between any two lists lead from one to the other`() {
        val random = Random(7)
        repeat(2_000) {
            fun list() = (0 until 8).filter { random.nextBoolean() }.shuffled(random).map { message(it, "${random.nextInt(2)}") }
            val before = list()
            val after = list()
            assertEquals(after, before.after(changesBetween(before, after)))
        }
        val list = (1..5).map { message(it, "same") }
        assertEquals(emptyList(), changesBetween(list, list))
        assertEquals(
            listOf(TimelineChange.Inserted(0, message(9, "new"))),
            changesBetween(list, listOf(message(9, "new")) + list),
        )
    }

    @Test
    fun `a queued message is in the timeline at once, and the flow ends with the account`() = story {
        val account = offlineAccount()
        val talk = account.conversation(peer)
        talk.send("Before anybody looked")
        val updates = Channel<TimelineUpdate>(Channel.UNLIMITED)
        val watching = launch {
            talk.timeline().collect(updates::send)
            updates.close()
        }
        val first = updates.receive()
        assertEquals(listOf("Before anybody looked"), first.messages.map { it.text })
        assertEquals(emptyList(), first.changes)
        // By another object for the same conversation.
        val id = account.conversation(peer).send("While somebody looks")
        val second = updates.receive()
        assertEquals(listOf("While somebody looks", "Before anybody looked"), second.messages.map { it.text })
        val inserted = second.changes.single() as TimelineChange.Inserted
        assertEquals(0 to id, inserted.index to inserted.message.id)
        assertEquals(Delivery.Queued, inserted.message.delivery)
        // Nothing of it concerns this one.
        account.conversation(Jid.of("carol@example.org")).send("Elsewhere")
        account.shutDown()
        watching.join()
        assertEquals(emptyList(), generateSequence { updates.tryReceive().getOrNull() }.toList())
    }

    @Test
    fun `no message falls between the first look and the changes`() = story {
        val account = offlineAccount()
        val talk = account.conversation(peer)
        for (round in 1..20) {
            // On other threads than the writer, so that the first look comes at any moment between the writes.
            val seen = async(Dispatchers.Default) {
                var last = emptyList<Message>()
                try {
                    talk.timeline(200).collect { update ->
                        last = update.messages
                        if (last.size == round * 5) throw Enough()
                    }
                } catch (_: Enough) {
                }
                last.size
            }
            repeat(5) { talk.send("round $round, $it") }
            assertEquals(round * 5, seen.await())
        }
        account.shutDown()
    }

    private class Enough : Exception()

    @Test
    fun `what is asked of an account that is closed ends or says so`() = story {
        val account = offlineAccount()
        val talk = account.conversation(peer)
        account.shutDown()
        assertEquals(emptyList(), talk.timeline().toList())
        assertEquals(0, account.events().count())
        assertFailsWith<EftException.Suspended> { talk.history().toList() }
        account.close()
        eventually("the handle is gone") { runCatching { account.conversation(peer) }.isFailure }
        assertFailsWith<EftException.Suspended> { account.conversation(peer) }
        assertEquals(emptyList(), talk.timeline().toList())
        assertEquals(0, account.events().count())
        account.close()
        account.shutDown()
    }

    @Test
    fun `history goes back to the beginning, whatever the page`() = story {
        val account = offlineAccount()
        val talk = account.conversation(peer)
        val texts = (1..7).map { "Line $it" }
        for (text in texts) talk.send(text)
        for (size in listOf(1, 2, 7, 50, Int.MAX_VALUE)) {
            assertEquals(texts.reversed(), talk.history(size).toList().map { it.text }, "pages of $size")
        }
        for (wrong in listOf(0, -1, Int.MIN_VALUE)) {
            assertFailsWith<EftException.InvalidInput> { talk.page(limit = wrong) }
            assertFailsWith<EftException.InvalidInput> { talk.timeline(wrong) }
        }
        val page = talk.page(limit = 2)
        assertTrue(page.older.toString().isNotEmpty())
        assertEquals(listOf("Line 5", "Line 4"), talk.page(page.older, 2).messages.map { it.text })
        account.shutDown()
    }
}
