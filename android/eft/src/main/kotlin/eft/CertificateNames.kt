package eft

import java.security.cert.CertificateParsingException
import java.security.cert.X509Certificate

private const val DNS_NAME = 2
private const val IP_ADDRESS = 7

/**
 * Whether a certificate is for a domain in ASCII, or for an address where a server has no name: by its alternative names alone
 * (RFC 9525 §6), and `*` for a whole first label only. The names that XMPP once had of its own are not looked at.
 */
internal fun X509Certificate.isFor(domain: String): Boolean {
    val names = try {
        subjectAlternativeNames.orEmpty()
    } catch (_: CertificateParsingException) {
        return false
    }
    val (kind, wanted) = if (isAddress(domain)) IP_ADDRESS to domain.trim('[', ']') else DNS_NAME to domain.trimEnd('.')
    return names.any { (found, name) -> found == kind && name is String && isSame(kind, name, wanted) }
}

private fun isSame(kind: Int, name: String, wanted: String): Boolean {
    if (kind == IP_ADDRESS) return bytesOf(name).contentEquals(bytesOf(wanted))
    if (name.equals(wanted, ignoreCase = true)) return wanted.isNotEmpty()
    val (_, parent) = wanted.split('.', limit = 2).takeIf { it.size == 2 && it[0].isNotEmpty() } ?: return false
    return '.' in parent && name.equals("*.$parent", ignoreCase = true)
}

private fun isAddress(text: String) = ':' in text || text.all { it.isDigit() || it == '.' }

/** Of an address as text: no name is ever looked up. */
private fun bytesOf(address: String): ByteArray? =
    if (isAddress(address)) runCatching { java.net.InetAddress.getByName(address).address }.getOrNull() else null
