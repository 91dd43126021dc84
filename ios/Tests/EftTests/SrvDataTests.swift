import Testing

@testable import Eft

@Suite("Records of type SRV")
struct SrvDataTests {
    private let numbers: [UInt8] = [0, 5, 0, 10, 0x14, 0x66]
    private let name = [UInt8]("\u{4}xmpp\u{7}example\u{0}".utf8)

    @Test("A record is three numbers and a name")
    func record() {
        let expected = SrvRecord(priority: 5, weight: 10, port: 5222, target: "xmpp.example")
        #expect(SrvData.record(numbers + name) == expected)
        let root = SrvRecord(priority: 5, weight: 10, port: 5222, target: "")
        #expect(SrvData.record(numbers + [0]) == root, "which says that the service is not offered")
    }

    @Test("What is none is none, at whatever byte it ends")
    func rubbish() {
        let whole = numbers + name
        for end in 0..<whole.count { #expect(SrvData.record(Array(whole[..<end])) == nil, "\(end)") }
        #expect(SrvData.record(whole + [0]) == nil, "something behind it")
        #expect(SrvData.record(numbers + [0xC0, 0x0C]) == nil, "compressed")
        #expect(SrvData.record(numbers + [3, 0xFF, 0xFE, 0xFD, 0]) == nil, "not a text")
        #expect(SrvData.record(numbers + [3, 0x61, 0, 0x62, 0]) == nil, "a zero in a label")
        #expect(SrvData.record(numbers + [3, 0x61, 0x2E, 0x62, 0]) == nil, "a dot in a label")
        let label: [UInt8] = [63] + [UInt8](repeating: 0x61, count: 63)
        var long = numbers
        for _ in 0..<5 { long.append(contentsOf: label) }
        long.append(0)
        #expect(SrvData.record(long) == nil, "longer than names are")
    }
}
