package eft

import eft.core.textMaxBytes
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import eft.core.Account as CoreAccount

/** What a call into the core costs before it does anything; tests/bench/ffi.sh runs it on the library that ships. */
class CallCost {
    @Test
    fun `nanoseconds of a function and of a method`() = story(240) {
        val core = eft.core.Eft.open(newFolder().path, HostSecretStore(MemorySecrets()))
        val account: CoreAccount = core.addAccount("alice@example.org", "secret")
        val expected = textMaxBytes()
        val function = median { check(textMaxBytes() == expected) }
        val device = account.deviceId()
        val method = median { check(account.deviceId() == device) }
        assertEquals(expected, textMaxBytes())
        // Less is not possible by way of JNA: then nothing was called.
        assertTrue(function > 10 && method > 10, "$function $method")
        account.shutDown()
        System.getenv("EFT_BENCH")?.let { File(it).writeText("$function $method\n") }
    }

    /** Of many rounds, after those that the compiler takes to settle. */
    private inline fun median(call: () -> Unit): Double {
        val rounds = DoubleArray(WARM + MEASURED) {
            val begin = System.nanoTime()
            repeat(CALLS) { call() }
            (System.nanoTime() - begin).toDouble() / CALLS
        }
        return rounds.drop(WARM).sorted()[MEASURED / 2]
    }

    private companion object {
        const val CALLS = 10_000
        const val WARM = 40
        const val MEASURED = 61
    }
}
