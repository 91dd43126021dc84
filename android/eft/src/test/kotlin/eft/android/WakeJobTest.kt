package eft.android

import android.app.NotificationManager
import android.app.job.JobScheduler
import android.content.Intent
import eft.Delivery
import eft.Eft
import eft.EftException
import eft.Event
import eft.Jid
import eft.KeyFault
import eft.Link
import eft.MemorySecrets
import eft.Person
import eft.eventually
import eft.newFolder
import eft.serverOptions
import eft.setting
import eft.story
import java.util.concurrent.CountDownLatch
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.junit.After
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** The job as Android starts, stops and forgets it; what it fetches is on a real server. */
@RunWith(BesideCore::class)
@Config(manifest = Config.NONE, sdk = [35], application = PhoneApplication::class, shadows = [ShadowOfNothing::class])
class WakeJobTest {
    private val context = RuntimeEnvironment.getApplication() as PhoneApplication
    private val scheduler = checkNotNull(context.getSystemService(JobScheduler::class.java))
    private val starter = JobStarter()
    private val spool = Wake.spool(context)
    private val bob = Jid.of(setting("BOB"))

    /** What was shown, one notification after the other. */
    private val shown
        get() = checkNotNull(context.getSystemService(NotificationManager::class.java)).activeNotifications
            .flatMap { it.notification.lines() }

    /** The run says once that it is over, and whether Android is to start another. */
    private suspend fun assertEnds(start: JobStarter.Start, isWantedAgain: Boolean) {
        starter.untilFinished(start)
        assertEquals(listOf(isWantedAgain), start.finished)
    }

    @After
    fun nothingIsLeftRunning() {
        starter.destroy()
        assertFalse(WakeJob.isRunning)
    }

    /** Bob's phone, asleep, for which Alice wrote something. */
    private suspend fun pushed(text: String): Person {
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(bob, setting("BOB_PASSWORD"))
        account.connect(serverOptions())
        account.disconnect()
        context.account = account
        val alice = Person.login("ALICE")
        alice.account.conversation(bob).send(text)
        alice.next<Event.MessageChanged> { it.message.text == text && it.message.delivery == Delivery.Acked }
        spool.add(Work.Push(bob).encoded())
        return alice
    }

    /** Starts the job, waits until it has said that it is done, and looks for what it was to show. */
    private suspend fun assertNextShows(text: String) {
        val next = starter.start()
        assertEnds(next, isWantedAgain = false)
        assertEquals(listOf(text), shown)
        assertEquals(0, spool.size)
    }

    private suspend fun leave(alice: Person) {
        alice.leave()
        checkNotNull(context.account).shutDown()
    }

    @Test
    fun `a job does what waits, says once that it is done, and the next one has nothing to do`() = story(120) {
        val alice = pushed("Are you awake?")
        val first = starter.start()
        assertEquals(listOf(true), first.started)
        assertTrue(WakeJob.isRunning)
        // It looks into the spool before it ends: who asked for it again would end it.
        Wake.onPush(context, bob)
        assertNull(scheduler.getPendingJob(Wake.JOB_ID))
        assertEnds(first, isWantedAgain = false)
        assertEquals(listOf("Are you awake?"), shown)
        assertEquals(0, spool.size)
        assertFalse(WakeJob.isRunning)

        val wakeCount = context.wakeCount.get()
        assertNextShows("Are you awake?")
        assertEquals(wakeCount, context.wakeCount.get())
        leave(alice)
    }

    @Test
    fun `a job that is stopped on its way to the server leaves everything to the next one`() = story(120) {
        val alice = pushed("Wait for me")
        Link().use { link ->
            link.hush()
            context.port = link.port
            val stopped = starter.start()
            eventually("it asked for the server") { link.heldCount.get() > 0 }
            starter.stop(stopped)
            assertEquals(listOf(true), stopped.stopped)
            assertEnds(stopped, isWantedAgain = true)
            assertFalse(WakeJob.isRunning)
            assertEquals(1, spool.size)
            assertEquals(emptyList(), shown)

            link.lose()
            link.restore()
            assertNextShows("Wait for me")
            leave(alice)
        }
    }

