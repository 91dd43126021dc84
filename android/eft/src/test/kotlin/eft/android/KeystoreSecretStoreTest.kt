package eft.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.UserManager
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import eft.SecretStoreException
import java.io.File
import java.security.ProviderException
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(BesideCore::class)
@Config(manifest = Config.NONE, sdk = [35])
class KeystoreSecretStoreTest {
    private val context: Context = RuntimeEnvironment.getApplication()
    private val folder = File(context.noBackupFilesDir, "eft-secrets")
    private val name = "alice@example.org/../key"
    private val secret = ByteArray(48) { it.toByte() }

    @Before
    fun freshKeystore() {
        FakeKeystore.install()
        folder.deleteRecursively()
        shadowOf(context.getSystemService(UserManager::class.java)).setUserUnlocked(true)
    }

    @Test
    fun `a secret is kept, replaced and removed`() {
        val store = KeystoreSecretStore(context)
        assertNull(store.load(name))
        store.delete(name)
        store.store(name, secret)
        assertContentEquals(secret, KeystoreSecretStore(context).load(name))
        store.store(name, byteArrayOf(1))
        store.store("bob@example.org", byteArrayOf(2))
        assertContentEquals(byteArrayOf(1), store.load(name))
        store.delete(name)
        assertNull(store.load(name))
        assertContentEquals(byteArrayOf(2), store.load("bob@example.org"))
        // One key for all, and no file beside the one that is left.
        assertEquals(1, FakeKeystore.specs.size)
        assertEquals(1, folder.list()?.size)
    }

    @Test
    fun `the key is of AES-256-GCM, wants no user, and lies in StrongBox where there is one`() {
        KeystoreSecretStore(context).store(name, secret)
        val plain = FakeKeystore.specs.single()
        assertEquals(256, plain.keySize)
        assertEquals(listOf(KeyProperties.BLOCK_MODE_GCM), plain.blockModes.toList())
        assertTrue(plain.isRandomizedEncryptionRequired)
        assertEquals(false, plain.isUserAuthenticationRequired)
        assertEquals(false, plain.isUnlockedDeviceRequired)
        assertEquals(false, plain.isStrongBoxBacked)

        shadowOf(context.packageManager).setSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, true)
        try {
            FakeKeystore.install()
            FakeKeystore.hasStrongBox = true
            KeystoreSecretStore(context).store(name, secret)
            assertEquals(listOf(true), FakeKeystore.specs.map { it.isStrongBoxBacked })
            // One that is full.
            FakeKeystore.install()
            KeystoreSecretStore(context).store(name, secret)
            assertEquals(listOf(true, false), FakeKeystore.specs.map { it.isStrongBoxBacked })
            assertContentEquals(secret, KeystoreSecretStore(context).load(name))
        } finally {
            shadowOf(context.packageManager).setSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, false)
        }
    }

    @Test
    fun `before the first unlock it is locked, and touches nothing`() {
        val store = KeystoreSecretStore(context)
        store.store(name, secret)
        shadowOf(context.getSystemService(UserManager::class.java)).setUserUnlocked(false)
        assertFailsWith<SecretStoreException.Locked> { store.load(name) }
        assertFailsWith<SecretStoreException.Locked> { store.store(name, byteArrayOf(1)) }
        assertFailsWith<SecretStoreException.Locked> { store.delete(name) }
        shadowOf(context.getSystemService(UserManager::class.java)).setUserUnlocked(true)
        assertContentEquals(secret, store.load(name))
    }

    @Test
    fun `a key that is gone or another one is lost, a file that changed is corrupt, a service that fails has failed`() {
        val store = KeystoreSecretStore(context)
        store.store(name, secret)
        val file = checkNotNull(folder.listFiles()).single()
        val good = file.readBytes()

        file.writeBytes(good.copyOf(good.size - 1))
        assertFailsWith<SecretStoreException.Corrupt> { store.load(name) }
        file.writeBytes(good)

        FakeKeystore.failure = { throw KeyPermanentlyInvalidatedException() }
        assertFailsWith<SecretStoreException.Lost> { store.load(name) }
        FakeKeystore.failure = { throw ProviderException("busy") }
        assertFailsWith<SecretStoreException.Failed> { store.load(name) }
        FakeKeystore.failure = null
        assertContentEquals(secret, store.load(name))

        // What a backup does that was put back: the files are there, and the key is not, or is a new one.
        FakeKeystore.made.clear()
        assertFailsWith<SecretStoreException.Lost> { store.load(name) }
        store.store("another", byteArrayOf(1))
        assertFailsWith<SecretStoreException.Lost> { store.load(name) }
        assertContentEquals(good, file.readBytes())
    }
}
