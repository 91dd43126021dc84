package eft.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.security.KeyStore
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

/** The one AES-256 key in the Android Keystore that wraps secrets. */
internal class WrappingKey(private val alias: String, private val hasStrongBox: Boolean) {
    constructor(context: Context, alias: String) : this(
        alias,
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
            context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE),
    )

    /** The key; `null` if there is none. */
    fun find(): SecretKey? = keystore().getKey(alias, null) as SecretKey?

    /** The key, made if there is none. */
    fun findOrMake(): SecretKey = find() ?: make()

    private fun make(): SecretKey {
        if (hasStrongBox && Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            try {
                return generate { setIsStrongBoxBacked(true) }
            } catch (_: StrongBoxUnavailableException) {
                // Full, or without AES-256. The other secure hardware has both.
            }
        }
        return generate { }
    }

    private fun generate(more: KeyGenParameterSpec.Builder.() -> Unit): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(alias, purposes)
            .setKeySize(256)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setRandomizedEncryptionRequired(true)
            // Neither a fingerprint nor an unlocked screen: a push comes while the phone lies on the table.
            .setUserAuthenticationRequired(false)
            .apply(more)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).run {
            init(spec)
            generateKey()
        }
    }

    private fun keystore() = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
