package eft

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow
import eft.core.AccountObserver as CoreObserver
import eft.core.Conversation as CoreConversation
import eft.core.Event as CoreEvent

/**
 * A one-to-one conversation: sending, and what was said.
 *
 * @property peer the other side's address.
 */
public class Conversation internal constructor(
    private val core: CoreConversation,
    public val peer: Jid,
    private val queued: QueuedSignal,
    private val watch: (CoreObserver) -> AutoCloseable?,
) {
    /**
     * Queues a text, and returns once it is safe on disk. It is encrypted and sent as soon as the connection and the
     * device lists allow; [Event.MessageChanged] tells how far it is.
     *
     * @throws EftException.InvalidInput for an empty text and for one that XML cannot carry.
     * @throws EftException.TooLarge beyond [maxTextBytes].
     * @throws EftException.OptedOut while an opt-out waits for the user's answer.
     */
    public suspend fun send(text: String): MessageId {
        val id = MessageId(mapped { core.send(text) })
        queued.tell(peer)
        return id
    }

    /**
     * Leaves a text to be sent by whoever has the account: for the quick reply of a notification. Returns once it is on disk;
     * it is sent when the holder sees it, at the latest when the app is opened or a push comes. Called twice, it is two
     * messages.
     *
     * @throws EftException as [send]; [EftException.NotAllowed] if thousands wait already.
     */
    public suspend fun leaveText(text: String) {
        mapped { core.leaveText(text) }
        queued.tell(peer)
    }

    /** Leaves word that the user has read up to a message, as [leaveText] does. */
    public suspend fun leaveReadMark(upTo: MessageId): Unit = mapped { core.leaveReadMark(upTo.row) }

    /**
     * The user has read up to and including a message. Tells nobody but this device's list of conversations.
     *
     * @throws EftException.InvalidInput for what is no message of this conversation.
     */
    public suspend fun markRead(upTo: MessageId): Unit = mapped { core.markRead(upTo.row) }

    /**
     * Queues a message of this device again that failed. It keeps its row, and is shown once wherever it is known.
     *
     * @throws EftException.InvalidInput for what is no failed message of this conversation.
     */
    public suspend fun resend(message: MessageId): Unit = mapped { core.resend(message.row) }

    /**
     * Part of the timeline, newest message first.
     *
     * @param before [TimelinePage.older] of another part, to get what is older than that; `null` for the newest.
     * @param limit how many messages at most, at least 1.
     * @throws EftException.InvalidInput for a key that did not come from here.
     */
    public suspend fun page(before: TimelineKey? = null, limit: Int = 50): TimelinePage {
        val page = mapped { core.timeline(before?.toString(), counted(limit)) }
        return TimelinePage(
            page.messages.map { it.mapped() }, page.older?.let(::TimelineKey),
            page.gaps.map { TimelineGap(it.index.toInt(), it.filling) },
        )
    }

    /**
     * Fetches up to [limit] messages, 250 at most, that stand in the server's archive before all that is here of the
     * conversation; the server may give fewer at once. No event tells of them: the timeline goes on where it ended. Those from
     * before this device's time cannot be read, and say so.
     *
     * @throws EftException.Offline without a connection, or when it ends.
     */
    public suspend fun loadOlder(limit: Int = 50): LoadedHistory {
        val loaded = mapped { core.loadOlder(counted(limit)) }
        return LoadedHistory(loaded.count.toInt(), loaded.atBeginning)
    }

    /**
     * The newest [limit] messages, newest first, and what becomes of them: first all of them, then each change. Read from
     * the disk, so it is right also after an [Event.Reset]. It ends when the account is closed. A collector that is slow
     * gets fewer and larger updates.
     */
    public fun timeline(limit: Int = 50): Flow<TimelineUpdate> {
        counted(limit)
        return flow {
            val changed = Changed(peer)
            // First the subscriptions, then the first look: what happens in between is looked at again.
            val subscription = watch(changed) ?: return@flow
            subscription.use { queued.telling(changed::onQueued) { emitAll(changed, limit) } }
        }
    }

    private suspend fun FlowCollector<TimelineUpdate>.emitAll(changed: Changed, limit: Int) {
        var shown: TimelinePage? = null
        for (signal in changed.signals) {
            val page = try {
                page(limit = limit)
            } catch (_: EftException.Suspended) {
                return
            }
            val before = shown
            val changes = before?.let { changesBetween(it.messages, page.messages) }.orEmpty()
            shown = page
            if (changes.isNotEmpty() || before?.gaps != page.gaps) emit(TimelineUpdate(page.messages, changes, page.gaps))
        }
    }

    /** Everything in the timeline, newest message first, read page by page as it is collected. */
    public fun history(pageSize: Int = 50): Flow<Message> = flow {
        var older: TimelineKey? = null
        do {
            val page = page(older, pageSize)
            page.messages.forEach { emit(it) }
            older = page.older
        } while (older != null)
    }

    /** The contact's wish to go on without encryption (XEP-0384 §5.9), as long as the user has not answered it. */
    public suspend fun optOut(): OptOut? = mapped { core.optOut() }?.mapped()

    /** The user's answer to it: go on, encrypted as before. Eft sends no plain text. */
    public suspend fun keepEncrypted(): Unit = mapped { core.keepEncrypted() }

    /** Whether each OMEMO version goes in a stanza of its own. */
    public suspend fun separateVersions(): Boolean = mapped { core.separateVersions() }

    /** Sends each OMEMO version in a stanza of its own, for contacts whose app drops a stanza with both. */
    public suspend fun setSeparateVersions(separate: Boolean): Unit = mapped { core.setSeparateVersions(separate) }

    public companion object {
        /** Longest text that [send] takes, in bytes of UTF-8. */
        public val maxTextBytes: Int by lazy { eft.core.textMaxBytes().toInt() }
    }
}

/** A number of messages, as the core counts. */
internal fun counted(limit: Int): UInt {
    if (limit < 1) throw EftException.InvalidInput("$limit messages")
    return limit.toUInt()
}

/** Says that a timeline is worth a look: once for everything that happened since the last look. Begins with one look. */
private class Changed(private val peer: Jid) : CoreObserver {
    val signals = Channel<Unit>(Channel.CONFLATED).apply { trySend(Unit) }

    override fun onEvent(event: CoreEvent) {
        val concerns = when (val told = event.mapped()) {
            is Event.MessageReceived -> told.message.conversation == peer
            is Event.MessageChanged -> told.message.conversation == peer
            is Event.CatchUpProgressed, Event.GapClosed, Event.Reset, Event.RolledBack -> true
            else -> false
        }
        if (concerns) signals.trySend(Unit)
    }

    override fun onEnd() {
        signals.close()
    }

    fun onQueued(to: Jid) {
        if (to == peer) signals.trySend(Unit)
    }
}
