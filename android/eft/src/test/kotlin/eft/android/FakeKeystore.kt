package eft.android

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.StrongBoxUnavailableException
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGenerator
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey

/** Stands for the provider that Robolectric has not: what was asked of it is remembered, and it can be out of order. */
object FakeKeystore : Provider("AndroidKeyStore", "1", "for tests") {
    val made = HashMap<String, SecretKey>()
    val specs = mutableListOf<KeyGenParameterSpec>()
    var hasStrongBox = false
    var failure: (() -> Nothing)? = null

    init {
        put("KeyStore.AndroidKeyStore", Keys::class.java.name)
        put("KeyGenerator.AES", Generator::class.java.name)
    }

    fun install() {
        made.clear()
        specs.clear()
        hasStrongBox = false
        failure = null
        Security.removeProvider(name)
        Security.addProvider(this)
    }

    class Keys : KeyStoreSpi() {
        override fun engineGetKey(alias: String, password: CharArray?): Key? {
            failure?.invoke()
            return made[alias]
        }

        override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit
        override fun engineContainsAlias(alias: String) = alias in made
        override fun engineAliases(): Enumeration<String> = Collections.enumeration(made.keys)
        override fun engineDeleteEntry(alias: String) { made.remove(alias) }
        override fun engineSize() = made.size
        override fun engineIsKeyEntry(alias: String) = alias in made
        override fun engineIsCertificateEntry(alias: String) = false
        override fun engineGetCertificate(alias: String): Certificate? = null
        override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null
        override fun engineGetCertificateAlias(certificate: Certificate): String? = null
        override fun engineGetCreationDate(alias: String): Date? = null
        override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) = Unit
        override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) = Unit
        override fun engineSetCertificateEntry(alias: String, certificate: Certificate) = Unit
        override fun engineStore(stream: OutputStream?, password: CharArray?) = Unit
    }

    class Generator : KeyGeneratorSpi() {
        private var spec: KeyGenParameterSpec? = null

        override fun engineInit(params: AlgorithmParameterSpec, random: SecureRandom?) {
            spec = params as KeyGenParameterSpec
        }

        override fun engineInit(random: SecureRandom?) = error("without a specification")
        override fun engineInit(size: Int, random: SecureRandom?) = error("without a specification")

        override fun engineGenerateKey(): SecretKey {
            val spec = checkNotNull(spec)
            specs += spec
            if (spec.isStrongBoxBacked && !hasStrongBox) throw StrongBoxUnavailableException()
            val key = KeyGenerator.getInstance("AES", "SunJCE").apply { init(spec.keySize) }.generateKey()
            made[spec.keystoreAlias] = key
            return key
        }
    }
}
