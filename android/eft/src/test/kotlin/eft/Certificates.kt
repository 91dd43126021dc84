package eft

import java.io.File
import java.security.KeyStore
import java.security.cert.X509Certificate
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager

/** Keys with certificates that nobody else has signed, made by the JDK's own tool. */
object Certificates {
    const val ALIAS = "key"
    val PASSWORD = "changeit".toCharArray()

    /**
     * @param names alternative names as keytool has them: `dns:example.org,ip:127.0.0.1`.
     * @param days how long it is valid, from [start] on.
     */
    fun make(names: String?, days: Int = 2, start: String = "+0d"): KeyStore {
        val file = File(newFolder(), "keys.p12")
        val keytool = File(System.getProperty("java.home"), "bin/keytool").path
        val made = ProcessBuilder(
            listOf(
                keytool, "-genkeypair", "-alias", ALIAS, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "$days",
                "-startdate", start, "-dname", "CN=example.org", "-storetype", "PKCS12", "-storepass", String(PASSWORD),
                "-keystore", file.path,
            ) + names?.let { listOf("-ext", "san=$it") }.orEmpty(),
        ).redirectErrorStream(true).start()
        val said = made.inputStream.bufferedReader().readText()
        check(made.waitFor() == 0) { said }
        return KeyStore.getInstance("PKCS12").apply { file.inputStream().use { load(it, PASSWORD) } }
    }

    fun of(keys: KeyStore) = keys.getCertificate(ALIAS) as X509Certificate

    /** Trusts these and no others; without any, what the JDK trusts. */
    fun trust(vararg authorities: X509Certificate): X509TrustManager {
        val store = KeyStore.getInstance(KeyStore.getDefaultType()).apply { load(null) }
        authorities.forEachIndexed { number, authority -> store.setCertificateEntry("$number", authority) }
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
        factory.init(store.takeIf { authorities.isNotEmpty() })
        return factory.trustManagers.filterIsInstance<X509TrustManager>().first()
    }
}
