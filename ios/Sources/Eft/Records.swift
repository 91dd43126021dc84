// The values that go in and out of the core, as generated: an app imports Eft and has them.
@_exported import enum EftGenerated.CertificateProblem
@_exported import struct EftGenerated.Contact
@_exported import enum EftGenerated.Content
@_exported import struct EftGenerated.ConversationSummary
@_exported import enum EftGenerated.Delivery
@_exported import struct EftGenerated.Device
@_exported import enum EftGenerated.Encryption
@_exported import enum EftGenerated.Event
@_exported import enum EftGenerated.IdentityKey
@_exported import enum EftGenerated.KeyFault
@_exported import struct EftGenerated.Message
@_exported import struct EftGenerated.OptOut
@_exported import enum EftGenerated.Proxy
@_exported import struct EftGenerated.ProxyLogin
@_exported import enum EftGenerated.PushHealth
@_exported import struct EftGenerated.PushOption
@_exported import struct EftGenerated.PushTarget
@_exported import struct EftGenerated.ServerAddress
@_exported import struct EftGenerated.SessionInfo
@_exported import struct EftGenerated.SrvRecord
@_exported import struct EftGenerated.TimelinePage
@_exported import enum EftGenerated.Trust
@_exported import struct EftGenerated.WakeOutcome
@_exported import enum EftGenerated.WakeReason
@_exported import enum EftGenerated.WebSocketUse
import Foundation

extension Message: Identifiable {
    /// The text; `nil` for a message that could not be read, see ``content``.
    public var text: String? {
        if case .text(let text) = content { text } else { nil }
    }

    /// When it was sent.
    public var sentAt: Date { Date(millisecondsSince1970: sentAtMs) }
}

extension OptOut {
    /// When it came.
    public var at: Date { Date(millisecondsSince1970: atMs) }
}

extension Date {
    init(millisecondsSince1970 milliseconds: Int64) {
        self.init(timeIntervalSince1970: TimeInterval(milliseconds) / 1000)
    }
}
