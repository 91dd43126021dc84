package eft.android

import android.app.job.JobParameters
import android.app.job.JobService
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlin.time.Duration.Companion.seconds

/** Does what waits in the spool. Started by Android because [Wake] asked for it. */
public class WakeJob : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private var running: Job? = null

    override fun onStartJob(params: JobParameters): Boolean {
        isRunning = true
        running = scope.launch {
            var isDone = false
            try {
                isDone = WakeRunner.of(applicationContext).run(DEADLINE)
            } finally {
                isRunning = false
                // What came while it ended asked for no job. After onStopJob nobody listens to this any more.
                jobFinished(params, !isDone || Wake.hasWork(applicationContext))
            }
        }
        return true
    }

    override fun onStopJob(params: JobParameters): Boolean {
        running?.cancel()
        isRunning = false
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    internal companion object {
        /** An expedited job may take three minutes; a push that takes one is lost in a dead network. */
        val DEADLINE = 60.seconds

        @Volatile
        var isRunning = false
    }
}
