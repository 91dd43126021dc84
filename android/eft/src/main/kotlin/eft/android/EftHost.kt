package eft.android

import android.app.PendingIntent
import eft.Account
import eft.ConnectOptions
import eft.Jid

/**
 * What Eft's services ask of the app. The app's `Application` implements it, for a push may start the process with nothing
 * else in it.
 *
 * Android runs an app in one process, so the app's screens and these services share one [Account] per address.
 */
public interface EftHost {
    /** Addresses of the accounts that are woken. */
    public suspend fun accounts(): List<Jid>

    /** The app's one [Account] for an address, opened if it is not; `null` if there is none any more. */
    public suspend fun account(jid: Jid): Account?

    /** How the account's server is reached. */
    public fun connectOptions(jid: Jid): ConnectOptions = ConnectOptions()

    /** What a tap on a notification opens. It should be immutable. */
    public fun openConversation(account: Jid, peer: Jid): PendingIntent?

    /** How a contact is called in a notification. */
    public suspend fun displayName(account: Jid, peer: Jid): String = peer.toString()

    /** Whether a conversation is on the screen now, so that its messages need no notification. */
    public fun isShown(account: Jid, peer: Jid): Boolean = false

    /**
     * The address that the app server posts pushes for an account to, by UnifiedPush; `null` when it is gone, and nothing
     * will come until another one is here. It is a secret: who knows it can wake the phone.
     */
    public fun onPushEndpoint(account: Jid, endpoint: String?): Unit = Unit

    /** The resource of the small icon in notifications. */
    public val notificationIcon: Int

    /** What the channel of message notifications is called in the system's settings. */
    public val messagesLabel: String get() = "Messages"

    /** The action that answers from a notification. */
    public val replyLabel: String get() = "Reply"

    /** The action that says that a conversation was read. */
    public val markReadLabel: String get() = "Mark as read"

    /** What the user sees while messages are fetched, where Android asks for a notification. */
    public val workingLabel: String get() = "Fetching messages"
}
