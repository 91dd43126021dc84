package eft

/**
 * Part of a timeline, newest message first.
 *
 * @property older give this to [Conversation.page] for the next older part; `null` at the beginning of what is here.
 * @property gaps where messages are known to be missing, the newest gap first.
 */
public data class TimelinePage(
    val messages: List<Message>,
    val older: TimelineKey?,
    val gaps: List<TimelineGap> = emptyList(),
)

/**
 * Messages that the server's archive has, or may have, and that are not here yet. It goes when catch-up has read them:
 * [Event.GapClosed].
 *
 * @property index it stands above the message with this index, the next older one; the number of messages if there is none.
 * @property isFilling whether its messages are being fetched. If not, that waits for a connection or for [Account.resumeCatchUp].
 */
public data class TimelineGap(val index: Int, val isFilling: Boolean)

/**
 * What [Conversation.loadOlder] brought.
 *
 * @property count messages that stand in the timeline now and did not before.
 * @property isAtBeginning whether the server has nothing older of the conversation.
 */
public data class LoadedHistory(val count: Int, val isAtBeginning: Boolean)

/**
 * The newest messages of a conversation as they are now, and how they became it from what was emitted before.
 *
 * @property messages newest first.
 * @property changes in the order in which they turn the former list into this one; empty for the first list.
 * @property gaps where messages are known to be missing between them, as in [TimelinePage.gaps].
 */
public data class TimelineUpdate(
    val messages: List<Message>,
    val changes: List<TimelineChange>,
    val gaps: List<TimelineGap> = emptyList(),
)

/** One step from a list of messages to the next, for a list on a screen. */
public sealed interface TimelineChange {
    /** A message stands at [index] now; what stood there and behind it moved on. */
    public data class Inserted(val index: Int, val message: Message) : TimelineChange

    /** The message at [index] changed. */
    public data class Changed(val index: Int, val message: Message) : TimelineChange

    /** The message at [index] left the list; what stood behind it moved up. */
    public data class Removed(val index: Int) : TimelineChange
}

/** The steps from one list to the other. A message that moved is removed and inserted. */
internal fun changesBetween(before: List<Message>, after: List<Message>): List<TimelineChange> {
    val changes = mutableListOf<TimelineChange>()
    val list = before.toMutableList()
    val stays = after.mapTo(HashSet()) { it.id }
    for (index in list.indices.reversed()) {
        if (list[index].id !in stays) {
            list.removeAt(index)
            changes += TimelineChange.Removed(index)
        }
    }
    for ((index, message) in after.withIndex()) {
        if (list.getOrNull(index)?.id != message.id) {
            // Everything in front of it is in its place already.
            val from = list.indexOfFirst { it.id == message.id }
            if (from >= 0) {
                list.removeAt(from)
                changes += TimelineChange.Removed(from)
            }
            list.add(index, message)
            changes += TimelineChange.Inserted(index, message)
        } else if (list[index] != message) {
            list[index] = message
            changes += TimelineChange.Changed(index, message)
        }
    }
    return changes
}
