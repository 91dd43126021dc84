package eft.android

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import java.io.IOException

/** Hears the distributor. Anybody may send to it, so nothing is believed but the token. */
public class UnifiedPushReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val token = intent.getStringExtra(UnifiedPush.TOKEN) ?: return
        val account = UnifiedPush.accountOf(context, token) ?: return
        val host = context.applicationContext as? EftHost ?: return
        when (intent.action) {
            MESSAGE -> {
                // A distributor raises us to the foreground where it can; where not, Android refuses the service, and no more.
                try {
                    Wake.onPush(context, account, isHighPriority = true)
                } catch (_: IOException) {
                    // Not acknowledged: the distributor brings it again.
                    return
                }
                acknowledge(context, token, intent)
            }
            NEW_ENDPOINT -> intent.getStringExtra("endpoint")
                ?.takeIf { it.startsWith("https://") && it.length <= ENDPOINT_MAX }
                ?.let { host.onPushEndpoint(account, it) }
            UNREGISTERED, REGISTRATION_FAILED -> {
                UnifiedPush.forget(context, token)
                host.onPushEndpoint(account, null)
            }
        }
    }

    /** The push is on the disk: the distributor need not send it again. */
    private fun acknowledge(context: Context, token: String, intent: Intent) {
        val id = intent.getStringExtra("id") ?: return
        val distributor = UnifiedPush.distributor(context) ?: return
        context.sendBroadcast(
            Intent(MESSAGE_ACK).setPackage(distributor).putExtra(UnifiedPush.TOKEN, token).putExtra("id", id),
        )
    }

    private companion object {
        const val MESSAGE = "org.unifiedpush.android.connector.MESSAGE"
        const val NEW_ENDPOINT = "org.unifiedpush.android.connector.NEW_ENDPOINT"
        const val UNREGISTERED = "org.unifiedpush.android.connector.UNREGISTERED"
        const val REGISTRATION_FAILED = "org.unifiedpush.android.connector.REGISTRATION_FAILED"
        const val MESSAGE_ACK = "org.unifiedpush.android.distributor.MESSAGE_ACK"

        /** The specification's limit. */
        const val ENDPOINT_MAX = 1000
    }
}
