package eft

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.minutes

/** The core's questions to the app's code. Each call returns at once, and the app answers in a coroutine. */
internal object Asked {
    private val answering = CoroutineScope(SupervisorJob() + Dispatchers.IO)

    /** Longer than the core waits for any answer. */
    private val limit = 5.minutes

    /**
     * Runs [answer]. Whatever it throws is an answer, too, errors and cancellations included: [failed] says so, with a
     * reason that is Unicode. Then [reply] is let go of.
     */
    fun answer(reply: AutoCloseable, failed: (Throwable, reason: String) -> Unit, answer: suspend () -> Unit) {
        answering.launch {
            reply.use {
                try {
                    withTimeout(limit) { answer() }
                } catch (e: Throwable) {
                    failed(e, e.toString().encodeToByteArray().decodeToString())
                }
            }
        }
    }
}
