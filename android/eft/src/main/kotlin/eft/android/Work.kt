package eft.android

import eft.EftException
import eft.Jid
import eft.MessageId
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.IOException

/** What waits in the [Spool]. */
internal sealed interface Work {
    /** A push came. Without an account it may be for any of them. */
    data class Push(val account: Jid?) : Work

    /** The user answered from a notification. */
    data class Reply(val account: Jid, val peer: Jid, val readUpTo: MessageId?, val text: String) : Work {
        /** Without the text: it may end in a log. */
        override fun toString(): String = "Reply(account=$account, peer=$peer)"
    }

    /** The user has read what a notification showed. */
    data class MarkRead(val account: Jid, val peer: Jid, val upTo: MessageId) : Work

    fun encoded(): ByteArray {
        val bytes = ByteArrayOutputStream()
        DataOutputStream(bytes).apply {
            writeByte(VERSION)
            when (val work = this@Work) {
                is Push -> {
                    writeByte(PUSH)
                    writeText(work.account?.toString().orEmpty())
                }
                is Reply -> {
                    writeByte(REPLY)
                    writeText(work.account.toString())
                    writeText(work.peer.toString())
                    writeLong(work.readUpTo?.row ?: NONE)
                    writeText(work.text)
                }
                is MarkRead -> {
                    writeByte(MARK_READ)
                    writeText(work.account.toString())
                    writeText(work.peer.toString())
                    writeLong(work.upTo.row)
                }
            }
        }
        return bytes.toByteArray()
    }

    companion object {
        private const val VERSION = 1
        private const val PUSH = 1
        private const val REPLY = 2
        private const val MARK_READ = 3

        /** No message's row. */
        private const val NONE = -1L

        /** Reads what [encoded] wrote; `null` for anything else. */
        fun decoded(bytes: ByteArray): Work? = try {
            val input = DataInputStream(ByteArrayInputStream(bytes))
            if (input.readUnsignedByte() != VERSION) null else when (input.readUnsignedByte()) {
                PUSH -> Push(input.readText().ifEmpty { null }?.let(Jid::of))
                REPLY -> Reply(
                    Jid.of(input.readText()),
                    Jid.of(input.readText()),
                    input.readLong().takeIf { it != NONE }?.let(::MessageId),
                    input.readText(),
                )
                MARK_READ -> MarkRead(Jid.of(input.readText()), Jid.of(input.readText()), MessageId(input.readLong()))
                else -> null
            }
        } catch (_: IOException) {
            null
        } catch (_: EftException.InvalidInput) {
            null
        }

        // Not writeUTF: it ends at 64 KiB, and a reply may be longer.
        private fun DataOutputStream.writeText(text: String) {
            val bytes = text.toByteArray()
            writeInt(bytes.size)
            write(bytes)
        }

        private fun DataInputStream.readText(): String {
            val size = readInt()
            if (size < 0 || size > available()) throw IOException("a text of $size bytes")
            return String(ByteArray(size).also(::readFully))
        }
    }
}
