package eft.sample

import eft.Account
import eft.Device
import eft.EftException
import eft.Fingerprint
import eft.Jid
import eft.Trust
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** The devices of a contact, and what the user decides about them. */
class TrustList(private val account: Account, private val peer: Jid) {
    private val state = MutableStateFlow(emptyList<Device>())

    /** The devices in use. */
    val devices: StateFlow<List<Device>> = state.asStateFlow()

    suspend fun load() {
        state.value = account.devices(peer).filter { it.isListed && !it.isThisDevice }
    }

    /** The user compared it, and it is the same. */
    suspend fun verify(fingerprint: Fingerprint) {
        account.verify(peer, fingerprint)
        load()
    }

    suspend fun distrust(fingerprint: Fingerprint) {
        account.distrust(peer, fingerprint)
        load()
    }

    /** What a scanned code says. Whether it was one, and of a device that is not this one. */
    suspend fun scan(code: String): Boolean = try {
        verify(Fingerprint.of(code.trim()))
        true
    } catch (_: EftException.InvalidInput) {
        false
    }

    /** What is shown for a device. */
    fun describe(device: Device): String {
        val trust = when (device.trust) {
            Trust.UNDECIDED -> "new: compare its fingerprint"
            Trust.BLINDLY_TRUSTED -> "not compared yet"
            Trust.VERIFIED -> "verified"
            Trust.DISTRUSTED -> "rejected"
        }
        return listOfNotNull(device.label ?: "Device ${device.id}", trust, device.fingerprint?.toString()).joinToString("\n")
    }
}
