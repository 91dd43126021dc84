#if canImport(dnssd)
import Foundation
import dnssd

/// Looks names up as the system does, so that a VPN and encrypted DNS count: SRV records by DNS-SD, addresses by the C library.
/// Without it a connection knows no SRV records, and goes to port 5222 of the domain.
public struct PlatformResolver: Resolver {
    /// How long the system is asked for records.
    private static let patience: TimeInterval = 10

    public init() {}

    public func srv(_ name: String) async throws -> [SrvRecord] {
        try await Self.aside { try SrvQuery().run(name, until: Date(timeIntervalSinceNow: Self.patience)) }
    }

    public func addresses(of host: String) async throws -> [String] {
        try await Self.aside { try Self.lookUp(host) }
    }

    /// Both ways wait for the network, which a task must not.
    private static func aside<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<T, any Error>) in
            DispatchQueue.global(qos: .userInitiated).async { done.resume(with: Result(catching: work)) }
        }
    }

    private static func lookUp(_ host: String) throws -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = SOCK_STREAM
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &found)
        guard status == 0 else { throw LookupFailed(reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(found) }
        var addresses: [String] = []
        var next = found
        while let entry = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
                addresses.append(String(cString: text))
            }
            next = entry.ai_next
        }
        return addresses
    }
}

/// The system did not answer.
struct LookupFailed: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}

/// One question to the system's resolver, and what has come of it.
private final class SrvQuery {
    private var records: [SrvRecord] = []
    private var failure: DNSServiceErrorType?
    private var isComplete = false

    func run(_ name: String, until deadline: Date) throws -> [SrvRecord] {
        var service: DNSServiceRef?
        // The answer that there are no records is an answer, too.
        let flags = DNSServiceFlags(kDNSServiceFlagsReturnIntermediates)
        let asked = DNSServiceQueryRecord(
            &service, flags, 0, name, UInt16(kDNSServiceType_SRV), UInt16(kDNSServiceClass_IN), heard,
            Unmanaged.passUnretained(self).toOpaque())
        guard asked == kDNSServiceErr_NoError, let service else { throw LookupFailed(reason: "DNS-SD: \(asked)") }
        defer { DNSServiceRefDeallocate(service) }
        while !isComplete {
            try wait(DNSServiceRefSockFD(service), until: deadline)
            let status = DNSServiceProcessResult(service)
            guard status == kDNSServiceErr_NoError else { throw LookupFailed(reason: "DNS-SD: \(status)") }
        }
        if let failure { throw LookupFailed(reason: "DNS-SD: \(failure)") }
        return records
    }

    private func wait(_ socket: Int32, until deadline: Date) throws {
        var polled = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let millis = Int32(max(0, deadline.timeIntervalSinceNow * 1000))
        guard poll(&polled, 1, millis) > 0 else { throw LookupFailed(reason: "the DNS did not answer in time") }
    }

    fileprivate func hear(_ flags: DNSServiceFlags, _ error: DNSServiceErrorType, _ type: UInt16, _ data: [UInt8]) {
        switch Int(error) {
        case kDNSServiceErr_NoError:
            // On the way to the records there can be aliases.
            guard type == UInt16(kDNSServiceType_SRV) else { return }
            if let record = SrvData.record(data) { records.append(record) }
        case kDNSServiceErr_NoSuchRecord, kDNSServiceErr_NoSuchName:
            break
        default:
            failure = error
        }
        isComplete = flags & DNSServiceFlags(kDNSServiceFlagsMoreComing) == 0
    }
}

/// Called in ``SrvQuery/run(_:until:)``, by `DNSServiceProcessResult`.
private let heard: DNSServiceQueryRecordReply = { _, flags, _, error, _, type, _, count, data, _, context in
    guard let context else { return }
    let bytes = data.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: Int(count))) } ?? []
    Unmanaged<SrvQuery>.fromOpaque(context).takeUnretainedValue().hear(flags, error, type, bytes)
}
#endif
