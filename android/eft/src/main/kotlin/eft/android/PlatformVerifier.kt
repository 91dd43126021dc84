package eft.android

import android.net.http.X509TrustManagerExtensions
import eft.CertificateVerifier
import eft.TrustManagerVerifier
import java.security.KeyStore
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager

/**
 * Judges certificates as Android does for the app's own connections: by the authorities that the phone trusts, and by the app's
 * network security configuration with its authorities and pins for the server's domain.
 */
public class PlatformVerifier internal constructor(trustManager: X509TrustManager) :
    CertificateVerifier by TrustManagerVerifier(judge(trustManager)) {
    public constructor() : this(systemTrustManager())

    private companion object {
        fun judge(trustManager: X509TrustManager): (Array<java.security.cert.X509Certificate>, String) -> Unit {
            // The configuration has parts for a domain, and those are looked at only by who names it.
            val extensions = X509TrustManagerExtensions(trustManager)
            return { chain, domain -> extensions.checkServerTrusted(chain, TrustManagerVerifier.KEY_EXCHANGE, domain) }
        }

        fun systemTrustManager(): X509TrustManager {
            val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
            factory.init(null as KeyStore?)
            return factory.trustManagers.filterIsInstance<X509TrustManager>().first()
        }
    }
}
