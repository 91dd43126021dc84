package eft

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** What a report says, to people and to programs, and what it keeps to itself. */
class ReportTest {
    private fun Report.fact(area: Report.Area, name: String) = facts.single { it.area == area && it.name == name }.value

    @Test
    fun `a report says what is known with a connection, without one and after the end, and names nobody`() = story(90) {
        val account = Eft.open(newFolder(), MemorySecrets()).addAccount(Jid.of(setting("ALICE")), setting("ALICE_PASSWORD"))
        assertFailsWith<EftException.Offline> { account.connect(ConnectOptions(ServerAddress("127.0.0.1", 1))) }
        val offline = account.report()
        assertEquals("not-connected", offline.problems.first().code)
        assertEquals(Report.Area.CONNECTION, offline.problems.first().area)
        assertTrue(offline.fact(Report.Area.CONNECTION, "state").startsWith("offline"))

        account.connect(serverOptions())
        val online = account.report()
        assertEquals("online", online.fact(Report.Area.CONNECTION, "state"))
        assertTrue(online.fact(Report.Area.SERVER, "software, by its own word").startsWith("Prosody"))
        assertEquals(listOf("push-not-registered"), online.problems.map { it.code })
        for (problem in online.problems) assertTrue(problem.text in online.text)

        account.suspend()
        assertEquals("suspended", account.report().fact(Report.Area.CONNECTION, "state"))
        account.shutDown()
        val closed = account.report()
        assertEquals("closed", closed.fact(Report.Area.CONNECTION, "state"))
        for (report in listOf(offline, online, closed)) {
            assertEquals("a…@e….test", report.account)
            for (secret in listOf("alice", "eft.test", setting("ALICE_PASSWORD"), "127.0.0.1", "${account.fingerprint}")) {
                assertFalse(secret in "$report", "$secret in $report")
            }
        }
        account.close()
    }
}
