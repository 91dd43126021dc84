package eft

import java.io.Closeable
import java.net.InetAddress
import java.util.Base64
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import kotlin.concurrent.thread

/**
 * Somebody between us and the server who has a certificate for its name, and offers nothing but to take the password. What
 * is said to him is kept in [heard].
 */
class WeakServer(domain: String) : Closeable {
    private val keys = Certificates.make("dns:$domain")
    private val door = context().serverSocketFactory.createServerSocket(0, 8, InetAddress.getLoopbackAddress())

    @Volatile
    var heard = ""
        private set

    private val certificate: String
        get() = Base64.getMimeEncoder().encodeToString(Certificates.of(keys).encoded)
            .let { "-----BEGIN CERTIFICATE-----\n$it\n-----END CERTIFICATE-----\n" }

    /** How he is reached, trusted as he wants to be. */
    val options get() = ConnectOptions(ServerAddress("127.0.0.1", door.localPort, directTls = true), extraRootsPem = certificate)

    private val offer = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'" +
        " id='weak' from='$domain' version='1.0'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
        "<mechanism>PLAIN</mechanism></mechanisms></stream:features>"

    init {
        thread(isDaemon = true) {
            while (!door.isClosed) {
                try {
                    door.accept().use { socket ->
                        val buffer = ByteArray(4096)
                        var answered = false
                        while (true) {
                            val count = socket.getInputStream().read(buffer)
                            if (count < 0) break
                            heard += String(buffer, 0, count, Charsets.UTF_8)
                            if (answered || "stream:stream" !in heard) continue
                            socket.getOutputStream().write(offer.toByteArray())
                            answered = true
                        }
                    }
                } catch (_: java.io.IOException) {
                    // Hung up on, or the door is closed.
                }
            }
        }
    }

    override fun close() = door.close()

    private fun context() = SSLContext.getInstance("TLS").apply {
        val managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(keys, Certificates.PASSWORD) }
        init(managers.keyManagers, null, null)
    }
}
