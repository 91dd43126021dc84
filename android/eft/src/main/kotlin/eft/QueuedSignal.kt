package eft

import java.util.concurrent.CopyOnWriteArraySet

/** Tells timelines what the core does not: it speaks of a message from its encryption on, and not when it is queued. */
internal class QueuedSignal {
    private val listeners = CopyOnWriteArraySet<(Jid) -> Unit>()

    fun tell(peer: Jid) {
        listeners.forEach { it(peer) }
    }

    /** Calls [listener] for as long as [block] runs. */
    inline fun telling(noinline listener: (Jid) -> Unit, block: () -> Unit) {
        listeners += listener
        try {
            block()
        } finally {
            listeners -= listener
        }
    }
}
