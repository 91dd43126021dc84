package eft.sample

import eft.Account
import eft.Content
import eft.Delivery
import eft.EftException
import eft.Encryption
import eft.Jid
import eft.Message
import eft.MessageId
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.stateIn

/** A line of a chat, in the words of the screen. */
data class ChatLine(val id: Long, val text: String, val isMine: Boolean, val mark: String)

/** One chat. */
class Chat(account: Account, peer: Jid, scope: CoroutineScope) {
    private val conversation = account.conversation(peer)
    private val problemState = MutableStateFlow<String?>(null)

    /** The last hundred lines, the newest last. */
    val lines: StateFlow<List<ChatLine>> = conversation.timeline(100)
        .map { update -> update.messages.reversed().map(::line) }
        .stateIn(scope, SharingStarted.Eagerly, emptyList())

    /** The newest message is on the screen: everything up to it was read. */
    suspend fun read() {
        val newest = lines.value.lastOrNull() ?: return
        conversation.markRead(MessageId(newest.id))
    }

    /** Why the last text was not taken; `null` when it was. */
    val problem: StateFlow<String?> = problemState.asStateFlow()

    /** Sends it, and says whether it was taken. What was taken is sent, if not now, then later. */
    suspend fun send(text: String): Boolean = try {
        conversation.send(text)
        problemState.value = null
        true
    } catch (e: EftException) {
        problemState.value = when (e) {
            is EftException.InvalidInput -> "There is nothing to send."
            is EftException.TooLarge -> "That is too long."
            is EftException.OptedOut -> "This contact wants no encrypted messages."
            else -> "This did not work (${e.code})."
        }
        false
    }

    private fun line(message: Message) = ChatLine(
        message.id.row,
        when (val content = message.content) {
            is Content.Text -> content.text
            is Content.Unreadable -> "This message cannot be read (${content.code})."
        },
        message.isOutgoing,
        listOfNotNull(
            if (message.encryption == Encryption.NONE) "not encrypted" else null,
            when (val delivery = message.delivery) {
                null -> null
                Delivery.Queued, Delivery.Encrypted -> "waiting"
                Delivery.Sent -> "sending"
                Delivery.Acked -> "sent"
                Delivery.Delivered -> "delivered"
                Delivery.Displayed -> "seen"
                is Delivery.Failed -> "not sent: ${delivery.reason}"
            },
        ).joinToString(),
    )
}
