package eft.android

import eft.CertificateProblem
import eft.CertificateRefused
import eft.Certificates
import kotlinx.coroutines.runBlocking
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.annotation.Config
import java.security.cert.X509Certificate
import javax.net.ssl.X509TrustManager
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

/** Stands for Android's: what it thinks depends on the domain, and it answers to who names one only. */
class DomainTrustManager(private val trusted: X509Certificate, private val domain: String) : X509TrustManager {
    override fun checkClientTrusted(chain: Array<X509Certificate>, kind: String) = error("no client here")
    override fun getAcceptedIssuers(): Array<X509Certificate> = arrayOf(trusted)
    override fun checkServerTrusted(chain: Array<X509Certificate>, kind: String) = error("the domain is needed")

    /** Found by its name, as Android does. */
    @Suppress("unused")
    fun checkServerTrusted(chain: Array<X509Certificate>, kind: String, host: String): List<X509Certificate> {
        if (host != domain) throw java.security.cert.CertificateException("not configured for $host")
        Certificates.trust(trusted).checkServerTrusted(chain, kind)
        return chain.asList()
    }
}

@RunWith(BesideCore::class)
@Config(manifest = Config.NONE, sdk = [35])
class PlatformVerifierTest {
    private val good = Certificates.of(Certificates.make("dns:chat.example.org,dns:other.example.org"))
    private val verifier = PlatformVerifier(DomainTrustManager(good, "chat.example.org"))

    private fun problem(domain: String, certificate: X509Certificate) =
        assertFailsWith<CertificateRefused> { runBlocking { verifier.verify(domain, listOf(certificate)) } }.problem

    @Test
    fun `Android's judgement is asked with the domain, and the name is looked at`() {
        runBlocking { verifier.verify("chat.example.org", listOf(good)) }
        assertEquals(CertificateProblem.OTHER, problem("other.example.org", good))
        assertEquals(CertificateProblem.UNKNOWN_ISSUER, problem("chat.example.org", Certificates.of(Certificates.make("dns:chat.example.org"))))
        val elsewhere = Certificates.of(Certificates.make("dns:elsewhere.example.org"))
        val trusting = PlatformVerifier(DomainTrustManager(elsewhere, "chat.example.org"))
        val refused = assertFailsWith<CertificateRefused> { runBlocking { trusting.verify("chat.example.org", listOf(elsewhere)) } }
        assertEquals(CertificateProblem.WRONG_NAME, refused.problem)
    }
}
