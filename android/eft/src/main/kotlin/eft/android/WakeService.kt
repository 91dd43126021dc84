package eft.android

import android.app.ForegroundServiceStartNotAllowedException
import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.IBinder
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/**
 * Does what waits in the spool where Android refuses to run [WakeJob] at once: as a "short service", of three minutes at
 * most, with a notification for as long as it runs.
 */
public class WakeService : Service() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        // Within seconds of the start, or Android ends the process.
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.UPSIDE_DOWN_CAKE) {
            startForeground(NOTIFICATION, notification(), ServiceInfo.FOREGROUND_SERVICE_TYPE_SHORT_SERVICE)
        } else {
            startForeground(NOTIFICATION, notification())
        }
        scope.launch {
            try {
                WakeRunner.of(applicationContext).run(WakeJob.DEADLINE)
            } finally {
                stopSelf(startId)
            }
        }
        // What is not done is in the spool, and a job was asked for it.
        return START_NOT_STICKY
    }

    // Android's patience is at its end; who goes on is stopped with the process.
    override fun onTimeout(startId: Int) {
        stopSelf()
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private fun notification(): Notification {
        val host = applicationContext as EftHost
        val channel = NotificationChannel(CHANNEL, host.workingLabel, NotificationManager.IMPORTANCE_MIN)
        getSystemService(NotificationManager::class.java)?.createNotificationChannel(channel)
        return Notification.Builder(this, CHANNEL)
            .setSmallIcon(host.notificationIcon)
            .setContentTitle(host.workingLabel)
            .build()
    }

    internal companion object {
        const val CHANNEL = "eft.working"
        const val NOTIFICATION = 0x454655

        /** Asks for it; Android may refuse, and then the job does the work when its time comes. */
        fun start(context: Context) {
            val intent = Intent(context, WakeService::class.java)
            if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S) {
                context.startForegroundService(intent)
                return
            }
            try {
                context.startForegroundService(intent)
            } catch (_: ForegroundServiceStartNotAllowedException) {
                // The push had no high priority after all.
            }
        }
    }
}
