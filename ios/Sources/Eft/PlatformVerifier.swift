#if canImport(Security)
import Foundation
import Security

/// Judges certificates as the system does for any connection of the app's: by the authorities that the device trusts, those of
/// its administrator included.
public struct PlatformVerifier: CertificateVerifier {
    public init() {}

    public func verify(_ chain: [Data], for domain: String) async throws {
        // It may ask the network about revocation, which a task must not wait for.
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global(qos: .userInitiated).async {
                done.resume(with: Result { try Self.judge(chain, domain) })
            }
        }
    }

    private static func judge(_ chain: [Data], _ domain: String) throws {
        let certificates = chain.compactMap { SecCertificateCreateWithData(nil, $0 as CFData) }
        guard certificates.count == chain.count, !certificates.isEmpty else {
            throw CertificateRefused(.other(reason: "not a certificate"))
        }
        var trust: SecTrust?
        let policy = SecPolicyCreateSSL(true, domain as CFString)
        let status = SecTrustCreateWithCertificates(certificates as CFArray, policy, &trust)
        guard let trust else { throw CertificateRefused(TrustStatus.problem(Int(status), "no trust")) }
        var error: CFError?
        if SecTrustEvaluateWithError(trust, &error) { return }
        guard let error else { throw CertificateRefused(.other(reason: "no reason was given")) }
        throw CertificateRefused(TrustStatus.problem(CFErrorGetCode(error), CFErrorCopyDescription(error) as String))
    }
}
#endif
