import EftGenerated
import Foundation

/// An account on this device: its connection, its devices and what happens to it.
public final class Account: Sendable {
    let core: CoreAccount
    let ending = Ending()

    init(_ core: CoreAccount) {
        self.core = core
    }

    /// The account's address, `user@host`.
    public var jid: String { core.jid() }

    /// The id of this device among the account's devices (XEP-0384).
    public var deviceID: UInt32 { core.deviceId() }

    /// The fingerprint of this device, to be compared by people: eight groups of eight hexadecimal digits.
    public var fingerprint: String { core.fingerprint() }

    /// Connects, and stays connected until ``disconnect()``. Returns once the server knows this device.
    ///
    /// - Throws: `offline`, `authRejected`, `downgraded`, `certificateRejected`, `serverTooOld`, `suspended`.
    public func connect(_ options: ConnectOptions = ConnectOptions()) async throws(EftError) {
        let core = core
        try await waiting { try await core.connect(options: options.core) }
    }

    /// Ends the connection. What the server did not acknowledge stays queued. Not ended early by cancellation.
    public func disconnect() async {
        await core.disconnect()
    }

    /// Ends the connection and closes the database; every later call throws `suspended`, and every sequence of
    /// ``events()`` ends. Not ended early by cancellation.
    public func shutDown() async {
        await core.shutDown()
        ending.end()
    }

    /// Lets go of everything while the app sleeps: the server keeps the stream and pushes again at once, the connection is
    /// closed, the account is free for the extension, and no file is open. Until ``resume()``, everything else throws
    /// `suspended`. To be called in the background task that the app asks for when it leaves the foreground: iOS ends a
    /// process that it freezes with a locked file in its hands.
    ///
    /// - Throws: `storeDamaged` if the last bytes could not be written; everything is closed all the same.
    public func suspend() async throws(EftError) {
        let core = core
        try await waiting { try await core.suspend() }
    }

    /// Opens everything again, and connects again if the app wanted a connection. Sequences get `reset` if the extension
    /// had the account meanwhile.
    ///
    /// - Throws: `keyUnavailable`, `storeDamaged`, `storeLocked`; the account stays suspended.
    public func resume() async throws(EftError) {
        let core = core
        try await waiting { try await core.resume() }
    }

    /// Whether somebody looks at the app. While nobody does, the server is asked to hold back what can wait (XEP-0352), and
    /// messages that come are announced: see ``announcements(limit:)``.
    public func setActive(_ active: Bool) { core.setActive(active: active) }

    /// Asks for no more of the server's archive, on this connection and later ones, until ``resumeCatchUp()``: for a metered
    /// network, or a long absence that the user wants to read later. The newest messages are still fetched; what lies between
    /// is a gap in the timelines (``TimelinePage/gaps``). Forgotten when the process ends. A push fetches everything all the
    /// same, if no connection is wanted.
    ///
    /// - Throws: `suspended`.
    public func pauseCatchUp() async throws(EftError) {
        let core = core
        try await waiting { try await core.pauseCatchUp() }
    }

