package eft.android

import java.security.GeneralSecurityException
import java.security.MessageDigest
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import eft.SecretStoreException.Corrupt
import eft.SecretStoreException.Lost

/**
 * A secret as it lies on the disk: encrypted by a key that never leaves the Keystore.
 *
 * ```text
 * "EFT" | version 1 | length of nonce | nonce | ciphertext and tag | first 16 bytes of SHA-256 of all before
 * ```
 *
 * The tag alone would not tell a damaged file from a key that is another one now, and the two ask for different things: a
 * damaged file may be there in an earlier copy, another key means that nothing encrypted with the former is readable ever
 * again. So a sum without a key comes last. The name of the secret is authenticated, too, and files cannot be exchanged.
 */
internal object WrappedSecret {
    private val MAGIC = "EFT".toByteArray(Charsets.US_ASCII)
    private const val VERSION: Byte = 1
    private const val HEADER = 5
    private const val SUM = 16
    private const val TAG_BITS = 128
    private const val NONCE = 12

    /** Encrypts; the nonce is the Keystore's choice, as it insists. */
    fun wrap(key: SecretKey, name: String, secret: ByteArray): ByteArray {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.ENCRYPT_MODE, key)
        val header = MAGIC + VERSION + cipher.iv.size.toByte()
        cipher.updateAAD(header + name.toByteArray())
        val content = header + cipher.iv + cipher.doFinal(secret)
        return content + sum(content)
    }

    /**
     * Decrypts.
     *
     * @throws Corrupt if the bytes are not what [wrap] wrote.
     * @throws Lost if they are, and the key is another one.
     */
    fun unwrap(key: SecretKey, name: String, bytes: ByteArray): ByteArray {
        if (bytes.size < HEADER + NONCE + TAG_BITS / 8 + SUM) throw Corrupt("${bytes.size} bytes are no wrapped secret")
        val content = bytes.copyOf(bytes.size - SUM)
        if (!MessageDigest.isEqual(sum(content), bytes.copyOfRange(content.size, bytes.size))) {
            throw Corrupt("a wrapped secret has another sum than when it was written")
        }
        if (!content.copyOf(MAGIC.size).contentEquals(MAGIC)) throw Corrupt("no wrapped secret")
        if (content[MAGIC.size] != VERSION) throw Corrupt("version ${content[MAGIC.size]} of a wrapped secret")
        if (content[MAGIC.size + 1].toInt() != NONCE) throw Corrupt("a nonce of ${content[MAGIC.size + 1]} bytes")
        val cipher = Cipher.getInstance(TRANSFORMATION)
        try {
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, content, HEADER, NONCE))
            cipher.updateAAD(content.copyOf(HEADER) + name.toByteArray())
            return cipher.doFinal(content, HEADER + NONCE, content.size - HEADER - NONCE)
        } catch (e: AEADBadTagException) {
            throw Lost("the Keystore's key is not the one that wrapped the secret", e)
        } catch (e: GeneralSecurityException) {
            // Some devices wrap the bad tag in an exception of their own.
            if (e.cause is AEADBadTagException) throw Lost("the Keystore's key is not the one that wrapped the secret", e)
            throw e
        }
    }

    private fun sum(content: ByteArray) = MessageDigest.getInstance("SHA-256").digest(content).copyOf(SUM)

    const val TRANSFORMATION = "AES/GCM/NoPadding"
}
