package eft

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import java.io.Closeable
import java.io.File
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import eft.core.Account as CoreAccount
import eft.core.AccountObserver as CoreObserver
import eft.core.Event as CoreEvent

/** An account on this device: its connection, its devices, its conversations and what happens to it. */
public class Account internal constructor(private val core: CoreAccount) : Closeable {
    private val state = MutableStateFlow<ConnectionState>(ConnectionState.Disconnected)

    // Nobody can ask for a connection before this account is here, so no change is missed.
    private val watching = core.subscribe(StateObserver(state))
    private val isClosed = AtomicBoolean()
    private val queued = QueuedSignal()

    init {
        // It may be connected already, asked by another object for it. An event that came meanwhile is newer.
        (core.connectionState().mapped() as? Event.ConnectionChanged)
            ?.let { state.compareAndSet(ConnectionState.Disconnected, it.state) }
    }

    /** The account's address. */
    public val jid: Jid = Jid.known(core.jid())

    /** The id of this device among the account's devices (XEP-0384). */
    public val deviceId: DeviceId = DeviceId(core.deviceId())

    /** The fingerprint of this device, to be compared by people. */
    public val fingerprint: Fingerprint = Fingerprint.known(core.fingerprint())

    /** Whether the account is connected, now and from now on. */
    public val connection: StateFlow<ConnectionState> = state.asStateFlow()

    /**
     * Connects, and stays connected until [disconnect]: a broken connection is made again after a while. Returns once the
     * server knows this device. A first attempt that fails is not repeated.
     *
     * @throws EftException.Offline and [EftException.AuthRejected], [EftException.Downgraded], [EftException.CertificateRejected],
     *   [EftException.ServerTooOld], [EftException.Suspended].
     */
    public suspend fun connect(options: ConnectOptions = ConnectOptions()): Unit =
        mapped { core.connect(options.mapped()) }

    /** Ends the connection. What the server did not acknowledge stays queued. */
    public suspend fun disconnect() {
        orGone { core.disconnect() }
    }

    /**
     * Ends the connection and closes the database; returns when both are done. Every later call throws
     * [EftException.Suspended], and every flow of [events] ends.
     */
    public suspend fun shutDown() {
        orGone { core.shutDown() }
    }

    /**
     * Lets go of everything while the app sleeps: the server keeps the stream and pushes again at once, the connection is
     * closed, and no file is open. Until [resume], everything else throws [EftException.Suspended].
     *
     * @throws EftException.StoreDamaged if the last bytes could not be written; everything is closed all the same.
     */
    public suspend fun suspend(): Unit = mapped { core.suspend() }

    /**
     * Opens everything again, and connects again if the app wanted a connection.
     *
     * @throws EftException.KeyUnavailable and [EftException.StoreLocked], [EftException.StoreDamaged]; the account stays
     *   suspended.
     */
    public suspend fun resume(): Unit = mapped { core.resume() }

    /**
     * Whether somebody looks at the app. While nobody does, the server is asked to hold back what can wait (XEP-0352), and
     * messages that come are announced: see [announcements].
     */
    public fun setActive(isActive: Boolean) {
        orGone { core.setActive(isActive) }
    }

    /**
     * Asks for no more of the server's archive, on this connection and later ones, until [resumeCatchUp]: for a metered network,
     * or a long absence that the user wants to read later. The newest messages are still fetched; what lies between is a gap
     * in the timelines ([TimelinePage.gaps]). Forgotten when the process ends. A push fetches everything all the same, if no
     * connection is wanted.
     */
    public suspend fun pauseCatchUp(): Unit = mapped { core.pauseCatchUp() }

    /** Goes on where [pauseCatchUp] stopped. Without a pause nothing happens. */
    public suspend fun resumeCatchUp(): Unit = mapped { core.resumeCatchUp() }

    /**
     * The system says that the network changed, or the process was asleep: a connection has a second to show that it lives,
     * and one that is waited for is tried at once.
     */
    public fun networkChanged() {
        orGone { core.networkChanged() }
    }

    /** How the present connection was made; `null` without one. */
    public suspend fun session(): SessionInfo? = mapped { core.sessionInfo() }?.mapped()

    /**
     * What is known of the account, and what is wrong with it: why push, OMEMO or login does not work. While the account is online
     * the server is asked what it can do, for at most some seconds. Without a connection, suspended or shut down, the report says
     * what is known here.
     *
     * @throws EftException.Suspended once the account is [closed][close].
     */
    public suspend fun report(): Report = mapped { core.report() }.mapped()

