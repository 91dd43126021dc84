package eft.android

import android.app.job.JobInfo
import android.app.job.JobScheduler
import android.content.ComponentName
import android.content.Context
import android.os.Build
import eft.Jid
import java.io.File
import java.io.IOException

/**
 * Wakes the app when a push came. A push says that there is something, and never what.
 *
 * The push is on the disk before anything else is tried: Android may end the process at any moment, and whoever comes next
 * finds it. Then a job is asked for that Android runs at once ("expedited"); where it refuses, because the app had too
 * many, an ordinary one, and beside it a foreground service for the case that the push allows one (high priority).
 */
public object Wake {
    /**
     * A push came. Call it first thing in `FirebaseMessagingService.onMessageReceived`, on the thread that it is called on;
     * [UnifiedPush] does so by itself. Returns as soon as the work is certain to be done.
     *
     * @param account whom the push is for, if the app server says so; `null` wakes all accounts.
     * @param isHighPriority whether the system let the push through at once: FCM's `RemoteMessage.priority` is high, or the
     *   distributor of UnifiedPush is in the foreground. Only then may a foreground service be started.
     * @throws IOException if the disk takes nothing.
     */
    public fun onPush(context: Context, account: Jid? = null, isHighPriority: Boolean = false) {
        submit(context, Work.Push(account), isHighPriority)
    }

    internal fun submit(context: Context, work: Work, mayStartService: Boolean) {
        spool(context).add(work.encoded())
        if (!schedule(context, isExpedited = true)) {
            // Also when the service starts: it may be ended before it is done.
            schedule(context, isExpedited = false)
            if (mayStartService) WakeService.start(context)
        }
    }

    /** Asks for the job again if something waits still: call it in `Application.onCreate`. */
    public fun resume(context: Context) {
        if (hasWork(context)) schedule(context, isExpedited = false)
    }

    /** Whether something waits. A disk that does not answer is looked at again. */
    internal fun hasWork(context: Context): Boolean = try {
        spool(context).size > 0
    } catch (_: IOException) {
        true
    }

    internal fun spool(context: Context) = Spool(File(context.noBackupFilesDir, "eft-spool"))

    private fun schedule(context: Context, isExpedited: Boolean): Boolean {
        val job = JobInfo.Builder(JOB_ID, ComponentName(context, WakeJob::class.java))
            .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            job.setExpedited(isExpedited)
        } else {
            // The soonest that these systems know.
            job.setOverrideDeadline(0)
        }
        val scheduler = context.getSystemService(JobScheduler::class.java) ?: return false
        // Asking again for one that runs would end it and start it anew. It looks into the spool before it ends.
        if (WakeJob.isRunning) return true
        return scheduler.schedule(job.build()) == JobScheduler.RESULT_SUCCESS
    }

    /** "EFT". One number for the app's whole [JobScheduler]. */
    internal const val JOB_ID = 0x454654
}
