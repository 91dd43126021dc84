package eft.android

import eft.SecretStoreException
import javax.crypto.KeyGenerator
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals

class WrappedSecretTest {
    private fun key() = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()

    private val key = key()
    private val secret = ByteArray(64) { it.toByte() }

    @Test
    fun `what was wrapped is unwrapped, whatever its size`() {
        for (size in listOf(0, 1, 32, 1000)) {
            val secret = ByteArray(size) { 7 }
            assertContentEquals(secret, WrappedSecret.unwrap(key, "name", WrappedSecret.wrap(key, "name", secret)))
        }
    }

    @Test
    fun `no two wrappings are alike, and none shows the secret`() {
        val first = WrappedSecret.wrap(key, "name", secret)
        val second = WrappedSecret.wrap(key, "name", secret)
        assertNotEquals(first.toList(), second.toList())
        assertFalse(secret.toList() in first.toList().windowed(secret.size))
    }

    @Test
    fun `a file that was changed anywhere is corrupt, and one under another key is lost`() {
        val wrapped = WrappedSecret.wrap(key, "name", secret)
        for (index in wrapped.indices) {
            val changed = wrapped.copyOf().also { it[index] = (it[index].toInt() xor 1).toByte() }
            assertFailsWith<SecretStoreException.Corrupt>("byte $index") { WrappedSecret.unwrap(key, "name", changed) }
        }
        for (size in listOf(0, 1, 32, wrapped.size - 1)) {
            assertFailsWith<SecretStoreException.Corrupt> { WrappedSecret.unwrap(key, "name", wrapped.copyOf(size)) }
        }
        assertFailsWith<SecretStoreException.Lost> { WrappedSecret.unwrap(key(), "name", wrapped) }
        assertFailsWith<SecretStoreException.Lost> { WrappedSecret.unwrap(key, "another name", wrapped) }
    }
}
