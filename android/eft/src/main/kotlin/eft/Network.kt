package eft

import java.security.MessageDigest
import java.security.cert.X509Certificate
import java.util.Base64
import eft.core.Network as CoreNetwork
import eft.core.Proxy as CoreProxy
import eft.core.ProxyLogin as CoreLogin
import eft.core.WebSocketUse as CoreWebSocket

/**
 * What replaces a part of how connections are made; the default replaces nothing. To be made once and used for every
 * connection: another object with a verifier is another trust, under which TLS begins from nothing again. For what Android
 * itself brings see `eft.android.PlatformNetwork`.
 *
 * @param resolver looks names up.
 * @param verifier judges certificates, in place of the authorities that Eft brings and of [ConnectOptions.extraRootsPem].
 * @param keyPins the server's key has to be one of these; empty for any key with a good certificate. Not together with a
 *   verifier, which can look at the key itself.
 * @param proxy goes through a proxy.
 * @param webSocket when to connect by WebSocket.
 * @throws EftException.InvalidInput for pins beside a verifier, and for a proxy or an address that is none.
 */
public class Network(
    resolver: Resolver? = null,
    verifier: CertificateVerifier? = null,
    keyPins: Collection<KeyPin> = emptyList(),
    proxy: Proxy? = null,
    webSocket: WebSocketUse = WebSocketUse.WhenBlocked,
) {
    internal val core: CoreNetwork = mapped {
        CoreNetwork(
            resolver?.let(::HostResolver),
            verifier?.let(::HostVerifier),
            keyPins.map { it.sha256 },
            proxy?.mapped(),
            webSocket.mapped(),
        )
    }
}

/** The SHA-256 of a server's public key, as `SubjectPublicKeyInfo` in DER (the value of RFC 7469). */
@JvmInline
public value class KeyPin private constructor(private val base64: String) {
    /** In base64, as [of] takes it. */
    override fun toString(): String = base64

    internal val sha256: ByteArray get() = Base64.getDecoder().decode(base64)

    public companion object {
        /** The pin of a certificate's key. */
        public fun of(certificate: X509Certificate): KeyPin {
            val hash = MessageDigest.getInstance("SHA-256").digest(certificate.publicKey.encoded)
            return KeyPin(Base64.getEncoder().encodeToString(hash))
        }

        /**
         * Reads a pin in base64.
         *
         * @throws EftException.InvalidInput for what is none.
         */
        public fun of(base64: String): KeyPin {
            val length = try {
                Base64.getDecoder().decode(base64).size
            } catch (_: IllegalArgumentException) {
                0
            }
            if (length != 32) throw EftException.InvalidInput("a pin is a SHA-256 in base64")
            return KeyPin(base64)
        }
    }
}

/** A proxy. It sees the name of the server, and nothing of what is said. */
public sealed interface Proxy {
    /** SOCKS 5 (RFC 1928), as Tor has it. The proxy resolves names. */
    public data class Socks5(val host: String, val port: Int, val login: ProxyLogin? = null) : Proxy

    /** HTTP CONNECT (RFC 9110), as companies have it. */
    public data class HttpConnect(val host: String, val port: Int, val login: ProxyLogin? = null) : Proxy
}

/** Name and password for a proxy. Both go to it in the clear. */
public data class ProxyLogin(val name: String, val password: String) {
    override fun toString(): String = "ProxyLogin(…)"

    internal fun mapped() = CoreLogin(name, password)
}

/** When to connect by WebSocket (RFC 7395). Networks that let only the web through are its use. */
public sealed interface WebSocketUse {
    /** Not at all. */
    public data object Never : WebSocketUse

    /**
     * After everything that DNS named has failed, where the domain's `host-meta` says (XEP-0156). Not with
     * [ConnectOptions.server].
     */
    public data object WhenBlocked : WebSocketUse

    /** At once, where the domain's `host-meta` says, and in no other way. */
    public data object Only : WebSocketUse

    /** At once, at this `wss:` address, and in no other way. The certificate is that of the address's host. */
    public data class At(val url: String) : WebSocketUse
}

private fun Proxy.mapped(): CoreProxy = when (this) {
    is Proxy.Socks5 -> CoreProxy.Socks5(host, tcpPort(port), login?.mapped())
    is Proxy.HttpConnect -> CoreProxy.HttpConnect(host, tcpPort(port), login?.mapped())
}

private fun WebSocketUse.mapped(): CoreWebSocket = when (this) {
    WebSocketUse.Never -> CoreWebSocket.Never
    WebSocketUse.WhenBlocked -> CoreWebSocket.WhenBlocked
    WebSocketUse.Only -> CoreWebSocket.Only
    is WebSocketUse.At -> CoreWebSocket.At(url)
}
