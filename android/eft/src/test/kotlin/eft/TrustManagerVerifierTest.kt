package eft

import kotlinx.coroutines.runBlocking
import java.security.cert.CertPathValidatorException
import java.security.cert.CertificateException
import java.security.cert.X509Certificate
import javax.net.ssl.X509TrustManager
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** Certificates, judged by a JVM's trust manager and by their names. */
class TrustManagerVerifierTest {
    private fun refusal(trust: X509TrustManager, domain: String, vararg chain: X509Certificate) =
        assertFailsWith<CertificateRefused> { runBlocking { TrustManagerVerifier(trust).verify(domain, chain.asList()) } }.problem

    @Test
    fun `a good certificate passes, and each fault has its name`() {
        val good = Certificates.of(Certificates.make("dns:chat.example.org"))
        runBlocking { TrustManagerVerifier(Certificates.trust(good)).verify("chat.example.org", listOf(good)) }
        assertEquals(CertificateProblem.WRONG_NAME, refusal(Certificates.trust(good), "example.org", good))
        assertEquals(CertificateProblem.UNKNOWN_ISSUER, refusal(Certificates.trust(), "chat.example.org", good))
        // Its own authority may be of any age to a JVM: the leaf of somebody else may not.
        val old = Certificates.of(Certificates.make("dns:chat.example.org", days = 1, start = "-9d"))
        val strict = object : X509TrustManager by Certificates.trust(old) {
            override fun checkServerTrusted(chain: Array<X509Certificate>, kind: String) = chain.first().checkValidity()
        }
        assertEquals(CertificateProblem.EXPIRED, refusal(strict, "chat.example.org", old))
    }

    @Test
    fun `the reason is found below what is thrown`() {
        fun problem(cause: Throwable) = TrustManagerVerifier.problemOf(CertificateException("outside", cause))
        fun path(reason: CertPathValidatorException.Reason) = CertPathValidatorException("inside", null, null, -1, reason)
        assertEquals(CertificateProblem.EXPIRED, problem(path(CertPathValidatorException.BasicReason.EXPIRED)))
        assertEquals(CertificateProblem.REVOKED, problem(path(CertPathValidatorException.BasicReason.REVOKED)))
        assertEquals(CertificateProblem.UNKNOWN_ISSUER, problem(path(java.security.cert.PKIXReason.NO_TRUST_ANCHOR)))
        assertEquals(CertificateProblem.OTHER, problem(path(CertPathValidatorException.BasicReason.INVALID_SIGNATURE)))
        assertEquals(CertificateProblem.OTHER, problem(RuntimeException()))
    }

    @Test
    fun `a name fits itself, and a star its first label only`() {
        val certificate = Certificates.of(Certificates.make("dns:chat.example.org,dns:*.wild.example.org,ip:192.0.2.1,ip:2001:db8::1"))
        for (domain in listOf(
            "chat.example.org", "CHAT.Example.org", "chat.example.org.", "a.wild.example.org", "192.0.2.1", "2001:db8::1",
            "2001:0db8:0:0::1", "[2001:db8::1]",
        )) assertTrue(certificate.isFor(domain), domain)
        for (domain in listOf(
            "", ".", "*", "example.org", "xchat.example.org", "a.chat.example.org", "wild.example.org", "a.b.wild.example.org",
            ".wild.example.org", "192.0.2.2", "2001:db8::2", "256.1", ":", "chat.example.org\u0000.evil.example",
        )) assertFalse(certificate.isFor(domain), domain)
        // The common name has no say (RFC 9525 §2).
        assertFalse(Certificates.of(Certificates.make(null)).isFor("example.org"))
        assertFalse(Certificates.of(Certificates.make("dns:*.org")).isFor("example.org"), "a star for a whole registry")
    }

    @Test
    fun `a pin is read as it is written, and rubbish is refused`() {
        val pin = KeyPin.of(Certificates.of(Certificates.make(null)))
        assertEquals(pin, KeyPin.of(pin.toString()))
        assertEquals(32, pin.sha256.size)
        for (rubbish in listOf("", "AAAA", "not base64!", "$pin=", pin.toString() + "AAAA")) {
            assertFailsWith<EftException.InvalidInput>(rubbish) { KeyPin.of(rubbish) }
        }
    }
}
