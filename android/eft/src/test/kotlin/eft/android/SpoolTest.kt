package eft.android

import eft.Jid
import eft.MessageId
import eft.newFolder
import java.io.File
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull

class SpoolTest {
    private val alice = Jid.of("alice@example.org")
    private val bob = Jid.of("bob@example.org")

    @Test
    fun `what was put in is there, in its order, until it is done, in a new process too`() {
        val folder = File(newFolder(), "spool")
        val spool = Spool(folder)
        assertEquals(0, spool.size)
        repeat(20) { spool.add(byteArrayOf(it.toByte())) }
        val again = Spool(folder)
        assertEquals((0 until 20).toList(), again.entries().map { it.content.single().toInt() })
        again.entries().filter { it.content.single() % 2 == 0 }.forEach { again.done(it.name) }
        again.done("never there")
        assertEquals(listOf(1, 3, 5, 7, 9, 11, 13, 15, 17, 19), spool.entries().map { it.content.single().toInt() })
    }

    @Test
    fun `a file that was being written when the process ended is nothing`() {
        val folder = newFolder()
        File(folder, "0000-half.part").writeText("ha")
        assertEquals(0, Spool(folder).size)
    }

    @Test
    fun `the spool has a limit, and the newest stay`() {
        val spool = Spool(newFolder())
        repeat(300) { spool.add("$it".toByteArray()) }
        assertEquals((44 until 300).map { "$it" }, spool.entries().map { String(it.content) })
    }

    @Test
    fun `work is what it was when it is read again, and rubbish is nothing`() {
        val all = listOf(
            Work.Push(null), Work.Push(alice), Work.MarkRead(alice, bob, MessageId(7)),
            Work.Reply(alice, bob, null, ""), Work.Reply(alice, bob, MessageId(8), "Gladly ☕ " + "x".repeat(100_000)),
        )
        for (work in all) assertEquals(work, Work.decoded(work.encoded()))
        val random = Random(3)
        for (work in all.take(4)) {
            val bytes = work.encoded()
            for (size in 0 until bytes.size) Work.decoded(bytes.copyOf(size))
            for (index in bytes.indices) Work.decoded(bytes.copyOf().also { it[index] = random.nextBits(8).toByte() })
        }
        for (bytes in listOf(byteArrayOf(), byteArrayOf(2, 1), byteArrayOf(1, 9), ByteArray(50))) {
            assertNull(Work.decoded(bytes))
        }
        repeat(2_000) { Work.decoded(byteArrayOf(1, 2) + random.nextBytes(random.nextInt(40))) }
    }
}
