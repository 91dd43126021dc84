package eft

import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import eft.core.CertificateProblem as CoreProblem
import eft.core.CertificateVerifier as CoreVerifier
import eft.core.VerdictReply as CoreReply

/**
 * Judges a server's certificate. `eft.android.PlatformVerifier` asks Android, [TrustManagerVerifier] any other trust manager;
 * an app may ask its user. Called in coroutines of Eft, never on the main thread; may block. Nothing is sent to the server
 * before it returns; that the server has the key of its certificate is proven before.
 */
public interface CertificateVerifier {
    /**
     * Checks name, issuer and time. To return is to say yes.
     *
     * @param domain the name that the certificate has to be for, in ASCII.
     * @param chain the server's certificates, its own first; at least one.
     * @throws CertificateRefused any other exception counts as [CertificateProblem.OTHER].
     */
    public suspend fun verify(domain: String, chain: List<X509Certificate>)
}

/** A certificate is not good: connecting ends with [EftException.CertificateRejected]. */
public class CertificateRefused(
    public val problem: CertificateProblem,
    message: String = problem.name,
    cause: Throwable? = null,
) : Exception(message, cause) {
    override fun toString(): String = message.orEmpty()
}

/** What is wrong with a certificate. */
public enum class CertificateProblem {
    /** It names other domains. */
    WRONG_NAME,

    /** Its issuer is not trusted. */
    UNKNOWN_ISSUER,

    /** It is no longer or not yet valid. The device's clock may be wrong. */
    EXPIRED,

    /** It was revoked. */
    REVOKED,

    /** Its key is none of those that were pinned. */
    NOT_PINNED,

    /** Anything else. */
    OTHER,
}

/** Shows the app's verifier to the core. */
internal class HostVerifier(private val verifier: CertificateVerifier) : CoreVerifier {
    override fun verify(domain: String, chain: List<ByteArray>, reply: CoreReply) =
        Asked.answer(reply, { refused, reason -> reply.refuse(refused.problem(reason)) }) {
            val factory = CertificateFactory.getInstance("X.509")
            val certificates = chain.map { factory.generateCertificate(it.inputStream()) as X509Certificate }
            if (certificates.isEmpty()) throw CertificateRefused(CertificateProblem.OTHER, "no certificate")
            verifier.verify(domain, certificates)
            reply.accept()
        }

    private fun Throwable.problem(reason: String): CoreProblem = when ((this as? CertificateRefused)?.problem) {
        CertificateProblem.WRONG_NAME -> CoreProblem.WrongName
        CertificateProblem.UNKNOWN_ISSUER -> CoreProblem.UnknownIssuer
        CertificateProblem.EXPIRED -> CoreProblem.Expired
        CertificateProblem.REVOKED -> CoreProblem.Revoked
        CertificateProblem.NOT_PINNED -> CoreProblem.NotPinned
        CertificateProblem.OTHER, null -> CoreProblem.Other(reason)
    }
}
