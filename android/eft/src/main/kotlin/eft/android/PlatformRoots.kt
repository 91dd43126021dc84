package eft.android

import java.security.KeyStore
import java.security.cert.X509Certificate
import java.util.Base64

/**
 * The certificate authorities that Android trusts, for [eft.ConnectOptions.extraRootsPem]: with them Eft trusts what the
 * phone's owner or administrator trusts, and not only the web's authorities that it brings.
 */
public object PlatformRoots {
    /**
     * As PEM.
     *
     * @param isUserIncluded whether also those count that the user or an administrator installed. Android's own apps say no;
     *   say yes where a company's server has a certificate of the company.
     */
    public fun pem(isUserIncluded: Boolean = false): String = pem(systemStore(), isUserIncluded)

    internal fun pem(store: KeyStore, isUserIncluded: Boolean): String {
        val lines = Base64.getMimeEncoder(LINE, "\n".toByteArray())
        return store.aliases().asSequence()
            .filter { isUserIncluded || it.startsWith(SYSTEM) }
            .mapNotNull { store.getCertificate(it) as? X509Certificate }
            .joinToString("") { BEGIN + lines.encodeToString(it.encoded) + END }
    }

    private fun systemStore() = KeyStore.getInstance("AndroidCAStore").apply { load(null) }

    private const val SYSTEM = "system:"
    private const val LINE = 64
    private const val BEGIN = "-----BEGIN CERTIFICATE-----\n"
    private const val END = "\n-----END CERTIFICATE-----\n"
}
