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
@_exported import struct EftGenerated.LoadedHistory
@_exported import struct EftGenerated.Message
@_exported import struct EftGenerated.OptOut
@_exported import enum EftGenerated.Proxy
@_exported import struct EftGenerated.ProxyLogin
@_exported import enum EftGenerated.PushHealth
@_exported import enum EftGenerated.PushLeg
@_exported import enum EftGenerated.PushObstacle
@_exported import struct EftGenerated.PushOption
@_exported import struct EftGenerated.PushTarget
@_exported import enum EftGenerated.PushTest
@_exported import struct EftGenerated.Report
@_exported import enum EftGenerated.ReportArea
@_exported import struct EftGenerated.ReportFact
@_exported import struct EftGenerated.ReportProblem
@_exported import struct EftGenerated.ServerAddress
@_exported import struct EftGenerated.SessionInfo
@_exported import struct EftGenerated.SrvRecord
@_exported import struct EftGenerated.TimelineGap
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

extension Report: CustomStringConvertible {
    /// When it was made.
    public var at: Date { Date(millisecondsSince1970: atMs) }

    /// All of it, to be sent to whoever helps.
    public var description: String { text }
}

extension Date {
    init(millisecondsSince1970 milliseconds: Int64) {
        self.init(timeIntervalSince1970: TimeInterval(milliseconds) / 1000)
    }
}
