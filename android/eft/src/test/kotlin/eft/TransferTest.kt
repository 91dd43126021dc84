package eft

import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue

/** The history goes from device to device, an account whose database cannot be used goes on, a password is changed. */
class TransferTest {
    private val jid = Jid.of("alice@example.org")
    private val bob = Jid.of("bob@example.org")

    @Test
    fun `what was written is there after an import, and the identity only if it moves`() = story(90) {
        val old = offlineAccount()
        old.conversation(bob).send("From the old phone")
        val folder = newFolder()
        for (identity in IdentityKey.entries) {
            val file = File(folder, "$identity.eft")
            assertEquals(1, old.export(file, "correct horse", identity))
            val new = Eft.open(newFolder(), MemorySecrets()).importAccount(jid, "secret", file, "correct horse")
            assertEquals(listOf("From the old phone"), new.conversation(bob).page().messages.map { it.text })
            assertNotEquals(old.deviceId, new.deviceId)
            assertEquals(identity == IdentityKey.MOVES, old.fingerprint == new.fingerprint)
            new.shutDown()
        }
        old.shutDown()
        assertFailsWith<EftException.Suspended> { old.export(File(folder, "late"), "correct horse") }
    }

    @Test
    fun `a file or passphrase that is not right is refused, and the account can be added all the same`() = story(120) {
        val old = offlineAccount()
        val file = File(newFolder(), "history")
        for ((path, passphrase) in listOf(
            file to "", File(file, "below") to "correct horse", File("") to "correct horse", file to "half \uD83D",
            File("a\u0000b") to "correct horse",
        )) assertFailsWith<EftException.InvalidInput>("$path") { old.export(path, passphrase) }
        old.export(file, "correct horse")
        old.shutDown()

        val eft = Eft.open(newFolder(), MemorySecrets())
        val damaged = File(newFolder(), "damaged").apply { writeBytes(file.readBytes().also { it[it.size - 1]++ }) }
        val short = File(newFolder(), "short").apply { writeBytes(file.readBytes().copyOf(file.length().toInt() / 2)) }
        val empty = File(newFolder(), "empty").apply { writeText("") }
        for ((path, passphrase) in listOf(
            file to "wrong", file to "", damaged to "correct horse", short to "correct horse", empty to "correct horse",
            newFolder() to "correct horse", File("/none") to "correct horse",
        )) {
            assertFailsWith<EftException.InvalidInput>("$path") { eft.importAccount(jid, "secret", path, passphrase) }
        }
        assertFailsWith<EftException.InvalidInput> { eft.importAccount(bob, "secret", file, "correct horse") }
        eft.importAccount(jid, "secret", file, "correct horse").shutDown()
        assertFailsWith<EftException.InvalidInput> { eft.importAccount(jid, "secret", file, "correct horse") }
    }

    @Test
    fun `an account whose key is lost is rebuilt when the user says so, and talks on as a new device`() = story(120) {
        val folder = newFolder()
        val alice = Jid.of(setting("ALICE"))
        val secrets = MemorySecrets()
        val first = Eft.open(folder, secrets).addAccount(alice, setting("ALICE_PASSWORD"))
        first.connect(serverOptions())
        first.shutDown()

        // While the key may come back, nothing is rebuilt.
        val locked = object : SecretStore by secrets {
            override fun load(name: String): ByteArray? = throw SecretStoreException.Locked("no unlock yet")
        }
        val early = assertFailsWith<EftException.KeyUnavailable> {
            Eft.open(folder, locked).rebuildAccount(alice, setting("ALICE_PASSWORD"))
        }
        assertEquals(KeyFault.LOCKED, early.fault)
        Eft.open(folder, secrets).account(alice).shutDown()

        val eft = Eft.open(folder, MemorySecrets())
        assertEquals(KeyFault.LOST, assertFailsWith<EftException.KeyUnavailable> { eft.account(alice) }.fault)
        val rebuilt = eft.rebuildAccount(alice, setting("ALICE_PASSWORD"))
        assertEquals(0, rebuilt.messageCount)
        assertEquals(1, rebuilt.gapCount)
        assertTrue(rebuilt.setAside.exists(), "${rebuilt.setAside}")
        assertNotEquals(first.deviceId, rebuilt.account.deviceId)
        assertNotEquals(first.fingerprint, rebuilt.account.fingerprint)

        val bobs = Person.login("BOB")
        rebuilt.account.connect(serverOptions())
        rebuilt.account.conversation(bobs.jid).send("It is me")
        assertEquals("It is me", bobs.nextText().text)
        bobs.leave()
        rebuilt.account.shutDown()
        assertFailsWith<EftException.InvalidInput> { eft.rebuildAccount(Jid.of("nobody@example.org"), "secret") }
    }

    @Test
    fun `a password that was changed elsewhere is given to the account`() = story(90) {
        val alice = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), "of last year")
        assertFailsWith<EftException.AuthRejected> { alice.connect(serverOptions()) }
        assertFailsWith<EftException.InvalidInput> { alice.setPassword("half \uD83D") }
        alice.setPassword(setting("ALICE_PASSWORD"))
        alice.connect(serverOptions())
        alice.shutDown()
        assertFailsWith<EftException.Suspended> { alice.setPassword("too late") }
    }
}