    /// Goes on where ``pauseCatchUp()`` stopped. Without a pause nothing happens.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public func resumeCatchUp() async throws(EftError) {
        let core = core
        try await waiting { try await core.resumeCatchUp() }
    }

    /// The system says that the network changed, or the process was asleep: a connection has a second to show that it
    /// lives, and one that is waited for is tried at once.
    public func networkChanged() { core.networkChanged() }

    /// Whether the account is connected, now: `connecting`, `online`, `offline` or `disconnected`.
    public var connection: Event { core.connectionState() }

    /// How the present connection was made; `nil` without one.
    ///
    /// - Throws: `suspended`.
    public var session: SessionInfo? {
        get async throws(EftError) {
            let core = core
            return try await waiting { try await core.sessionInfo() }
        }
    }

    /// What is known of the account, and what is wrong with it: why push, OMEMO or login does not work. While the account is
    /// online the server is asked what it can do, for at most some seconds. Without a connection, suspended or shut down, the
    /// report says what is known here. Not ended early by cancellation.
    public func report() async -> Report {
        await core.report()
    }

    /// A push came. Connects unless the account is connected, catches up, and hangs up again unless the app wanted the
    /// connection. ``EftNotificationService`` does this for a notification extension.
    ///
    /// - Parameters:
    ///   - options: How the server is reached.
    ///   - seconds: How long it may take, counted from the call: what the system gives, less what the caller needs.
    /// - Throws: `suspended`; `keyUnavailable` while the device is locked after its start; `storeDamaged`. What the network
    ///   does is a ``WakeReason``.
    public func handlePush(_ options: ConnectOptions = ConnectOptions(), within seconds: TimeInterval) async throws(EftError)
        -> WakeOutcome
    {
        let core = core
        let withinMs = milliseconds(seconds)
        return try await waiting { try await core.handlePush(options: options.core, withinMs: withinMs) }
    }

    /// Sees whether a push reaches this device: for a button of the app's settings. The account has to be online. This device
    /// sends itself a message that nobody keeps, leaves it unacknowledged, and hangs up like an app that sleeps, so that the
    /// server pushes. Whoever gets that push calls ``handlePush(_:within:)`` as always: the extension can, for the account is
    /// free meanwhile. Then the account is online again.
    ///
    /// It shows that pushes arrive, not how fast they would at night: the phone is awake and in the user's hand.
    ///
    /// - Parameter seconds: How long to wait for the push; half a minute is enough where pushes work.
    /// - Throws: `offline` if the account is not online, or the connection was lost before its time; `suspended` also if the
    ///   account was suspended or disconnected meanwhile; `storeLocked`, `storeDamaged`.
    public func testPush(within seconds: TimeInterval) async throws(EftError) -> PushTest {
        let core = core
        let withinMs = milliseconds(seconds)
        return try await waiting { try await core.testPush(withinMs: withinMs) }
    }

    /// Asks the server to push for this device while it is not connected (XEP-0357): now, and again on every stream that is
    /// bound. To be called with each new token. Returns once it is kept; how it goes is ``pushHealth``.
    ///
    /// - Parameter target: What the app's own server answered when the app registered its token with it.
    /// - Throws: `invalidInput` for what is no address, and for a node or an option that XML cannot carry; `storeLocked`,
    ///   `suspended`, `storeDamaged`.
    public func registerPush(_ target: PushTarget) async throws(EftError) {
        let core = core
        try await waiting { try await core.registerPush(target: target) }
    }

    /// Asks the server not to push for this device any more. While there is no connection, it is only forgotten here: the
    /// app's own server has to let the token go.
    ///
    /// - Throws: `offline` if the connection broke meanwhile, `storeLocked`, `suspended`, `storeDamaged`.
    public func unregisterPush() async throws(EftError) {
        let core = core
        try await waiting { try await core.unregisterPush() }
    }

    /// How the registration for pushes stands; `nil` if there is none.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public var pushHealth: PushHealth? {
        get async throws(EftError) {
            let core = core
            return try await waiting { try await core.pushHealth() }
        }
    }

    /// Messages that the user is still to be told of, oldest first: they came while nobody looked at the app, and neither
    /// was their notification said to be up nor were they read. To post one of them again under the same id changes nothing
    /// for the user, and makes up for a process that died.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public func announcements(limit: Int = 64) async throws(EftError) -> [Message] {
        let core = core
        return try await waiting { try await core.announcements(limit: UInt32(clamping: limit)) }
    }

    /// The notifications of these messages (``Message/id``) are up.
    ///
    /// - Throws: `storeLocked` while another process has the account, `suspended`, `storeDamaged`. They are told of once
    ///   more then.
    public func announced(_ messages: [Int64]) async throws(EftError) {
        let core = core
        try await waiting { try await core.announced(messages: messages) }
    }

    /// The conversations, the one with the newest message first.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public var conversations: [ConversationSummary] {
        get async throws(EftError) {
            let core = core
            return try await waiting { try await core.conversations() }
        }
    }

    /// Messages in which every word occurs, by its beginning and without regard to case and accents. Newest first.
    ///
    /// - Parameters:
    ///   - typed: What the user typed.
    ///   - jid: Of one conversation only.
    ///   - before: Those that came before the message with this id.
    ///   - limit: How many at most.
    /// - Throws: `invalidInput`, `suspended`, `storeDamaged`.
    public func search(_ typed: String, with jid: String? = nil, before: Int64? = nil, limit: Int = 50) async throws(EftError)
        -> [Message]
    {
        let core = core
        return try await waiting {
            try await core.search(typed: typed, peer: jid, before: before, limit: UInt32(clamping: limit))
        }
    }

    /// Turns what was left by ``Conversation/leaveText(_:)`` and ``Conversation/leaveReadMark(upTo:)`` into messages and
    /// marks. Happens by itself whenever this process takes the account.
    ///
    /// - Returns: How many there were.
    /// - Throws: `storeLocked` while another process has the account, `suspended`, `storeDamaged`.
    @discardableResult
    public func collect() async throws(EftError) -> Int {
        let core = core
        return Int(try await waiting { try await core.collect() })
    }

    /// The one-to-one conversation with an address. Whether anybody is there is not asked.
    ///
    /// - Throws: `invalidInput` for what is no address.
    public func conversation(with peer: String) throws(EftError) -> Conversation {
        Conversation(try mapped { try core.conversation(peer: peer) })
    }

    /// The devices known of an address; for the own one this device is among them.
    ///
    /// - Throws: `invalidInput`, `suspended`.
    public func devices(of jid: String) async throws(EftError) -> [Device] {
        let core = core
        return try await waiting { try await core.devices(jid: jid) }
    }

    /// The contact list, in the order of the addresses.
    ///
    /// - Throws: `offline`: the server keeps the list. `suspended`.
    public var contacts: [Contact] {
        get async throws(EftError) {
            let core = core
            return try await waiting { try await core.contacts() }
        }
    }

    /// Asks the server for an account's device lists; ``devices(of:)`` then tells what it said.
    ///
    /// - Throws: `invalidInput`, `offline`, `suspended`.
    public func refreshDevices(of jid: String) async throws(EftError) {
        let core = core
        try await waiting { try await core.refreshDevices(jid: jid) }
    }

    /// Accepts a fingerprint that the user compared, digit by digit. From then on every other new device of `jid`
    /// waits for a decision. The device may appear later: a scanned code may come first.
    ///
    /// - Parameters:
    ///   - fingerprint: 64 hexadecimal digits, in groups or not.
    ///   - jid: Whose it is.
    /// - Throws: `invalidInput` for what is no address or no fingerprint, and for the one of this device;
    ///   `suspended`, `storeDamaged`.
    public func verify(_ fingerprint: String, of jid: String) async throws(EftError) {
        let core = core
        try await waiting { try await core.verify(jid: jid, fingerprint: fingerprint) }
    }

    /// Rejects a fingerprint: nothing is encrypted to a device that shows it.
    ///
    /// - Throws: As ``verify(_:of:)``.
    public func distrust(_ fingerprint: String, of jid: String) async throws(EftError) {
        let core = core
        try await waiting { try await core.distrust(jid: jid, fingerprint: fingerprint) }
    }

    /// Accepts that a device that spoke `urn:xmpp:omemo:2` before is written to in the older version: the user's answer
    /// to ``Event/deviceDowngraded(jid:device:)``. Holds until the device is downgraded anew.
    ///
    /// - Throws: `invalidInput` for what is no address or no device id, and if the device is not downgraded;
    ///   `suspended`, `storeDamaged`.
    public func acceptLegacy(device: UInt32, of jid: String) async throws(EftError) {
        let core = core
        try await waiting { try await core.acceptLegacy(jid: jid, device: device) }
    }

    /// Accepts that the server offers weaker mechanisms than it once did: the user's answer where a login was refused for
    /// that (`downgraded`), and the server's operator says that it is so. Never without asking: somebody between us
    /// and the server would offer less, too.
    ///
    /// - Throws: `storeLocked`, `suspended`, `storeDamaged`.
    public func acceptDowngrade() async throws(EftError) {
        let core = core
        try await waiting { try await core.acceptDowngrade() }
    }

    /// Makes new sessions with every device: the user's own remedy when messages cannot be decrypted.
    ///
    /// - Parameter jid: Whose devices; `nil` for everybody's.
    /// - Returns: How many will be made.
    /// - Throws: `invalidInput`, `suspended`, `storeDamaged`.
    @discardableResult
    public func resetSessions(with jid: String? = nil) async throws(EftError) -> Int {
        let core = core
        return Int(try await waiting { try await core.resetSessions(jid: jid) })
    }

    /// What happens from now on. Each call is a subscription of its own; see ``Events`` for when it ends.
    public func events() -> Events {
        Events(until: ending) { core.subscribe(observer: $0) }
    }
}

/// As the core counts. What is no number is no time.
private func milliseconds(_ seconds: TimeInterval) -> UInt32 {
    seconds > 0 ? UInt32(min(seconds, 4_000_000) * 1000) : 0
}
