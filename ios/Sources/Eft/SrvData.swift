import Foundation

/// What stands in a record of type SRV (RFC 2782): three numbers and a name in labels, not compressed.
enum SrvData {
    /// Longest name of the DNS in bytes (RFC 1035 §2.3.4).
    static let longestName = 255

    /// `nil` for what is no such record.
    static func record(_ data: [UInt8]) -> SrvRecord? {
        guard data.count > 6, data.count <= 6 + longestName, let target = name(data[6...]) else { return nil }
        let number = { (at: Int) in UInt16(data[at]) << 8 | UInt16(data[at + 1]) }
        return SrvRecord(priority: number(0), weight: number(2), port: number(4), target: target)
    }

    /// Labels with their lengths before them, up to an empty one, with which the data ends.
    private static func name(_ data: ArraySlice<UInt8>) -> String? {
        var labels: [String] = []
        var rest = data
        while let length = rest.popFirst() {
            if length == 0 { return rest.isEmpty ? labels.joined(separator: ".") : nil }
            guard length < 64, Int(length) <= rest.count,
                let label = String(bytes: rest.prefix(Int(length)), encoding: .utf8),
                !label.utf8.contains(0), !label.contains(".")
            else { return nil }
            labels.append(label)
            rest = rest.dropFirst(Int(length))
        }
        return nil
    }
}
