package eft

import java.time.Instant
import eft.core.Event as CoreEvent
import eft.core.OptOut as CoreOptOut

/** Something that happened to an account. Everything it speaks of is on disk already. */
public sealed interface Event {
    /** The connection changed; [Account.connection] has the newest state. */
    public data class ConnectionChanged(val state: ConnectionState) : Event

    /**
     * Catch-up with the server's archive moved on.
     *
     * @property receivedCount archived stanzas worked through in this run.
     * @property isComplete whether the end of the archive was reached, and nothing before it is missing.
     * @property hasGap whether the newest messages are here already and older ones are known to be missing: [TimelinePage.gaps].
     * @property isPaused whether it waits for [Account.resumeCatchUp].
     */
    public data class CatchUpProgressed(
        val receivedCount: ULong,
        val isComplete: Boolean,
        val hasGap: Boolean,
        val isPaused: Boolean,
    ) : Event

    /**
     * What was missing somewhere in the timelines is there now, or was found not to exist: pages that showed a gap are to be read
     * again.
     */
    public data object GapClosed : Event

    /** A message of another device, ours or the peer's, stands in the timeline now. */
    public data class MessageReceived(val message: Message) : Event

    /** A message of the timeline changed. */
    public data class MessageChanged(val message: Message) : Event

    /** A device appeared on an account's list, the own account included. */
    public data class DeviceAppeared(val device: Device) : Event

    /** A device vanished from an account's list. */
    public data class DeviceVanished(val jid: Jid, val device: DeviceId) : Event

    /**
     * A device is listed for the older version only, and was for the better one: nothing is sent to it until it is back,
     * or the user agrees ([Account.acceptLegacy]).
     */
    public data class DeviceDowngraded(val jid: Jid, val device: DeviceId) : Event

    /** A device presented another identity key; nothing of it was accepted. */
    public data class IdentityChanged(val jid: Jid, val device: DeviceId) : Event

    /**
     * A contact wishes no more encrypted messages (XEP-0384 §5.9). Nothing is sent to it until the user has answered:
     * [Conversation.keepEncrypted].
     */
    public data class OptedOut(val jid: Jid, val optOut: OptOut) : Event

    /** Events were missed, or another process wrote: read again what is shown. */
    public data object Reset : Event

    /**
     * The database is an older copy of itself: a backup was put back. New prekeys and sessions are being made; what was
     * received since the copy was made comes from the archive once more, and not all of it can be read.
     */
    public data object RolledBack : Event
}

/**
 * A contact's wish to go on without encryption (XEP-0384 §5.9).
 *
 * @property reason what the contact gave as the reason.
 */
public data class OptOut(val at: Instant, val reason: String?) {
    /** Without the reason: it came encrypted. */
    override fun toString(): String = "OptOut(at=$at)"
}

internal fun CoreOptOut.mapped() = OptOut(Instant.ofEpochMilli(atMs), reason)

internal fun CoreEvent.mapped(): Event = when (this) {
    CoreEvent.Connecting -> Event.ConnectionChanged(ConnectionState.Connecting)
    CoreEvent.Online -> Event.ConnectionChanged(ConnectionState.Online)
    is CoreEvent.Offline ->
        Event.ConnectionChanged(ConnectionState.Offline(code, reason, retryAtMs?.let(Instant::ofEpochMilli)))
    CoreEvent.Disconnected -> Event.ConnectionChanged(ConnectionState.Disconnected)
    is CoreEvent.CatchUpProgressed -> Event.CatchUpProgressed(receivedCount, complete, gapOpen, paused)
    CoreEvent.GapClosed -> Event.GapClosed
    is CoreEvent.MessageReceived -> Event.MessageReceived(message.mapped())
    is CoreEvent.MessageChanged -> Event.MessageChanged(message.mapped())
    is CoreEvent.DeviceAppeared -> Event.DeviceAppeared(device.mapped())
    is CoreEvent.DeviceVanished -> Event.DeviceVanished(Jid.known(jid), DeviceId(device))
    is CoreEvent.DeviceDowngraded -> Event.DeviceDowngraded(Jid.known(jid), DeviceId(device))
    is CoreEvent.IdentityChanged -> Event.IdentityChanged(Jid.known(jid), DeviceId(device))
    is CoreEvent.OptedOut -> Event.OptedOut(Jid.known(jid), optOut.mapped())
    CoreEvent.Reset -> Event.Reset
    CoreEvent.RolledBack -> Event.RolledBack
}
