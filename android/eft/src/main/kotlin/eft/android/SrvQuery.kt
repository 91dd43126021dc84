package eft.android

import android.annotation.TargetApi
import android.net.DnsResolver
import android.os.Build
import android.os.CancellationSignal
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.IOException
import java.util.concurrent.Executor
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException

/** Asks Android's DNS for SRV records, on the network that the app uses by default. */
@TargetApi(Build.VERSION_CODES.Q)
internal object SrvQuery {
    private const val SRV = 33
    private val here = Executor { it.run() }

    /** The whole answer, as it came from the DNS. */
    suspend fun ask(name: String): ByteArray = suspendCancellableCoroutine { waiting ->
        val stop = CancellationSignal()
        waiting.invokeOnCancellation { stop.cancel() }
        val callback = object : DnsResolver.Callback<ByteArray> {
            override fun onAnswer(answer: ByteArray, rcode: Int) = waiting.resume(answer)

            override fun onError(error: DnsResolver.DnsException) = waiting.resumeWithException(IOException(error))
        }
        DnsResolver.getInstance()
            .rawQuery(null, name, DnsResolver.CLASS_IN, SRV, DnsResolver.FLAG_EMPTY, here, stop, callback)
    }
}
