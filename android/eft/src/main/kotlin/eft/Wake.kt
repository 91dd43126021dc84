package eft

import eft.core.WakeOutcome as CoreOutcome
import eft.core.WakeReason as CoreReason

/**
 * What a push came to: [Account.handlePush].
 *
 * @property notifications what the user is to be told, oldest first, 64 at most. A message stays among them, under the same
 *   id, until [Account.announced] says that it was shown, or until it is read: the process may die in between.
 * @property hasMore whether there are more: [Account.announcements] has them.
 * @property badge unread messages of the account.
 * @property isComplete whether everything that the server has for this device is here, and nothing is left to be done.
 * @property reason why it ended.
 */
public data class WakeOutcome(
    val notifications: List<Message>,
    val hasMore: Boolean,
    val badge: UInt,
    val isComplete: Boolean,
    val reason: WakeReason,
)

/** Why a wake ended. */
public sealed interface WakeReason {
    /** Nothing more came. */
    public data object CaughtUp : WakeReason

    /** Another process has the account, and shows what comes. Nothing was touched. */
    public data object HeldElsewhere : WakeReason

    /** The time was over. The rest comes with the next wake, or when the app is opened. */
    public data object Deadline : WakeReason

    /**
     * There was no connection.
     *
     * @property code the reason, as [EftException.code].
     * @property reason the reason for a log.
     * @property isRetryable whether another try can do better without the user doing anything.
     */
    public data class Failed(val code: String, val reason: String, val isRetryable: Boolean) : WakeReason
}

internal fun CoreOutcome.mapped() = WakeOutcome(
    notifications = notifications.map { it.mapped() },
    hasMore = more,
    badge = badge,
    isComplete = complete,
    reason = when (val reason = reason) {
        CoreReason.CaughtUp -> WakeReason.CaughtUp
        CoreReason.HeldElsewhere -> WakeReason.HeldElsewhere
        CoreReason.Deadline -> WakeReason.Deadline
        is CoreReason.Failed -> WakeReason.Failed(reason.code, reason.reason, reason.retryable)
    },
)
