package eft.android

import eft.Network
import eft.Proxy

/** Connections as Android itself makes them: its DNS, its judgement of certificates. */
public object PlatformNetwork {
    /** For [eft.ConnectOptions.network]. One for all accounts, so that TLS remembers servers between connections. */
    public val default: Network by lazy { through(null) }

    /** The same through a proxy. To be made once, as every [Network]. */
    public fun through(proxy: Proxy?): Network = Network(PlatformResolver(), PlatformVerifier(), proxy = proxy)
}
