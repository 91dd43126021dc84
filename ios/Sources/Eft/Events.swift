import EftGenerated
import Foundation

/// What happens to an account, from the moment of ``Account/events()`` on. Everything an event speaks of is on disk
/// already.
///
/// The sequence ends when its task is cancelled and when the account is shut down. The subscription is released when the
/// sequence ends, or when nobody holds it or an iterator of it any longer. A reader that falls far behind gets one
/// ``Event/reset`` in place of what it missed, and reads the timeline again.
///
/// It is for one reader. Two that iterate over the same value share its events; ask for one per reader instead.
public struct Events: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = Event

    /// Says that the queue is worth a look. One word is enough: who looks takes all there is.
    private let signals: AsyncStream<Void>
    private let queue: EventQueue

    init(until ending: Ending, limit: Int = 512, subscribe: (any CoreObserver) -> CoreSubscription) {
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let queue = EventQueue(limit: limit)
        let subscription = subscribe(Observer(queue: queue, signal: signal))
        let ticket = ending.add(signal)
        // The stream drops this closure when it has ended, and the subscription with it.
        signal.onTermination = { _ in
            ending.remove(ticket)
            withExtendedLifetime(subscription) {}
        }
        if ticket == nil { signal.finish() }
        self.signals = signals
        self.queue = queue
    }

    /// Goes on where a former iterator stopped.
    public func makeAsyncIterator() -> Iterator {
        Iterator(signals: signals.makeAsyncIterator(), queue: queue)
    }

    /// Waits for events.
    public struct Iterator: AsyncIteratorProtocol {
        var signals: AsyncStream<Void>.Iterator
        let queue: EventQueue

        /// The next event; `nil` when the account is shut down or the task cancelled.
        public mutating func next() async -> Event? {
            repeat {
                if Task.isCancelled {
                    // Ends the stream, and the subscription with it.
                    _ = await signals.next()
                    return nil
                }
                if let event = queue.pop() { return event }
            } while await signals.next() != nil
            // What came before the end is still to be told, but not to somebody who wants no more.
            return Task.isCancelled ? nil : queue.pop()
        }
    }
}

/// Held by the core for as long as the subscription lives.
private final class Observer: CoreObserver {
    private let queue: EventQueue
    private let signal: AsyncStream<Void>.Continuation

    init(queue: EventQueue, signal: AsyncStream<Void>.Continuation) {
        self.queue = queue
        self.signal = signal
    }

    // Released by the core: there are no events any more.
    deinit { signal.finish() }

    func onEvent(event: Event) {
        queue.push(event)
        signal.yield()
    }

    func onEnd() {
        signal.finish()
    }
}

/// Events on their way from the core's thread to the reader.
final class EventQueue: @unchecked Sendable {
    private let limit: Int
    // Guards `events`; Synchronization.Mutex would ask for iOS 18.
    private let lock = NSLock()
    private var events: [Event] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// Adds an event. When there are too many, `reset` replaces them all: it tells the reader to read again.
    func push(_ event: Event) {
        lock.withLock {
            if events.count >= limit { events = [.reset] } else { events.append(event) }
        }
    }

    /// Takes the oldest event.
    func pop() -> Event? {
        lock.withLock { events.isEmpty ? nil : events.removeFirst() }
    }
}

/// Ends the sequences of an account when it is shut down: the core leaves them open.
final class Ending: @unchecked Sendable {
    private let lock = NSLock()
    private var nextTicket = 0
    /// `nil` once everything has ended.
    private var signals: [Int: AsyncStream<Void>.Continuation]? = [:]

    /// Takes a sequence in, and returns what to give to ``remove(_:)``; `nil` when it is too late.
    func add(_ signal: AsyncStream<Void>.Continuation) -> Int? {
        lock.withLock {
            guard signals != nil else { return nil }
            nextTicket += 1
            signals?[nextTicket] = signal
            return nextTicket
        }
    }

    /// Forgets a sequence that has ended.
    func remove(_ ticket: Int?) {
        guard let ticket else { return }
        lock.withLock { signals?[ticket] = nil }
    }

    /// Ends every sequence, and those to come.
    func end() {
        let open = lock.withLock {
            defer { signals = nil }
            return signals
        }
        // Not under the lock: finishing calls `remove`.
        for signal in (open ?? [:]).values { signal.finish() }
    }
}
