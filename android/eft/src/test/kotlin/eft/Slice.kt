package eft

/**
 * A slice of a campaign that is too long for one run of the tests, as in tests/support/soak.rs: the environment names the
 * campaign, the time and the first seed, and a line says what was done.
 */
class Slice(private val name: String, private val short: Int) {
    private val isLong = System.getenv("EFT_SOAK") == name
    private val first = if (isLong) System.getenv("EFT_SOAK_SEED")?.toLong() ?: 1 else 1
    private val end = System.nanoTime() + 60_000_000_000L * (System.getenv("EFT_SOAK_MINUTES")?.toLong() ?: 25)
    private var next = first
    private var count = 0L

    /** The next seed; `null` at the end. */
    fun seed(): Long? = if (if (isLong) System.nanoTime() < end else count < short) next++ else null

    fun good(done: Int) {
        count += done
    }

    fun end() {
        println("soak $name seeds=$first..$next count=$count violations=0")
    }
}
