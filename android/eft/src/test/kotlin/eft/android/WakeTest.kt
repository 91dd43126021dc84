package eft.android

import android.app.job.JobScheduler
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import eft.Jid
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowJobScheduler

@RunWith(BesideCore::class)
@Config(manifest = Config.NONE, sdk = [35], application = HostApplication::class)
class WakeTest {
    private val context = RuntimeEnvironment.getApplication() as HostApplication
    private val scheduler = checkNotNull(context.getSystemService(JobScheduler::class.java))
    private val alice = Jid.of("alice@example.org")

    private fun waiting() = Wake.spool(context).entries().map { Work.decoded(it.content) }
    private fun sent(action: String) = shadowOf(context).broadcastIntents.filter { it.action == action }

    @Test
    fun `a push is on the disk, and an expedited job with network is asked for`() {
        Wake.onPush(context, alice)
        assertEquals(listOf<Work?>(Work.Push(alice)), waiting())
        val job = assertNotNull(scheduler.getPendingJob(Wake.JOB_ID))
        assertEquals(WakeJob::class.java.name, job.service.className)
        assertTrue(job.isExpedited)
        assertNotNull(job.requiredNetwork)
        // Many pushes are one job.
        repeat(5) { Wake.onPush(context) }
        assertEquals(1, scheduler.allPendingJobs.size)
        assertNull(shadowOf(context).nextStartedService)
    }

    @Test
    fun `where Android has no expedited job left, an ordinary one is asked for, and a service if the push allows it`() {
        val shadow = shadowOf(scheduler) as ShadowJobScheduler
        shadow.failExpeditedJob(true)
        Wake.onPush(context, alice, isHighPriority = false)
        assertEquals(false, assertNotNull(scheduler.getPendingJob(Wake.JOB_ID)).isExpedited)
        assertNull(shadowOf(context).nextStartedService)
        Wake.onPush(context, alice, isHighPriority = true)
        assertEquals(WakeService::class.java.name, assertNotNull(shadowOf(context).nextStartedService).component?.className)
        assertEquals(2, waiting().size)
    }

    @Test
    fun `who finds work from before asks for the job`() {
        Wake.resume(context)
        assertNull(scheduler.getPendingJob(Wake.JOB_ID))
        Wake.spool(context).add(Work.Push(null).encoded())
        Wake.resume(context)
        assertNotNull(scheduler.getPendingJob(Wake.JOB_ID))
    }

    @Test
    fun `the service shows that it works, does it, and stops`() {
        Wake.spool(context).add(Work.Push(alice).encoded())
        val controller = Robolectric.buildService(WakeService::class.java).create()
        controller.get().onStartCommand(Intent(), 0, 1)
        val shadow = shadowOf(controller.get())
        assertNotNull(shadow.lastForegroundNotification)
        repeat(250) {
            if (shadow.isStoppedBySelf) return@repeat
            Thread.sleep(20)
        }
        assertTrue(shadow.isStoppedBySelf)
        assertEquals(emptyList(), waiting())
        controller.destroy()
    }

    @Test
    fun `a registration with a distributor has a token, and only what names it is believed`() {
        UnifiedPush.register(context, "org.example.distributor", alice)
        val asked = sent("org.unifiedpush.android.distributor.REGISTER").single()
        assertEquals("org.example.distributor", asked.`package`)
        assertEquals(context.packageName, asked.getStringExtra("application"))
        val token = assertNotNull(asked.getStringExtra("token"))
        assertEquals(32, token.length)
        UnifiedPush.register(context, "org.example.distributor", alice)
        assertEquals(setOf(token), sent("org.unifiedpush.android.distributor.REGISTER").map { it.getStringExtra("token") }.toSet())

        receive("NEW_ENDPOINT", "forged") { putExtra("endpoint", "https://evil.example.org") }
        receive("NEW_ENDPOINT", token) { putExtra("endpoint", "http://in.the.clear.example.org") }
        receive("NEW_ENDPOINT", token) { putExtra("endpoint", "https://push.example.org/abc") }
        receive("NEW_ENDPOINT", null) { }
        receive("MESSAGE", "distributor") { }
        receive("MESSAGE", "forged") { }
        assertEquals(listOf<Pair<Jid, String?>>(alice to "https://push.example.org/abc"), context.endpoints)
        assertEquals(emptyList(), waiting())

        receive("MESSAGE", token) { putExtra("bytesMessage", ByteArray(3)).putExtra("id", "7") }
        assertEquals(listOf<Work?>(Work.Push(alice)), waiting())
        assertEquals("7", sent("org.unifiedpush.android.distributor.MESSAGE_ACK").single().getStringExtra("id"))

        receive("UNREGISTERED", token) { }
        receive("MESSAGE", token) { }
        assertEquals(1, waiting().size)
        assertEquals(alice to null, context.endpoints.last())
        // A new registration has another token, and the old one is nobody's.
        UnifiedPush.register(context, "org.example.distributor", alice)
        val again = sent("org.unifiedpush.android.distributor.REGISTER").last().getStringExtra("token")
        assertTrue(again != token)
        UnifiedPush.unregister(context, alice)
        assertEquals(again, sent("org.unifiedpush.android.distributor.UNREGISTER").single().getStringExtra("token"))
    }

    private fun receive(what: String, token: String?, more: Intent.() -> Unit) {
        val intent = Intent("org.unifiedpush.android.connector.$what").apply(more)
        token?.let { intent.putExtra("token", it) }
        val receiver: BroadcastReceiver = UnifiedPushReceiver()
        receiver.onReceive(context as Context, intent)
    }
}