    @Test
    fun `a job that is stopped with a message in its hands leaves it to the next one, to be shown once`() = story(120) {
        val alice = pushed("Catch!")
        val isFetched = CompletableDeferred<Unit>()
        context.showing = {
            isFetched.complete(Unit)
            awaitCancellation()
        }
        val stopped = starter.start()
        isFetched.await()
        starter.stop(stopped)
        assertEquals(listOf(true), stopped.stopped)
        starter.untilFinished(stopped)
        assertEquals(emptyList(), shown)
        assertEquals(1, spool.size)

        context.showing = {}
        assertNextShows("Catch!")
        leave(alice)
    }

    @Test
    fun `two jobs and the service do the work once`() = story(120) {
        val alice = pushed("Only one of you, please")
        val service = Robolectric.buildService(WakeService::class.java).create()
        val starts = List(2) { starter.start() }
        service.get().onStartCommand(Intent(), 0, 1)
        for (start in starts) {
            assertEnds(start, isWantedAgain = false)
        }
        service.destroy()
        assertEquals(1, context.wakeCount.get())
        assertEquals(listOf("Only one of you, please"), shown)
        leave(alice)
    }

    @Test
    fun `a job for nobody ends at once, and one whose account cannot be opened yet is wanted again`() = story {
        spool.add(Work.Push(Jid.of("nobody@example.org")).encoded())
        spool.add(Work.Push(bob).encoded())
        // Bob's account was removed meanwhile.
        val forNobody = starter.start()
        assertEnds(forNobody, isWantedAgain = false)
        assertEquals(0, spool.size)

        // Nobody has unlocked the phone since it was started.
        context.opening = { throw EftException.KeyUnavailable(KeyFault.LOCKED, "the keystore is locked") }
        spool.add(Work.Push(null).encoded())
        val locked = starter.start()
        assertEnds(locked, isWantedAgain = true)
        assertEquals(1, spool.size)

        // No other try would help.
        context.opening = { throw EftException.KeyUnavailable(KeyFault.LOST, "the key is gone") }
        val lost = starter.start()
        assertEnds(lost, isWantedAgain = false)
        assertEquals(0, spool.size)
        assertEquals(0, context.wakeCount.get())
    }

    @Test
    fun `a job that was stopped and ends late does not speak for the one that runs`() = story {
        val isOpening = CompletableDeferred<Unit>()
        val mayOpen = CompletableDeferred<Unit>()
        context.opening = {
            isOpening.complete(Unit)
            // As something that does not let itself be interrupted.
            withContext(NonCancellable) { mayOpen.await() }
            currentCoroutineContext().ensureActive()
        }
        spool.add(Work.Push(bob).encoded())
        val late = starter.start()
        isOpening.await()
        starter.stop(late)
        assertEquals(listOf(true), late.stopped)
        val isOpeningAgain = CompletableDeferred<Unit>()
        val mayOpenAgain = CompletableDeferred<Unit>()
        val next = starter.start()
        context.opening = {
            isOpeningAgain.complete(Unit)
            mayOpenAgain.await()
        }
        mayOpen.complete(Unit)
        starter.untilFinished(late)
        isOpeningAgain.await()
        assertTrue(WakeJob.isRunning)
        Wake.onPush(context, bob)
        assertNull(scheduler.getPendingJob(Wake.JOB_ID), "the job that runs would have been ended")
        mayOpenAgain.complete(Unit)
        assertEnds(next, isWantedAgain = false)
        assertEquals(0, spool.size)
        Wake.onPush(context, bob)
        assertNotNull(scheduler.getPendingJob(Wake.JOB_ID))
    }

    @Test
    fun `a job that is destroyed before it began does not stand in the way of others`() = story {
        // As many as there are threads, and more: nobody else begins.
        val isOver = CountDownLatch(1)
        val busy = List(64) { launch(Dispatchers.Default) { isOver.await() } }
        starter.start()
        starter.destroy()
        isOver.countDown()
        busy.joinAll()
        assertFalse(WakeJob.isRunning)
        Wake.onPush(context, bob)
        assertNotNull(scheduler.getPendingJob(Wake.JOB_ID))
    }
}
