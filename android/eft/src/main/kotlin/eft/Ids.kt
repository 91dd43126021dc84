package eft

import eft.core.bareJidOf
import eft.core.fingerprintOf

/** An account's address, `user@host`, in the one spelling that Eft uses for it. */
@JvmInline
public value class Jid private constructor(private val text: String) {
    override fun toString(): String = text

    public companion object {
        /**
         * Checks an address, and brings it into its one spelling.
         *
         * @throws EftException.InvalidInput for what is no `user@host`.
         */
        public fun of(text: String): Jid = Jid(mapped { bareJidOf(text) })

        /** As [of], with `null` for what is no address: for text as it is typed. */
        public fun ofOrNull(text: String): Jid? = orNull { of(text) }

        /** Takes what came out of the core. */
        internal fun known(text: String) = Jid(text)
    }
}

/** What people compare to know a device: eight groups of eight hexadecimal digits. */
@JvmInline
public value class Fingerprint private constructor(private val text: String) {
    /** In groups, as it is shown. */
    override fun toString(): String = text

    /** Without the groups' spaces, as a code carries it. */
    public val digits: String get() = text.replace(" ", "")

    public companion object {
        /**
         * Reads a fingerprint, in groups or not, in capitals or not.
         *
         * @throws EftException.InvalidInput for what is none.
         */
        public fun of(text: String): Fingerprint = Fingerprint(mapped { fingerprintOf(text) })

        /** As [of], with `null` for what is no fingerprint. */
        public fun ofOrNull(text: String): Fingerprint? = orNull { of(text) }

        internal fun known(text: String) = Fingerprint(text)
    }
}

/** Names a device within its account (XEP-0384). */
@JvmInline
public value class DeviceId(public val number: UInt) {
    override fun toString(): String = number.toString()
}

/** Names a message's row on this device. Another device has other rows. */
@JvmInline
public value class MessageId(public val row: Long) {
    override fun toString(): String = row.toString()
}

/** A place in a timeline, to read on from. It may be kept as text. */
@JvmInline
public value class TimelineKey(private val text: String) {
    override fun toString(): String = text
}

private inline fun <T : Any> orNull(parse: () -> T): T? = try {
    parse()
} catch (_: EftException.InvalidInput) {
    null
}
