import EftGenerated

/// What Security's codes for certificates mean. They are numbers here, so that this is tested where there is no Security.
enum TrustStatus {
    /// `errSecHostNameMismatch`
    static let wrongName = -67602
    /// `errSecCertificateExpired`
    static let expired = -67818
    /// `errSecCertificateNotValidYet`
    static let notYetValid = -67819
    /// `errSecCertificateRevoked`
    static let revoked = -67820
    /// `errSecNotTrusted`
    static let notTrusted = -67843
    /// `errSecCreateChainFailed`
    static let noChain = -25318

    static func problem(_ code: Int, _ reason: String) -> CertificateProblem {
        switch code {
        case wrongName: .wrongName
        case expired, notYetValid: .expired
        case revoked: .revoked
        case notTrusted, noChain: .unknownIssuer
        default: .other(reason: "\(reason) (\(code))")
        }
    }
}
