package eft.android

import android.app.Notification
import android.app.job.IJobCallback
import android.app.job.IJobService
import android.app.job.JobParameters
import android.app.job.JobService
import android.app.job.JobWorkItem
import android.content.Intent
import android.os.Looper
import android.os.Parcel
import android.os.PersistableBundle
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.delay
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowService

/**
 * Stands for the part of Android that starts jobs, as a job sees it: through the binder, with a callback of its own for each
 * start, and parameters that are another copy in every call. What is between, `JobService` and its engine, is the framework's.
 */
class JobStarter {
    private val controller = Robolectric.buildService(WakeJob::class.java).create()
    private var isDestroyed = false
    private val job: IJobService = IJobService.Stub.asInterface(controller.get().onBind(Intent()))

    /** One start of the job, and what the job said about it. */
    class Start : IJobCallback.Stub() {
        /** To the start: whether work goes on. To the stop: whether it is to be started again. To the end: the same. */
        val started = CopyOnWriteArrayList<Boolean>()
        val stopped = CopyOnWriteArrayList<Boolean>()
        val finished = CopyOnWriteArrayList<Boolean>()

        internal val parameters = JobParameters(
            this, null, Wake.JOB_ID, PersistableBundle(), null, null, 0, false, true, false, null, null, null,
        )

        override fun acknowledgeStartMessage(jobId: Int, workOngoing: Boolean) { started += workOngoing }
        override fun acknowledgeStopMessage(jobId: Int, reschedule: Boolean) { stopped += reschedule }
        override fun jobFinished(jobId: Int, reschedule: Boolean) { finished += reschedule }
        override fun acknowledgeGetTransferredDownloadBytesMessage(jobId: Int, workId: Int, bytes: Long) = Unit
        override fun acknowledgeGetTransferredUploadBytesMessage(jobId: Int, workId: Int, bytes: Long) = Unit
        override fun dequeueWork(jobId: Int): JobWorkItem? = null
        override fun completeWork(jobId: Int, workId: Int) = false
        override fun updateEstimatedNetworkBytes(jobId: Int, item: JobWorkItem?, download: Long, upload: Long) = Unit
        override fun updateTransferredNetworkBytes(jobId: Int, item: JobWorkItem?, download: Long, upload: Long) = Unit
        override fun setNotification(jobId: Int, id: Int, notification: Notification?, policy: Int) = Unit
    }

    fun start() = Start().also {
        job.startJob(copied(it.parameters))
        turn()
    }

    fun stop(start: Start) {
        job.stopJob(copied(start.parameters))
        turn()
    }

    /** Waits until the job says that it ended, and then for what it might say too much. */
    suspend fun untilFinished(start: Start) {
        while (start.finished.isEmpty()) {
            turn()
            delay(10)
        }
        delay(200)
        turn()
    }

    fun destroy() {
        if (!isDestroyed) controller.destroy()
        isDestroyed = true
    }

    /** Lets the main thread do what it was asked to do: it is this one. */
    private fun turn() = shadowOf(Looper.getMainLooper()).idle()

    private fun copied(parameters: JobParameters): JobParameters {
        val parcel = Parcel.obtain()
        parameters.writeToParcel(parcel, 0)
        parcel.setDataPosition(0)
        return JobParameters.CREATOR.createFromParcel(parcel).also { parcel.recycle() }
    }
}

/** In place of Robolectric's, which keeps to itself what a job says at its end. */
@Implements(JobService::class)
class ShadowOfNothing : ShadowService()
