package eft

import java.security.cert.CertPathBuilderException
import java.security.cert.CertPathValidatorException
import java.security.cert.CertPathValidatorException.BasicReason
import java.security.cert.CertificateException
import java.security.cert.CertificateExpiredException
import java.security.cert.CertificateNotYetValidException
import java.security.cert.CertificateRevokedException
import java.security.cert.PKIXReason
import java.security.cert.X509Certificate
import javax.net.ssl.X509TrustManager

/** Judges certificates by a trust manager, which knows issuers and time, and by the names in them. */
public class TrustManagerVerifier internal constructor(
    private val check: (chain: Array<X509Certificate>, domain: String) -> Unit,
) : CertificateVerifier {
    public constructor(trustManager: X509TrustManager) :
        this({ chain, _ -> trustManager.checkServerTrusted(chain, KEY_EXCHANGE) })

    override suspend fun verify(domain: String, chain: List<X509Certificate>) {
        try {
            check(chain.toTypedArray(), domain)
        } catch (e: CertificateException) {
            throw CertificateRefused(problemOf(e), e.toString(), e)
        }
        if (!chain.first().isFor(domain)) throw CertificateRefused(CertificateProblem.WRONG_NAME)
    }

    internal companion object {
        /** TLS 1.3 has no key exchange of its own kind: this word is what the platforms' own TLS says there. */
        const val KEY_EXCHANGE: String = "UNKNOWN"

        fun problemOf(error: Throwable): CertificateProblem {
            // The reason lies somewhere below what a trust manager throws.
            for (cause in generateSequence(error) { it.cause }.take(16)) {
                when (cause) {
                    is CertificateExpiredException, is CertificateNotYetValidException -> return CertificateProblem.EXPIRED
                    is CertificateRevokedException -> return CertificateProblem.REVOKED
                    is CertPathBuilderException -> if (cause.cause == null) return CertificateProblem.UNKNOWN_ISSUER
                    is CertPathValidatorException -> when (cause.reason) {
                        BasicReason.EXPIRED, BasicReason.NOT_YET_VALID -> return CertificateProblem.EXPIRED
                        BasicReason.REVOKED -> return CertificateProblem.REVOKED
                        PKIXReason.NO_TRUST_ANCHOR -> return CertificateProblem.UNKNOWN_ISSUER
                        // Android's gives no reason, and names a path without a place in it.
                        BasicReason.UNSPECIFIED ->
                            if (cause.index == -1 && cause.certPath != null) return CertificateProblem.UNKNOWN_ISSUER
                    }
                }
            }
            return CertificateProblem.OTHER
        }
    }
}
