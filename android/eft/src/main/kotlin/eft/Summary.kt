package eft

import eft.core.ConversationSummary as CoreSummary
import eft.core.SessionInfo as CoreSession

/**
 * A line of the list of conversations.
 *
 * @property unreadCount messages that were not read yet.
 * @property lastMessage the newest.
 */
public data class ConversationSummary(val peer: Jid, val unreadCount: UInt, val lastMessage: Message?)

/**
 * What the login of the present connection came to: for a support screen.
 *
 * @property isResumed an earlier stream goes on (XEP-0198): nothing had to be asked again.
 * @property isResumable the server keeps this stream for a while when the connection is lost.
 * @property byToken a token stood for the password (XEP-0484).
 * @property knowsClientState the server can be asked to hold back what can wait (XEP-0352).
 */
public data class SessionInfo(
    val isResumed: Boolean,
    val isResumable: Boolean,
    val byToken: Boolean,
    val knowsClientState: Boolean,
)

internal fun CoreSummary.mapped() = ConversationSummary(Jid.known(peer), unreadCount, lastMessage?.mapped())

internal fun CoreSession.mapped() = SessionInfo(resumed, resumable, byToken, knowsClientState)
