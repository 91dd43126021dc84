package eft.android

import eft.SrvRecord
import kotlinx.coroutines.runBlocking
import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.io.IOException
import java.net.InetAddress
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** Answers of the DNS, as RFC 1035 writes them. */
class SrvAnswerTest {
    private fun bytes(write: DataOutputStream.() -> Unit) =
        ByteArrayOutputStream().also { DataOutputStream(it).write() }.toByteArray()

    private fun DataOutputStream.shorts(vararg numbers: Int) = numbers.forEach(::writeShort)

    private fun DataOutputStream.name(vararg labels: String) = labels.forEach {
        writeByte(it.length)
        writeBytes(it)
    }

    /** `_xmpp-client._tcp.example.org`, and where `example.org` begins in it. */
    private val suffix = 12 + 13 + 5

    private fun DataOutputStream.head(code: Int, answers: Int) {
        shorts(7, 0x8180 or code, 1, answers, 0, 0)
        name("_xmpp-client", "_tcp", "example", "org", "")
        shorts(33, 1)
    }

    private fun DataOutputStream.srv(priority: Int, target: ByteArray, length: Int = target.size + 6) {
        shorts(0xC000 or 12, 33, 1, 0, 300, length, priority, 5, 5222)
        write(target)
    }

    private val two = bytes {
        head(0, 3)
        srv(1, bytes { name("a"); shorts(0xC000 or suffix) })
        // An alias: of another kind, and passed over.
        shorts(0xC000 or 12, 5, 1, 0, 300, 2, 0xC000 or suffix)
        srv(2, bytes { name("b", "example", "net", "") })
    }

    @Test
    fun `records are read with the names that they have in common`() {
        assertEquals(listOf(SrvRecord(1, 5, 5222, "a.example.org"), SrvRecord(2, 5, 5222, "b.example.net")), SrvAnswer.read(two))
        assertEquals(listOf(SrvRecord(0, 5, 5222, ".")), SrvAnswer.read(bytes { head(0, 1); srv(0, byteArrayOf(0)) }))
        assertEquals(emptyList(), SrvAnswer.read(bytes { head(0, 0) }))
        assertEquals(emptyList(), SrvAnswer.read(bytes { head(3, 0) }), "no such name")
    }

    @Test
    fun `what is no answer is an error`() {
        for (length in two.indices) assertFailsWith<IOException>("$length") { SrvAnswer.read(two.copyOf(length)) }
        val here = two.size
        for (bad in listOf(
            bytes { head(2, 0) },
            bytes { head(0, 1); srv(0, bytes { shorts(0xC000 or 300) }) },
            bytes { head(0, 1); srv(0, bytes { shorts(0xC000 or (12 + 4 + 30 + 18)) }) },
            bytes { head(0, 1); srv(0, bytes { name("a", "") }, length = 7) },
            bytes { head(0, 1); srv(0, bytes { name("a", "") }, length = 60_000) },
            bytes { head(0, 1); srv(0, bytes { name("a.b", "") }) },
            bytes { head(0, 1); srv(0, bytes { name("a b", "") }) },
            bytes { head(0, 1); srv(0, byteArrayOf(0x40, 0)) },
            bytes { head(0, 1); srv(0, bytes { repeat(6) { name("x".repeat(63)) }; name("") }) },
        )) assertFailsWith<IOException> { SrvAnswer.read(bad) }
        val random = Random(here)
        repeat(20_000) {
            val changed = two.copyOf().also { it[random.nextInt(it.size)] = random.nextInt().toByte() }
            try {
                SrvAnswer.read(changed)
            } catch (_: IOException) {
                // As it should.
            }
        }
    }

    @Test
    fun `the resolver asks the system, and says where the system cannot`() = runBlocking {
        val resolver = PlatformResolver { name ->
            assertEquals("_xmpp-client._tcp.example.org", name)
            two
        }
        assertEquals(2, resolver.srv("_xmpp-client._tcp.example.org").size)
        assertContentEquals(byteArrayOf(127, 0, 0, 1), resolver.addresses("127.0.0.1").single().address)
        assertEquals(true, resolver.addresses("localhost").all(InetAddress::isLoopbackAddress))
        assertFailsWith<IOException> { resolver.addresses("no-such-host.invalid") }
        assertFailsWith<IOException> { PlatformResolver(null).srv("_xmpp-client._tcp.example.org") }
        Unit
    }
}
