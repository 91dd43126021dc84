package eft

import java.io.Closeable
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** A way to the test server that can be lost: a port on loopback whose bytes go there and back. */
class Link : Closeable {
    private val door = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = ConcurrentHashMap.newKeySet<Socket>()

    @Volatile
    private var stands = true

    @Volatile
    private var speaks = true

    /** How many came while nobody spoke. */
    val heldCount = AtomicInteger()

    val port get() = door.localPort

    init {
        thread(isDaemon = true) {
            while (!door.isClosed) {
                val near = try { door.accept() } catch (_: java.io.IOException) { break }
                if (!stands) { near.close(); continue }
                if (!speaks) {
                    sockets += near
                    heldCount.incrementAndGet()
                    continue
                }
                val far = Socket(setting("HOST"), setting("PORT").toInt())
                sockets += near
                sockets += far
                carry(near, far)
                carry(far, near)
            }
        }
    }

    /** Everything that is open ends, and nothing new begins. */
    fun lose() {
        stands = false
        sockets.forEach { it.close() }
        sockets.clear()
    }

    /** Who comes from now on is let in, and hears nothing until that is lost. */
    fun hush() {
        speaks = false
    }

    fun restore() {
        speaks = true
        stands = true
    }

    override fun close() {
        lose()
        door.close()
    }

    private fun carry(from: Socket, to: Socket) = thread(isDaemon = true) {
        try {
            from.getInputStream().transferTo(to.getOutputStream())
        } catch (_: java.io.IOException) {
            // Lost, as it is meant.
        } finally {
            from.close()
            to.close()
        }
    }
}