    /**
     * A push came. Connects unless the account is connected, catches up, and hangs up again unless the app wanted the
     * connection; all of it within the time given, which is counted from the call. To be called with what the system gives,
     * less what the caller needs for itself.
     *
     * @throws EftException.KeyUnavailable while the device is locked after its start.
     */
    public suspend fun handlePush(options: ConnectOptions = ConnectOptions(), within: Duration): WakeOutcome {
        return mapped { core.handlePush(options.mapped(), milliseconds(within)) }.mapped()
    }

    /**
     * Sees whether a push reaches this device: for a button of the app's settings. The account has to be online. This device sends
     * itself a message that nobody keeps, leaves it unacknowledged, and hangs up like an app that sleeps, so that the server
     * pushes. Whoever gets that push calls [handlePush] as always. After at most [within] the account is online again; half a
     * minute is enough where pushes work.
     *
     * It shows that pushes arrive, not how fast they would at night: the phone is awake and in the user's hand.
     *
     * @throws EftException.Offline if the account is not online, or the connection was lost before its time.
     * @throws EftException.Suspended also if the account was suspended or disconnected meanwhile.
     */
    public suspend fun testPush(within: Duration): PushTest = mapped { core.testPush(milliseconds(within)) }.mapped()

    /**
     * Asks the server to push for this device while it is not connected: now, and again on every stream that is bound. To be
     * called with each new token. Returns once it is kept; how it goes is [pushHealth].
     *
     * @throws EftException.InvalidInput for what is no address, and for a node or an option that XML cannot carry.
     */
    public suspend fun registerPush(target: PushTarget): Unit = mapped { core.registerPush(target.mapped()) }

    /**
     * Asks the server not to push for this device any more. While there is no connection, it is only forgotten here: the
     * app's own server has to let the token go.
     */
    public suspend fun unregisterPush(): Unit = mapped { core.unregisterPush() }

    /** How the registration for pushes stands; `null` if there is none. */
    public suspend fun pushHealth(): PushHealth? = mapped { core.pushHealth() }?.mapped()

    /**
     * Messages that the user is still to be told of, oldest first: they came while nobody looked at the app, and neither was
     * their notification said to be up ([announced]) nor were they read. To post one of them again under the same id
     * changes nothing for the user, and makes up for a process that died.
     */
    public suspend fun announcements(limit: Int = 64): List<Message> =
        mapped { core.announcements(counted(limit)) }.map { it.mapped() }

    /** The notifications of these messages are up. */
    public suspend fun announced(messages: Collection<MessageId>): Unit =
        mapped { core.announced(messages.map { it.row }) }

    /** The conversations, the one with the newest message first. */
    public suspend fun conversations(): List<ConversationSummary> = mapped { core.conversations() }.map { it.mapped() }

    /**
     * Messages in which every word of [typed] occurs, by its beginning and without regard to case and accents. Newest first.
     *
     * @param with of one conversation only.
     * @param before those that came before this message.
     */
    public suspend fun search(
        typed: String,
        with: Jid? = null,
        before: MessageId? = null,
        limit: Int = 50,
    ): List<Message> =
        mapped { core.search(typed, with?.toString(), before?.row, counted(limit)) }.map { it.mapped() }

    /**
     * Writes the history into one file, encrypted by a passphrase (an `age` file): conversations, messages, what is thought of
     * keys. Never the password, or what waits to be sent; the identity key only if it [moves][IdentityKey.MOVES]. The file is
     * there when it is whole. Takes some seconds. Returns how many messages are in it.
     *
     * @throws EftException.InvalidInput for an empty passphrase or a file that cannot be written.
     */
    public suspend fun export(file: File, passphrase: String, identity: IdentityKey = IdentityKey.STAYS): Long =
        mapped { core.export(file.path, passphrase, identity.mapped()) }.messageCount.toLong()

    /**
     * Turns what was left by [Conversation.leaveText] and [Conversation.leaveReadMark] into messages and marks. Happens by
     * itself whenever this process takes the account. Returns how many there were.
     */
    public suspend fun collect(): Int = mapped { core.collect() }.toInt()

    /** As [shutDown], without waiting for it. */
    override fun close() {
        if (!isClosed.compareAndSet(false, true)) return
        closing.launch {
            shutDown()
            watching.close()
            core.close()
        }
    }

    /** The one-to-one conversation with an address. Whether anybody is there is not asked. */
    public fun conversation(peer: Jid): Conversation =
        Conversation(mapped { core.conversation(peer.toString()) }, peer, queued, ::watch)

