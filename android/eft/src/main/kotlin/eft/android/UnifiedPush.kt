package eft.android

import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.content.SharedPreferences
import eft.EftException
import eft.Jid
import java.security.SecureRandom

/**
 * Pushes without Google: another app on the phone, the distributor, keeps one connection for all (UnifiedPush, AND_2 and
 * AND_3). What the app server is to post to arrives at [EftHost.onPushEndpoint].
 *
 * A registration is a random token, and whoever knows it may wake the app: that is all that a forged push can do.
 */
public object UnifiedPush {
    /** Package names of the distributors on this phone. */
    public fun distributors(context: Context): List<String> =
        context.packageManager.queryBroadcastReceivers(Intent(REGISTER), 0).map { it.activityInfo.packageName }.distinct()

    /** Asks a distributor for an endpoint. Asking again for an account keeps its token, as the specification wants it. */
    public fun register(context: Context, distributor: String, account: Jid) {
        val known = preferences(context)
        val token = tokenOf(known, account) ?: newToken()
        known.edit().putString(token, account.toString()).putString(DISTRIBUTOR, distributor).apply()
        val intent = Intent(REGISTER).setPackage(distributor)
            .putExtra(TOKEN, token)
            // By this AND_2 knows who asks, and AND_3 by the sender of the pending intent.
            .putExtra("application", context.packageName)
            .putExtra("pi", PendingIntent.getBroadcast(context, 0, Intent().setPackage("org.unifiedpush.dummy_app"), PendingIntent.FLAG_IMMUTABLE))
        context.sendBroadcast(intent)
    }

    /** Tells the distributor that no push is wanted for the account any more. */
    public fun unregister(context: Context, account: Jid) {
        val known = preferences(context)
        val token = tokenOf(known, account) ?: return
        val distributor = known.getString(DISTRIBUTOR, null)
        known.edit().remove(token).apply()
        if (distributor != null) {
            context.sendBroadcast(Intent(UNREGISTER).setPackage(distributor).putExtra(TOKEN, token))
        }
    }

    /** The account that a token was made for; `null` for a token that is not ours, or no longer. */
    internal fun accountOf(context: Context, token: String): Jid? = try {
        if (token == DISTRIBUTOR) null else preferences(context).getString(token, null)?.let(Jid::of)
    } catch (_: EftException.InvalidInput) {
        null
    }

    internal fun forget(context: Context, token: String) {
        preferences(context).edit().remove(token).apply()
    }

    internal fun distributor(context: Context): String? = preferences(context).getString(DISTRIBUTOR, null)

    private fun tokenOf(known: SharedPreferences, account: Jid) =
        known.all.entries.firstOrNull { it.key != DISTRIBUTOR && it.value == account.toString() }?.key

    private fun newToken(): String =
        ByteArray(16).also(SecureRandom()::nextBytes).joinToString("") { "%02x".format(it) }

    private fun preferences(context: Context) = context.getSharedPreferences("eft-push", Context.MODE_PRIVATE)

    private const val DISTRIBUTOR = "distributor"
    private const val REGISTER = "org.unifiedpush.android.distributor.REGISTER"
    private const val UNREGISTER = "org.unifiedpush.android.distributor.UNREGISTER"
    internal const val TOKEN = "token"
}
