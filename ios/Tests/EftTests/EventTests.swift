import Foundation
import Testing

@testable import Eft

@Suite(.timeLimit(.minutes(1))) struct EventTests {
    private static func account() async throws -> Account {
        try await Folder().open().addAccount("alice@example.org", password: "secret")
    }

    /// A subscription to an account, and the observer that the core holds for it.
    private final class Watched {
        var events: Events?
        weak var observer: AnyObject?

        init(_ account: Account) {
            events = Events(until: account.ending) {
                observer = $0
                return account.core.subscribe(observer: $0)
            }
        }
    }

    @Test("Whoever lets go of the sequence is unsubscribed, and the core lets go of the observer")
    func letGo() async throws {
        let account = try await Self.account()
        let watched = Watched(account)
        #expect(watched.observer != nil)
        watched.events = nil
        #expect(try await eventually { watched.observer == nil })
    }

    @Test("A sequence that somebody holds stays subscribed, between iterators too")
    func held() async throws {
        let account = try await Self.account()
        let watched = Watched(account)
        var iterator = watched.events?.makeAsyncIterator()
        iterator = nil
        iterator = watched.events?.makeAsyncIterator()
        watched.events = nil
        try await Task.sleep(nanoseconds: 200_000_000)
        #expect(watched.observer != nil)
        await account.disconnect()
        withExtendedLifetime(iterator) {}
    }

    @Test("Cancelling the task that reads ends the sequence and the subscription")
    func cancelled() async throws {
        let account = try await Self.account()
        let watched = Watched(account)
        let events = try #require(watched.events)
        let reading = Task {
            var count = 0
            for await _ in events { count += 1 }
            return count
        }
        try await Task.sleep(nanoseconds: 100_000_000)
        reading.cancel()
        #expect(await reading.value == 0)
        #expect(try await eventually { watched.observer == nil })
        #expect(watched.events != nil)
    }

    @Test("Shutting the account down ends every sequence")
    func shutDown() async throws {
        let account = try await Self.account()
        let watched = Watched(account)
        let events = try #require(watched.events)
        await withTaskGroup(of: Void.self) { group in
            for events in [events, account.events()] { group.addTask { for await _ in events {} } }
            await account.shutDown()
        }
        #expect(try await eventually { watched.observer == nil })
    }

    @Test("A slow reader gets one reset in place of what it missed")
    func slow() {
        let queue = EventQueue(limit: 3)
        for _ in 1...3 { queue.push(.connecting) }
        queue.push(.online)
        queue.push(.disconnected)
        #expect(queue.pop() == .reset)
        #expect(queue.pop() == .disconnected)
        #expect(queue.pop() == nil)
    }
}