    /**
     * The contact list, in the order of the addresses.
     *
     * @throws EftException.Offline the server keeps the list.
     */
    public suspend fun contacts(): List<Contact> = mapped { core.contacts() }.map { it.mapped() }

    /** The devices known of an address; for the own one this device is among them. */
    public suspend fun devices(of: Jid): List<Device> = mapped { core.devices(of.toString()) }.map { it.mapped() }

    /**
     * Asks the server for an account's device lists; [devices] then tells what it said.
     *
     * @throws EftException.Offline if there is no connection.
     */
    public suspend fun refreshDevices(of: Jid): Unit = mapped { core.refreshDevices(of.toString()) }

    /**
     * Accepts a fingerprint that the user compared, digit by digit. From then on every other new device of [of] waits for
     * a decision. The device may appear later: a scanned code may come first.
     *
     * @throws EftException.InvalidInput for the fingerprint of this device.
     */
    public suspend fun verify(of: Jid, fingerprint: Fingerprint): Unit =
        mapped { core.verify(of.toString(), fingerprint.toString()) }

    /**
     * Rejects a fingerprint: nothing is encrypted to a device that shows it.
     *
     * @throws EftException.InvalidInput for the fingerprint of this device.
     */
    public suspend fun distrust(of: Jid, fingerprint: Fingerprint): Unit =
        mapped { core.distrust(of.toString(), fingerprint.toString()) }

    /**
     * Accepts that a device that spoke `urn:xmpp:omemo:2` before is written to in the older version: the user's answer to
     * [Event.DeviceDowngraded]. Holds until the device is downgraded anew.
     *
     * @throws EftException.InvalidInput if the device is not downgraded.
     */
    public suspend fun acceptLegacy(of: Jid, device: DeviceId): Unit =
        mapped { core.acceptLegacy(of.toString(), device.number) }

    /**
     * Accepts that the server offers weaker mechanisms than it once did: the user's answer where a login was refused for
     * that ([EftException.Downgraded]), and the server's operator says that it is so. Never without asking: somebody
     * between us and the server would offer less, too.
     */
    public suspend fun acceptDowngrade(): Unit = mapped { core.acceptDowngrade() }

    /**
     * Logs in with another password from the next connection on: the user's answer to [EftException.AuthRejected], after the
     * password was changed elsewhere. Changes nothing at the server, and does not connect; a connection that stands is kept.
     */
    public suspend fun setPassword(password: String): Unit = mapped { core.setPassword(password) }

    /**
     * Makes new sessions with every device of [with], or of everybody: the user's own remedy when messages cannot be
     * decrypted. Returns how many will be made.
     */
    public suspend fun resetSessions(with: Jid? = null): Int = mapped { core.resetSessions(with?.toString()) }.toInt()

    /**
     * What happens while it is collected; it ends when the account is closed, at once if it is already. Each collector is a subscription of its own,
     * which begins when collecting begins: collect first, then [connect]. A collector that falls far behind gets one
     * [Event.Reset] in place of what it missed.
     */
    public fun events(): Flow<Event> = flow {
        val queue = EventQueue()
        watch(queue)?.use { queue.drainTo(this) }
    }

    /** The messages that arrive while it is collected, of all conversations; see [events]. */
    public fun messages(): Flow<Message> = events().filterIsInstance<Event.MessageReceived>().map { it.message }

    override fun toString(): String = "Account($jid, device $deviceId)"

    /** Closing what is closed is no error. */
    private inline fun orGone(call: () -> Unit) {
        try {
            mapped(call)
        } catch (_: EftException.Suspended) {
        }
    }

    /** Subscribes; `null` if the account is closed already, and so nothing will happen to it. */
    private fun watch(observer: CoreObserver): AutoCloseable? = try {
        mapped { core.subscribe(observer) }
    } catch (_: EftException.Suspended) {
        null
    }

    private fun milliseconds(within: Duration) = within.inWholeMilliseconds.coerceIn(0, UInt.MAX_VALUE.toLong()).toUInt()

    private companion object {
        val closing = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    }
}

/** Keeps the newest state of the connection. Holds nothing else of the account, so that it can be collected. */
private class StateObserver(private val state: MutableStateFlow<ConnectionState>) : CoreObserver {
    override fun onEvent(event: CoreEvent) {
        (event.mapped() as? Event.ConnectionChanged)?.let { state.value = it.state }
    }

    override fun onEnd() {
        state.value = ConnectionState.Disconnected
    }
}
