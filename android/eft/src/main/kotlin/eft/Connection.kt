package eft

import java.time.Instant
import eft.core.ConnectOptions as CoreOptions
import eft.core.ServerAddress as CoreAddress

/** Whether an account is connected. */
public sealed interface ConnectionState {
    /** A connection is being made. */
    public data object Connecting : ConnectionState

    /** Logged in, catching up or caught up. */
    public data object Online : ConnectionState

    /**
     * Not connected.
     *
     * @property code the reason, as [EftException.code].
     * @property reason the reason for a log.
     * @property retryAt when Eft tries again by itself; `null` for never.
     */
    public data class Offline(val code: String, val reason: String, val retryAt: Instant?) : ConnectionState

    /** Not connected because the app wants it so. */
    public data object Disconnected : ConnectionState
}

/**
 * How the server is reached.
 *
 * @property server connect here instead of asking the DNS. The certificate has to name the account's domain all the same.
 * @property extraRootsPem more certificate authorities to trust, as PEM.
 * @property allowPlain allows SASL PLAIN, which hands the password to the server.
 * @property network what replaces a part of how connections are made.
 * @property firstHistoryCount how many messages of the account's past a new device fetches when it connects for the first time,
 *   1 to 250; 100 if it is not said. What is older comes on demand: [Conversation.loadOlder].
 */
public data class ConnectOptions(
    val server: ServerAddress? = null,
    val extraRootsPem: String? = null,
    val allowPlain: Boolean = false,
    val network: Network? = null,
    val firstHistoryCount: Int? = null,
) {
    internal fun mapped() =
        CoreOptions(server?.mapped(), extraRootsPem, allowPlain, firstHistoryCount?.let(::counted), network?.core)
}

/**
 * A server's address given by hand.
 *
 * @property host host name or IP address.
 * @property port TCP port, 1 to 65535.
 * @property directTls TLS from the first byte instead of STARTTLS.
 * @throws EftException.InvalidInput for what is no port.
 */
public data class ServerAddress(val host: String, val port: Int, val directTls: Boolean = false) {
    init {
        tcpPort(port)
    }

    internal fun mapped() = CoreAddress(host, tcpPort(port), directTls)
}

internal fun tcpPort(port: Int): UShort {
    if (port !in 1..65535) throw EftException.InvalidInput("$port is no TCP port")
    return port.toUShort()
}
