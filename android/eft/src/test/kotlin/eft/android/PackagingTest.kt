package eft.android

import java.io.File
import java.security.KeyStore
import java.security.cert.CertificateFactory
import javax.xml.parsers.DocumentBuilderFactory
import eft.setting
import org.w3c.dom.Element
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** What ships beside the classes names classes and files; nobody compiles that. */
class PackagingTest {
    private fun xml(path: String) = DocumentBuilderFactory.newInstance().apply { isNamespaceAware = true }
        .newDocumentBuilder().parse(File(path)).documentElement

    private fun Element.all(name: String) =
        getElementsByTagName(name).let { list -> List(list.length) { list.item(it) as Element } }

    @Test
    fun `every class that the manifest and the R8 rules name is there`() {
        val manifest = xml("src/main/AndroidManifest.xml")
        val named = listOf("service", "receiver").flatMap { manifest.all(it) }
            .map { it.getAttributeNS("http://schemas.android.com/apk/res/android", "name") }
        val kept = Regex("""^-keep class (eft\.android\.\w+)""", RegexOption.MULTILINE)
            .findAll(File("consumer-rules.pro").readText()).map { it.groupValues[1] }.toList()
        assertEquals(4, named.size)
        assertEquals(named.toSet(), kept.toSet())
        for (name in named + "eft.core.Eft" + "com.sun.jna.Structure") {
            assertNotNull(Class.forName(name, false, javaClass.classLoader), name)
        }
    }

    @Test
    fun `no backup takes what Eft keeps, by either kind of rules`() {
        val paths = setOf("eft", "eft-secrets", "eft-push.xml")
        val old = xml("src/main/res/xml/eft_backup_rules.xml")
        assertEquals(paths, old.all("exclude").map { it.getAttribute("path") }.toSet())
        val new = xml("src/main/res/xml/eft_data_extraction_rules.xml")
        for (section in listOf("cloud-backup", "device-transfer")) {
            assertEquals(paths, new.all(section).single().all("exclude").map { it.getAttribute("path") }.toSet())
        }
    }

    @Test
    fun `the facade knows nothing of Android, and no file of ours knows AndroidX`() {
        for (file in File("src/main/kotlin").walk().filter { it.extension == "kt" }) {
            val imports = file.readLines().filter { it.startsWith("import ") }
            if (file.parentFile.name == "eft") {
                assertTrue(imports.none { it.startsWith("import android") || it.startsWith("import eft.android") }, file.path)
            }
            assertTrue(imports.none { it.startsWith("import androidx") || it.startsWith("import com.google") }, file.path)
        }
    }

    @Test
    fun `roots are written as PEM, the user's own only when asked for`() {
        val certificate = File(setting("CA")).inputStream().use { CertificateFactory.getInstance("X.509").generateCertificate(it) }
        val store = KeyStore.getInstance("PKCS12").apply {
            load(null, null)
            setCertificateEntry("system:1", certificate)
            setCertificateEntry("user:1", certificate)
        }
        val system = PlatformRoots.pem(store, isUserIncluded = false)
        assertEquals(1, Regex("BEGIN CERTIFICATE").findAll(system).count())
        assertEquals(2, Regex("BEGIN CERTIFICATE").findAll(PlatformRoots.pem(store, isUserIncluded = true)).count())
        assertEquals(certificate, CertificateFactory.getInstance("X.509").generateCertificate(system.byteInputStream()))
    }
}
