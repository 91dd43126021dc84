import EftGenerated

/// A one-to-one conversation: sending, and what was said.
public struct Conversation: Sendable {
    private let core: CoreConversation

    init(_ core: CoreConversation) {
        self.core = core
    }

    /// The other side's address.
    public var peer: String { core.peer() }

    /// Queues a text, and returns once it is safe on disk. It is encrypted and sent as soon as the connection and the
    /// device lists allow; ``Event/messageChanged(message:)`` tells how far it is.
    ///
    /// - Returns: ``Message/id`` of its row in the timeline.
    /// - Throws: `invalidInput` for an empty text and for one that XML cannot carry, `optedOut` while an opt-out waits
    ///   for the user's answer, `suspended`.
    @discardableResult
    public func send(_ text: String) async throws(EftError) -> Int64 {
        let core = core
        return try await waiting { try await core.send(text: text) }
    }

    /// Leaves a text to be sent by whichever process has the account: for the quick reply of a notification, or a share
    /// extension, beside an app that runs. Returns once it is on disk; it is sent when that process sees it, at the latest
    /// when the app is opened or a push comes.
    ///
    /// - Returns: The id by which every device will know the message.
    /// - Throws: As ``send(_:)``; `notAllowed` if thousands wait already.
    @discardableResult
    public func leaveText(_ text: String) async throws(EftError) -> String {
        let core = core
        return try await waiting { try await core.leaveText(text: text) }
    }

    /// Leaves word that the user has read up to a message, as ``leaveText(_:)`` does.
    ///
    /// - Parameter message: Its ``Message/id``.
    /// - Throws: As ``leaveText(_:)``. A message that is not of this conversation is passed over.
    public func leaveReadMark(upTo message: Int64) async throws(EftError) {
        let core = core
        try await waiting { try await core.leaveReadMark(upTo: message) }
    }

    /// The user has read up to and including a message. Tells nobody but this device's list of conversations.
    ///
    /// - Parameter message: Its ``Message/id``.
    /// - Throws: `invalidInput` for what is no message of this conversation, `storeLocked` while another process has the
    ///   account, `suspended`, `storeDamaged`.
    public func markRead(upTo message: Int64) async throws(EftError) {
        let core = core
        try await waiting { try await core.markRead(upTo: message) }
    }

    /// Queues a message of this device again that failed. It keeps its row, and is shown once wherever it is known.
    ///
    /// - Parameter message: Its ``Message/id``.
    /// - Throws: `invalidInput` for what is no failed message of this conversation, `optedOut`, `suspended`.
    public func resend(_ message: Int64) async throws(EftError) {
        let core = core
        try await waiting { try await core.resend(message: message) }
    }

    /// Fetches messages that stand in the server's archive before all that is here of the conversation; the server may give
    /// fewer at once. No event tells of them: the timeline goes on where it ended. Those from before this device's time cannot
    /// be read, and say so.
    ///
    /// - Parameter limit: How many at most, 250 or fewer.
    /// - Throws: `offline` without a connection, or when it ends; `storeLocked`, `suspended`, `storeDamaged`.
    @discardableResult
    public func loadOlder(limit: Int = 50) async throws(EftError) -> LoadedHistory {
        let core = core
        return try await waiting { try await core.loadOlder(limit: UInt32(clamping: limit)) }
    }

    /// Part of the timeline, newest message first.
    ///
    /// - Parameters:
    ///   - before: ``TimelinePage/older`` of another part, to get what is older than that; `nil` for the newest.
    ///   - limit: How many messages at most.
    /// - Throws: `invalidInput` for a key that did not come from here, `suspended`.
    public func timeline(before: String? = nil, limit: Int = 50) async throws(EftError) -> TimelinePage {
        let core = core
        return try await waiting { try await core.timeline(before: before, limit: UInt32(clamping: limit)) }
    }

    /// Everything in the timeline, newest message first, read from the disk page by page as it is asked for.
    ///
    /// - Parameter pageSize: How many messages are read at once, at least one.
    public func history(pageSize: Int = 50) -> History {
        History(conversation: self, pageSize: max(pageSize, 1))
    }

    /// The contact's wish to go on without encryption (XEP-0384 §5.9), as long as the user has not answered it. Until
    /// then ``send(_:)`` throws `optedOut`.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public var optOut: OptOut? {
        get async throws(EftError) {
            let core = core
            return try await waiting { try await core.optOut() }
        }
    }

    /// The user's answer to it: go on, encrypted as before. Eft sends no plain text.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public func keepEncrypted() async throws(EftError) {
        let core = core
        try await waiting { try await core.keepEncrypted() }
    }

    /// Whether each OMEMO version goes in a stanza of its own.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public var separateVersions: Bool {
        get async throws(EftError) {
            let core = core
            return try await waiting { try await core.separateVersions() }
        }
    }

    /// Sends each OMEMO version in a stanza of its own, for contacts whose app drops a stanza with both.
    ///
    /// - Throws: `suspended`, `storeDamaged`.
    public func setSeparateVersions(_ separate: Bool) async throws(EftError) {
        let core = core
        try await waiting { try await core.setSeparateVersions(separate: separate) }
    }
}

/// The messages of a conversation, newest first.
public struct History: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = Message

    let conversation: Conversation
    let pageSize: Int

    /// Begins at the newest message.
    public func makeAsyncIterator() -> Iterator {
        Iterator(conversation: conversation, pageSize: pageSize)
    }

    /// Reads page after page.
    public struct Iterator: AsyncIteratorProtocol {
        let conversation: Conversation
        let pageSize: Int
        private var page: [Message].SubSequence = []
        private var older: String?
        private var atBeginning = false

        init(conversation: Conversation, pageSize: Int) {
            self.conversation = conversation
            self.pageSize = pageSize
        }

        /// The next older message; `nil` at the beginning of the conversation.
        ///
        /// - Throws: ``EftError`` as ``Conversation/timeline(before:limit:)``.
        public mutating func next() async throws -> Message? {
            while page.isEmpty, !atBeginning {
                let read = try await conversation.timeline(before: older, limit: pageSize)
                page = read.messages[...]
                older = read.older
                atBeginning = read.older == nil
            }
            return page.popFirst()
        }
    }
}
