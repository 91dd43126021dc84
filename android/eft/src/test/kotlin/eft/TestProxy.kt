package eft

import java.io.Closeable
import java.io.DataInputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A proxy of either kind on loopback. Wherever it is asked to go, it goes to the test server. */
class TestProxy(private val isSocks: Boolean) : Closeable {
    private val door = ServerSocket(0, 8, InetAddress.getLoopbackAddress())
    val port get() = door.localPort

    /** Where it was asked to go, as `host:port`. */
    val asked = CopyOnWriteArrayList<String>()

    init {
        thread(isDaemon = true) {
            while (!door.isClosed) {
                val near = try { door.accept() } catch (_: java.io.IOException) { break }
                thread(isDaemon = true) { runCatching { serve(near) }.onFailure { near.close() } }
            }
        }
    }

    override fun close() = door.close()

    private fun serve(near: Socket) {
        asked += if (isSocks) socks(near) else http(near)
        val far = Socket(setting("HOST"), setting("PORT").toInt())
        carry(near, far)
        carry(far, near)
    }

    private fun socks(near: Socket): String {
        val (input, output) = DataInputStream(near.getInputStream()) to near.getOutputStream()
        check(input.readByte().toInt() == 5)
        input.readNBytes(input.readUnsignedByte())
        output.write(byteArrayOf(5, 0))
        check(input.readUnsignedByte() == 5 && input.readUnsignedByte() == 1 && input.readUnsignedByte() == 0)
        val host = when (val kind = input.readUnsignedByte()) {
            1 -> InetAddress.getByAddress(input.readNBytes(4)).hostAddress
            3 -> String(input.readNBytes(input.readUnsignedByte()))
            else -> error("address of kind $kind")
        }
        val port = input.readUnsignedShort()
        output.write(byteArrayOf(5, 0, 0, 1, 0, 0, 0, 0, 0, 0))
        return "$host:$port"
    }

    private fun http(near: Socket): String {
        // Byte by byte: what follows the empty line is the other side's.
        val head = StringBuilder()
        while (!head.endsWith("\r\n\r\n")) head.append(near.getInputStream().read().also { check(it >= 0) }.toChar())
        near.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".toByteArray())
        return head.lineSequence().first().removePrefix("CONNECT ").substringBefore(' ')
    }

    private fun carry(from: Socket, to: Socket) = thread(isDaemon = true) {
        runCatching { from.getInputStream().transferTo(to.getOutputStream()) }
        from.close()
        to.close()
    }
}
