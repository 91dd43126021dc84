package eft.android

import android.app.job.JobParameters
import android.app.job.JobService
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration.Companion.seconds

/** Does what waits in the spool. Started by Android because [Wake] asked for it. */
public class WakeJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private var running: Job? = null

    override fun onStartJob(params: JobParameters): Boolean {
        val run = Any()
        current.set(run)
        running = scope.launch {
            var isDone = false
            try {
                isDone = WakeRunner.of(applicationContext).run(DEADLINE)
            } finally {
                // One that was stopped may end when the next one runs already.
                current.compareAndSet(run, null)
                // What came while it ended asked for no job. After onStopJob nobody listens to this any more.
                jobFinished(params, !isDone || Wake.hasWork(applicationContext))
            }
        }
        return true
    }

    override fun onStopJob(params: JobParameters): Boolean {
        running?.cancel()
        current.set(null)
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        // Who is cancelled before it began does not come to its end either.
        current.set(null)
        super.onDestroy()
    }

    internal companion object {
        /** An expedited job may take three minutes; a push that takes one is lost in a dead network. */
        val DEADLINE = 60.seconds

        /** The run that Android waits for. */
        private val current = AtomicReference<Any?>()

        val isRunning get() = current.get() != null
    }
}
