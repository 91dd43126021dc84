package eft

import java.net.InetAddress
import eft.core.AddressReply as CoreAddressReply
import eft.core.Resolver as CoreResolver
import eft.core.SrvRecord as CoreRecord
import eft.core.SrvReply as CoreSrvReply

/**
 * Looks names up. `eft.android.PlatformResolver` asks Android. Called in coroutines of Eft, never on the main thread; may
 * block; what it throws means that the DNS did not answer.
 */
public interface Resolver {
    /** The SRV records of a full name such as `_xmpp-client._tcp.example.org`; an empty list if there are none. */
    public suspend fun srv(name: String): List<SrvRecord>

    /** The addresses of a host; an empty list if there are none. */
    public suspend fun addresses(host: String): List<InetAddress>
}

/**
 * One SRV record (RFC 2782).
 *
 * @property priority lower is tried first; 0 to 65535.
 * @property weight share among records of the same priority; 0 to 65535.
 * @property port TCP port.
 * @property target host name; `.` says that the service is not offered.
 * @throws EftException.InvalidInput for numbers that no record has.
 */
public data class SrvRecord(val priority: Int, val weight: Int, val port: Int, val target: String) {
    init {
        for (number in listOf(priority, weight, port)) {
            if (number !in 0..0xFFFF) throw EftException.InvalidInput("no SRV record has $number")
        }
    }

    internal fun mapped() = CoreRecord(priority.toUShort(), weight.toUShort(), port.toUShort(), target)
}

/** Shows the app's resolver to the core. */
internal class HostResolver(private val resolver: Resolver) : CoreResolver {
    override fun srv(name: String, reply: CoreSrvReply) = Asked.answer(reply, { _, reason -> reply.failed(reason) }) {
        reply.found(resolver.srv(name).map { it.mapped() })
    }

    override fun addresses(host: String, reply: CoreAddressReply) =
        Asked.answer(reply, { _, reason -> reply.failed(reason) }) {
            // Which interface a local address belongs to is not said: the core has no use for it.
            reply.found(resolver.addresses(host).mapNotNull { it.hostAddress?.substringBefore('%') })
        }
}
