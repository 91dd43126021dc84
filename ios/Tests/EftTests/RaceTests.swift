import Foundation
import Testing

@testable import Eft

/// Objects that are made, used, given up and destroyed by many tasks at once: no crash, no hang, nothing left.
@Suite struct RaceTests {
    private static let calls = 100

    @Test("Making, calling, cancelling and letting go at once ends well and leaves nothing")
    func races() async throws {
        var slice = Slice("f2-swift", short: 600)
        while let seed = slice.seed() {
            slice.good(try await round(seed))
        }
        print(slice.summary)
    }

    private func round(_ seed: UInt64) async throws -> Int {
        let folder = try Folder()
        let account = try await folder.open().addAccount("alice@example.org", password: "secret")
        let observers = Observers()
        var numbers = Numbers(seed: seed)
        let closing = Int(numbers.next() % UInt64(Self.calls))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<Self.calls {
                let kind = numbers.next() % 10
                let isGivenUp = numbers.next() % 3 == 0
                group.addTask {
                    let call = Task { await Self.call(account, kind, number, observers) }
                    if isGivenUp {
                        await Task.yield()
                        call.cancel()
                    }
                    await call.value
                }
                if number == closing { group.addTask { await account.shutDown() } }
            }
            await group.waitForAll()
        }
        await account.shutDown()
        #expect(try await eventually { observers.livingCount == 0 }, "seed \(seed): the core holds observers or resolvers of a closed account")
        try FileManager.default.removeItem(at: folder.url)
        return Self.calls
    }

    private static func call(_ account: Account, _ kind: UInt64, _ number: Int, _ observers: Observers) async {
        let conversation = try? account.conversation(with: "bob@example.org")
        switch kind {
        case 0: _ = try? await conversation?.send("number \(number)")
        case 1: _ = try? await conversation?.timeline()
        case 2: _ = watched(account, observers)
        case 3: for await _ in watched(account, observers) { break }
        case 4: _ = try? await account.devices(of: account.jid)
        case 5: _ = try? await account.resetSessions()
        case 6: _ = try? await account.contacts
        case 7: _ = try? await account.verify(String(repeating: "0", count: 63) + "1", of: "bob@example.org")
        case 8:
            let names = NoNames(number: number)
            observers.add(names)
            let network = try? Network(resolver: names)
            #expect(network != nil)
            _ = try? await account.connect(ConnectOptions(network: network))
        default:
            let nowhere = ServerAddress(host: "127.0.0.1", port: 1, directTls: false)
            _ = try? await account.connect(ConnectOptions(server: nowhere))
        }
    }

    /// A subscription whose observer is counted for as long as somebody holds it.
    private static func watched(_ account: Account, _ observers: Observers) -> Events {
        Events(until: account.ending) {
            observers.add($0 as AnyObject)
            return account.core.subscribe(observer: $0)
        }
    }
}

/// Finds nothing: late, at once, or with an error.
private final class NoNames: Resolver {
    private struct NoDNS: Error {}
    private let number: Int
    init(number: Int) { self.number = number }

    func srv(_ name: String) async throws -> [SrvRecord] {
        if number % 2 == 0 { throw NoDNS() }
        return []
    }

    func addresses(of host: String) async throws -> [String] {
        if number % 3 == 0 { try await Task.sleep(nanoseconds: 1_000_000) }
        return []
    }
}

private final class Observers: @unchecked Sendable {
    private struct Weak { weak var object: AnyObject? }
    private let lock = NSLock()
    private var all: [Weak] = []

    func add(_ object: AnyObject) {
        lock.withLock { all.append(Weak(object: object)) }
    }

    var livingCount: Int { lock.withLock { all.count { $0.object != nil } } }
}

/// SplitMix64: the same numbers for the same seed.
private struct Numbers {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A slice of a campaign that is too long for one run of the tests, as in tests/support/soak.rs: the environment names the
/// campaign, the time and the first seed, and a line says what was done.
private struct Slice {
    private let name: String
    private let short: Int
    private let isLong: Bool
    private let first: UInt64
    private let end: Date
    private var nextSeed: UInt64
    private var count = 0

    init(_ name: String, short: Int) {
        func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) }
        self.name = name
        self.short = short
        isLong = ProcessInfo.processInfo.environment["EFT_SOAK"] == name
        first = isLong ? number("EFT_SOAK_SEED") ?? 1 : 1
        end = Date().addingTimeInterval(60 * TimeInterval(number("EFT_SOAK_MINUTES") ?? 25))
        nextSeed = first
    }

    /// The next seed; `nil` at the end.
    mutating func seed() -> UInt64? {
        guard isLong ? Date() < end : count < short else { return nil }
        defer { nextSeed += 1 }
        return nextSeed
    }

    mutating func good(_ done: Int) { count += done }

    var summary: String { "soak \(name) seeds=\(first)..\(nextSeed) count=\(count) violations=0" }
}
