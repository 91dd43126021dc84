package eft.android

import java.io.File
import java.io.IOException
import java.util.concurrent.atomic.AtomicLong

/**
 * Things to be done that outlive the process: each a file that is on the disk before [add] returns, and stays until it is
 * done. What was begun and not finished is begun again.
 */
internal class Spool(private val folder: File) {
    /** One of them, with its content. */
    class Entry(val name: String, val content: ByteArray)

    /** Keeps it. At most [LIMIT] wait: the oldest make way, as a push says no more than the next one. */
    fun add(content: ByteArray): String {
        // In the order in which they came, also when the clock stands still or two processes write.
        val name = "%019d-%09d-%s".format(System.currentTimeMillis(), COUNT.incrementAndGet(), java.util.UUID.randomUUID())
        DurableFile.write(File(folder, name), content)
        val names = names()
        names.take(maxOf(0, names.size - LIMIT)).forEach(::done)
        return name
    }

    /** What waits, the oldest first. */
    fun entries(): List<Entry> = names().mapNotNull { name -> File(folder, name).readOrNull()?.let { Entry(name, it) } }

    /** Forgets it. */
    fun done(name: String) {
        DurableFile.delete(File(folder, name))
    }

    /** How many wait. */
    val size: Int get() = names().size

    private fun names(): List<String> =
        folder.list()?.filterNot { it.endsWith(DurableFile.PART) }?.sorted()
            ?: if (folder.exists()) throw IOException("$folder cannot be listed") else emptyList()

    private companion object {
        const val LIMIT = 256
        val COUNT = AtomicLong()
    }
}
