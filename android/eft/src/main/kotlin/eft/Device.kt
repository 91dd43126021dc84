package eft

import eft.core.Device as CoreDevice
import eft.core.Trust as CoreTrust

/**
 * A device of an account.
 *
 * @property isThisDevice whether it is the one this runs on.
 * @property isListed whether the account's list names it now.
 * @property label what its owner signed as its name, if anything.
 * @property fingerprint once known.
 * @property unansweredCount messages written to it since anything came back. A device that is read now and then answers by
 *   itself after 53: far above that it is asleep for good, most likely.
 */
public data class Device(
    val jid: Jid,
    val id: DeviceId,
    val isThisDevice: Boolean,
    val isListed: Boolean,
    val label: String?,
    val fingerprint: Fingerprint?,
    val trust: Trust,
    val unansweredCount: UInt,
)

/** How far a device is trusted. */
public enum class Trust {
    /** Nothing decided; nothing is encrypted to it. */
    UNDECIDED,

    /** Trusted on first sight. */
    BLINDLY_TRUSTED,

    /** Its fingerprint was compared. */
    VERIFIED,

    /** The user does not trust it. */
    DISTRUSTED,
}

internal fun CoreDevice.mapped() = Device(
    jid = Jid.known(jid),
    id = DeviceId(id),
    isThisDevice = thisDevice,
    isListed = listed,
    label = label,
    fingerprint = fingerprint?.let(Fingerprint::known),
    trust = when (trust) {
        CoreTrust.UNDECIDED -> Trust.UNDECIDED
        CoreTrust.BLINDLY_TRUSTED -> Trust.BLINDLY_TRUSTED
        CoreTrust.VERIFIED -> Trust.VERIFIED
        CoreTrust.DISTRUSTED -> Trust.DISTRUSTED
    },
    unansweredCount = unansweredCount,
)
