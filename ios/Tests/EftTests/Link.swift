import Foundation
import Testing

#if canImport(Glibc)
import Glibc

private let stream = Int32(SOCK_STREAM.rawValue)
#else
import Darwin

private let stream = SOCK_STREAM
#endif

/// A way to the test server that can be lost: a port on loopback whose bytes go there and back.
final class Link: @unchecked Sendable {
    let port: UInt16
    private let door: Int32
    private let serverPort: UInt16
    private let lock = NSLock()
    // Behind the lock.
    private var open: Set<Int32> = []
    private var stands = true

    init() throws {
        serverPort = try #require(UInt16(try setting("PORT")))
        let door = socket(AF_INET, stream, 0)
        try Link.check(Link.withAddress(0) { bind(door, $0, $1) })
        try Link.check(listen(door, 50))
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try Link.check(
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(door, $0, &size) }
            })
        self.door = door
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in accept() }
    }

    /// Everything that is open ends, and nothing new begins.
    func lose() {
        lock.withLock {
            stands = false
            // Whoever carries closes what is shut here.
            open.forEach { _ = shutdown($0, Int32(SHUT_RDWR)) }
        }
    }

    func restore() {
        lock.withLock { stands = true }
    }

    private func accept() {
        while true {
            let near = Link.acceptOne(door)
            if near < 0 { return }
            let far = socket(AF_INET, stream, 0)
            let isThere = Link.withAddress(serverPort) { connect(far, $0, $1) } == 0
            let carries = lock.withLock {
                guard stands && isThere else { return false }
                open.formUnion([near, far])
                return true
            }
            guard carries else {
                close(near)
                close(far)
                continue
            }
            Thread.detachNewThread { [self] in
                let back = Thread { Link.carry(far, near) }
                back.start()
                Link.carry(near, far)
                while !back.isFinished { usleep(1000) }
                lock.withLock {
                    open.subtract([near, far])
                    close(near)
                    close(far)
                }
            }
        }
    }

    private static func acceptOne(_ door: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.accept(door, nil, nil)
        #else
        Darwin.accept(door, nil, nil)
        #endif
    }

    private static func carry(_ from: Int32, _ to: Int32) {
        var bytes = [UInt8](repeating: 0, count: 16384)
        carrying: while true {
            let count = recv(from, &bytes, bytes.count, 0)
            if count <= 0 { break }
            var sent = 0
            while sent < count {
                let more = bytes[sent..<count].withUnsafeBytes { send(to, $0.baseAddress, $0.count, noSignal) }
                if more <= 0 { break carrying }
                sent += more
            }
        }
        _ = shutdown(from, Int32(SHUT_RDWR))
        _ = shutdown(to, Int32(SHUT_RDWR))
    }

    private static func withAddress(_ port: UInt16, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private static func check(_ result: Int32) throws {
        if result != 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}

/// A peer that is gone is an error of the call, and no signal.
#if canImport(Glibc)
private let noSignal = Int32(MSG_NOSIGNAL)
#else
private let noSignal: Int32 = 0
#endif
