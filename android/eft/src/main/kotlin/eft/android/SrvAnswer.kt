package eft.android

import eft.SrvRecord
import java.io.IOException
import java.nio.BufferUnderflowException
import java.nio.ByteBuffer

/** Reads SRV records (RFC 2782) out of an answer of the DNS (RFC 1035 §4). */
internal object SrvAnswer {
    private const val FLAGS = 2
    private const val SRV = 33
    private const val CLASS_IN = 1
    private const val NO_SUCH_NAME = 3
    private const val NAME_MAX = 255

    /**
     * The records of an answer; none for a name that does not exist.
     *
     * @throws IOException for an answer that says that something failed, and for what is none.
     */
    fun read(bytes: ByteArray): List<SrvRecord> = try {
        val answer = ByteBuffer.wrap(bytes)
        val counts = ByteArray(12).also(answer::get).let(ByteBuffer::wrap)
        when (val code = counts.getShort(FLAGS).toInt() and 0xF) {
            0 -> records(answer, questions = counts.unsigned(4), answers = counts.unsigned(6))
            NO_SUCH_NAME -> emptyList()
            else -> throw IOException("the DNS answered with code $code")
        }
    } catch (e: BufferUnderflowException) {
        throw IOException("the answer of the DNS is cut off", e)
    }

    private fun records(answer: ByteBuffer, questions: Int, answers: Int): List<SrvRecord> {
        repeat(questions) {
            name(answer)
            answer.skip(4)
        }
        val found = ArrayList<SrvRecord>()
        repeat(answers) {
            name(answer)
            val kind = answer.unsigned()
            val group = answer.unsigned()
            answer.skip(4)
            val length = answer.unsigned()
            val next = answer.position() + length
            if (kind == SRV && group == CLASS_IN) {
                found += SrvRecord(answer.unsigned(), answer.unsigned(), answer.unsigned(), name(answer))
            }
            // A record that says another length than it has is believed no further.
            if (next > answer.limit() || answer.position() > next) throw IOException("a record of the DNS has no end")
            answer.position(next)
        }
        return found
    }

    /** A name, with what it has in common with an earlier one. Moves past what stands here of it. */
    private fun name(answer: ByteBuffer): String {
        val text = StringBuilder()
        var from = answer
        // Every pointer leads further back than the one before, so there is an end to them.
        var before = answer.position()
        while (true) {
            val length = from.get().toInt() and 0xFF
            when {
                length == 0 -> return if (text.isEmpty()) "." else text.toString()
                length < 0x40 -> {
                    if (text.isNotEmpty()) text.append('.')
                    repeat(length) { text.append(letter(from.get())) }
                    if (text.length > NAME_MAX) throw IOException("a name of the DNS is too long")
                }
                length >= 0xC0 -> {
                    val place = (length and 0x3F shl 8) or (from.get().toInt() and 0xFF)
                    if (place >= before) throw IOException("a name of the DNS leads forward")
                    before = place
                    from = answer.duplicate().apply { position(place) }
                }
                else -> throw IOException("a name of the DNS is of an unknown kind")
            }
        }
    }

    /** Of a host's name. A dot inside of a label would make another name of it. */
    private fun letter(byte: Byte): Char = byte.toInt().toChar().also {
        if (it !in '!'..'~' || it == '.') throw IOException("a name of the DNS is no host's")
    }

    private fun ByteBuffer.unsigned(): Int = short.toInt() and 0xFFFF

    private fun ByteBuffer.unsigned(at: Int): Int = getShort(at).toInt() and 0xFFFF

    private fun ByteBuffer.skip(count: Int) {
        if (remaining() < count) throw BufferUnderflowException()
        position(position() + count)
    }
}
