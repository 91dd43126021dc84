package eft

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.FlowCollector
import eft.core.AccountObserver as CoreObserver
import eft.core.Event as CoreEvent

/**
 * Events on their way from the core's thread to one collector. Never blocks the core: who falls [limit] events behind
 * gets one [Event.Reset] in place of what it missed.
 */
internal class EventQueue(private val limit: Int = 512) : CoreObserver {
    private val events = ArrayDeque<Event>()

    /** Says that the queue is worth a look. One word is enough: who looks takes all there is. Closed at the end. */
    private val signal = Channel<Unit>(Channel.CONFLATED)

    override fun onEvent(event: CoreEvent) {
        push(event.mapped())
    }

    override fun onEnd() {
        signal.close()
    }

    fun push(event: Event) {
        synchronized(events) {
            if (events.size >= limit) {
                events.clear()
                events.add(Event.Reset)
            } else {
                events.add(event)
            }
        }
        signal.trySend(Unit)
    }

    fun pop(): Event? = synchronized(events) { events.removeFirstOrNull() }

    /** Emits what comes until the account is closed, and what came before that. */
    suspend fun drainTo(collector: FlowCollector<Event>) {
        do {
            val more = signal.receiveCatching().isSuccess
            while (true) collector.emit(pop() ?: break)
        } while (more)
    }
}
