package eft.android

import java.io.File
import java.io.FileNotFoundException
import java.io.FileOutputStream
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.nio.file.StandardOpenOption

/** Files that are there whole or not at all, also when the battery falls out. */
internal object DurableFile {
    /** On the disk when it returns. */
    fun write(file: File, bytes: ByteArray) {
        val folder = file.parentFile ?: throw IOException("$file lies in no folder")
        Files.createDirectories(folder.toPath())
        // Of its own for each writer: two that write one file do not write one into the other's.
        val part = File.createTempFile(file.name.take(40) + ".", PART, folder)
        try {
            FileOutputStream(part).use {
                it.write(bytes)
                it.fd.sync()
            }
            Files.move(part.toPath(), file.toPath(), StandardCopyOption.ATOMIC_MOVE)
        } finally {
            part.delete()
        }
        sync(folder)
    }

    /** Gone from the disk when it returns; what is not there is no error. */
    fun delete(file: File) {
        if (Files.deleteIfExists(file.toPath())) file.parentFile?.let(::sync)
    }

    /** A name is durable when its folder is. */
    private fun sync(folder: File) {
        FileChannel.open(folder.toPath(), StandardOpenOption.READ).use { it.force(true) }
    }

    /** Ends the names of files that are being written. */
    const val PART: String = ".part"
}

/** The bytes of a file; `null` if there is none. */
internal fun File.readOrNull(): ByteArray? = try {
    readBytes()
} catch (e: FileNotFoundException) {
    if (exists()) throw e else null
}
