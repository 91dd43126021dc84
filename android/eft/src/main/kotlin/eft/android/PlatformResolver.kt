package eft.android

import android.os.Build
import eft.Resolver
import eft.SrvRecord
import java.io.IOException
import java.net.InetAddress

/**
 * Looks names up as Android does, so that a VPN and private DNS count. SRV records can be asked for since Android 10; before,
 * a connection goes to the port that XMPP has at the domain itself (RFC 6120 §3.2.2).
 */
public class PlatformResolver internal constructor(private val ask: (suspend (String) -> ByteArray)?) : Resolver {
    public constructor() : this(if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) SrvQuery::ask else null)

    override suspend fun srv(name: String): List<SrvRecord> {
        val ask = ask ?: throw IOException("this Android looks up no SRV records")
        return SrvAnswer.read(ask(name))
    }

    override suspend fun addresses(host: String): List<InetAddress> = InetAddress.getAllByName(host).asList()
}
