import EftGenerated

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
    /// - Throws: `offline`, `authRejected`, `certificateRejected`, `serverTooOld`, `suspended`.
    public func connect(_ options: ConnectOptions = ConnectOptions()) async throws(EftError) {
        let core = core
        try await waiting { try await core.connect(options: options) }
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
    /// that (`authRejected`), and the server's operator says that it is so. Never without asking: somebody between us
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
