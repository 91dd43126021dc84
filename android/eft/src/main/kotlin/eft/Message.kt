package eft

import java.time.Instant
import eft.core.Content as CoreContent
import eft.core.Delivery as CoreDelivery
import eft.core.Encryption as CoreEncryption
import eft.core.Message as CoreMessage

/**
 * A message in a timeline.
 *
 * @property conversation the other side of the conversation.
 * @property senderDevice which device of the sender, where known.
 * @property isOutgoing whether this account wrote it, on this device or another.
 * @property delivery how far it is, for what this device sent.
 */
public data class Message(
    val id: MessageId,
    val conversation: Jid,
    val sender: Jid,
    val senderDevice: DeviceId?,
    val isOutgoing: Boolean,
    val sentAt: Instant,
    val content: Content,
    val encryption: Encryption,
    val delivery: Delivery?,
) {
    /** The text; `null` for a message that could not be read, see [content]. */
    public val text: String? get() = (content as? Content.Text)?.text

    /** Says no word of the content: it may end in a log. */
    override fun toString(): String = "Message(id=$id, conversation=$conversation, $content, delivery=$delivery)"
}

/** What a message holds. */
public sealed interface Content {
    /** Text, as the sender wrote it. */
    public data class Text(val text: String) : Content {
        override fun toString(): String = "Text(${text.length} characters)"
    }

    /**
     * It could not be read.
     *
     * @property code the reason, the same in every release and language.
     * @property reason the reason in English.
     */
    public data class Unreadable(val code: String, val reason: String) : Content
}

/** How a message travelled. */
public enum class Encryption {
    /** In the clear. */
    NONE,

    /** `urn:xmpp:omemo:2`. */
    OMEMO2,

    /** `eu.siacs.conversations.axolotl`. */
    OMEMO_LEGACY,
}

/** How far a message is that this device sends. */
public sealed interface Delivery {
    /** On disk, not yet encrypted. */
    public data object Queued : Delivery

    /** Encrypted; its bytes are fixed. */
    public data object Encrypted : Delivery

    /** Handed to the connection. */
    public data object Sent : Delivery

    /** The server has it. */
    public data object Acked : Delivery

    /** A device of the peer has it. */
    public data object Delivered : Delivery

    /** The peer has seen it. */
    public data object Displayed : Delivery

    /** It will not be sent without the user's doing: [Conversation.resend]. [reason] is a stable code. */
    public data class Failed(val reason: String) : Delivery
}

internal fun CoreMessage.mapped() = Message(
    id = MessageId(id),
    conversation = Jid.known(conversation),
    sender = Jid.known(sender),
    senderDevice = senderDevice?.let(::DeviceId),
    isOutgoing = outgoing,
    sentAt = Instant.ofEpochMilli(sentAtMs),
    content = when (val content = content) {
        is CoreContent.Text -> Content.Text(content.text)
        is CoreContent.Unreadable -> Content.Unreadable(content.code, content.reason)
    },
    encryption = when (encryption) {
        CoreEncryption.NONE -> Encryption.NONE
        CoreEncryption.OMEMO2 -> Encryption.OMEMO2
        CoreEncryption.OMEMO_LEGACY -> Encryption.OMEMO_LEGACY
    },
    delivery = when (val delivery = delivery) {
        null -> null
        CoreDelivery.Queued -> Delivery.Queued
        CoreDelivery.Encrypted -> Delivery.Encrypted
        CoreDelivery.Sent -> Delivery.Sent
        CoreDelivery.Acked -> Delivery.Acked
        CoreDelivery.Delivered -> Delivery.Delivered
        CoreDelivery.Displayed -> Delivery.Displayed
        is CoreDelivery.Failed -> Delivery.Failed(delivery.reason)
    },
)
