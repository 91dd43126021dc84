package eft

import java.time.Instant
import eft.core.Report as CoreReport
import eft.core.ReportArea as CoreArea

/**
 * What one can tell about an account without telling on its user: [Account.report]. It holds no password, no token, no key, no
 * content of a message, no contact's address, and of the own address the first letters.
 *
 * @property account the own address, shortened.
 * @property problems what is wrong, in the order in which it is best mended.
 * @property facts everything that is known, by area.
 * @property text all of it, to be sent to whoever helps.
 */
public data class Report(
    val at: Instant,
    val account: String,
    val problems: List<Problem>,
    val facts: List<Fact>,
    val text: String,
) {
    /**
     * Something that is wrong.
     *
     * @property code the same in every release and language, for an app that says it in its own words.
     * @property text what is wrong and what helps, in English.
     */
    public data class Problem(val area: Area, val code: String, val text: String)

    /** Something that is known: [name] is the same in every report, [value] is for people. */
    public data class Fact(val area: Area, val name: String, val value: String)

    /** What a part of a report is about. */
    public enum class Area { CONNECTION, LOGIN, SERVER, ENCRYPTION, PUSH, MESSAGES, DATABASE, OTHER }
}

internal fun CoreReport.mapped() = Report(
    at = Instant.ofEpochMilli(atMs),
    account = account,
    problems = problems.map { Report.Problem(it.area.mapped(), it.code, it.text) },
    facts = facts.map { Report.Fact(it.area.mapped(), it.name, it.value) },
    text = text,
)

private fun CoreArea.mapped() = when (this) {
    CoreArea.CONNECTION -> Report.Area.CONNECTION
    CoreArea.LOGIN -> Report.Area.LOGIN
    CoreArea.SERVER -> Report.Area.SERVER
    CoreArea.ENCRYPTION -> Report.Area.ENCRYPTION
    CoreArea.PUSH -> Report.Area.PUSH
    CoreArea.MESSAGES -> Report.Area.MESSAGES
    CoreArea.DATABASE -> Report.Area.DATABASE
    CoreArea.OTHER -> Report.Area.OTHER
}
