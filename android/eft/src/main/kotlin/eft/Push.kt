package eft

import java.time.Instant
import eft.core.PushHealth as CoreHealth
import eft.core.PushOption as CoreOption
import eft.core.PushTarget as CoreTarget

/**
 * Where an account's server is to push for this device (XEP-0357): what the app's own server answered when the app
 * registered its token with it.
 *
 * @property service the app server's address on the XMPP network.
 * @property node what it calls this device. Needed by most.
 * @property options what the account's server is to show with each push, such as a secret.
 */
public data class PushTarget(
    val service: String,
    val node: String? = null,
    val options: Map<String, String> = emptyMap(),
) {
    /** Without node and options: they let anybody wake this phone. */
    override fun toString(): String = "PushTarget($service)"

    internal fun mapped() = CoreTarget(service, node, options.map { (name, value) -> CoreOption(name, value) })
}

/** How a registration for pushes stands. */
public sealed interface PushHealth {
    /** The server is asked at the next connection. */
    public data object Waiting : PushHealth

    /** The server has no pushes, or not for this account. */
    public data object Unsupported : PushHealth

    /** The server has agreed. No push has come yet. */
    public data class Registered(val at: Instant) : PushHealth

    /** A push has come, the last one then. */
    public data class Proven(val at: Instant) : PushHealth

    /**
     * Messages came several times without a push. Perhaps the token is old, or the system holds pushes back: register anew
     * with a fresh token.
     */
    public data object Stale : PushHealth

    /** The server refused, for this reason. */
    public data class Rejected(val reason: String) : PushHealth
}

internal fun CoreHealth.mapped(): PushHealth = when (this) {
    CoreHealth.Waiting -> PushHealth.Waiting
    CoreHealth.Unsupported -> PushHealth.Unsupported
    is CoreHealth.Registered -> PushHealth.Registered(Instant.ofEpochMilli(atMs))
    is CoreHealth.Proven -> PushHealth.Proven(Instant.ofEpochMilli(atMs))
    CoreHealth.Stale -> PushHealth.Stale
    is CoreHealth.Rejected -> PushHealth.Rejected(reason)
}
