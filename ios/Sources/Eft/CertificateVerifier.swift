import EftGenerated
import Foundation

/// Judges a server's certificate; on Apple's platforms `PlatformVerifier` asks the system, and an app may ask its user. Called
/// in tasks of Eft, which must not be blocked. Nothing is sent to the server before it returns; that the server has the key
/// of its certificate is proven before.
public protocol CertificateVerifier: Sendable {
    /// Checks name, issuer and time. To return is to say yes.
    ///
    /// - Parameters:
    ///   - chain: The server's certificates in DER, its own first.
    ///   - domain: The name that the certificate has to be for, in ASCII.
    /// - Throws: ``CertificateRefused``. Any other error counts as one with an `other` problem.
    func verify(_ chain: [Data], for domain: String) async throws
}

/// A certificate is not good: connecting ends with `certificateRejected`.
public struct CertificateRefused: Error, Hashable {
    /// What is wrong with it.
    public let problem: CertificateProblem

    public init(_ problem: CertificateProblem) {
        self.problem = problem
    }
}

/// Shows the app's verifier to the core.
final class HostVerifier: CoreCertificateVerifier {
    private let verifier: any CertificateVerifier

    init(_ verifier: any CertificateVerifier) {
        self.verifier = verifier
    }

    func verify(domain: String, chain: [Data], reply: VerdictReply) {
        let verifier = verifier
        Task {
            do {
                try await verifier.verify(chain, for: domain)
                reply.accept()
            } catch let refused as CertificateRefused {
                reply.refuse(problem: refused.problem)
            } catch {
                reply.refuse(problem: .other(reason: String(describing: error)))
            }
        }
    }
}
