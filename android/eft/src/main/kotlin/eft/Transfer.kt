package eft

import java.io.File
import eft.core.IdentityKey as CoreIdentityKey
import eft.core.RebuiltAccount as CoreRebuilt

/** What an export takes along. */
public enum class IdentityKey {
    /** The identity key stays here: the new device has one of its own, and contacts are told of it. */
    STAYS,

    /**
     * It goes along, in the file. **The user has to say that this device is gone, or will be**: from the import on, the account
     * must not be used here any more. Two devices that both live with one key cannot be told apart by anybody, and whoever
     * has file and passphrase can be this device.
     */
    MOVES,
}

/**
 * What is left of an account whose database could not be used any more.
 *
 * @property account the account, as a new device with the history that could be saved. Not connected.
 * @property messageCount messages that were saved.
 * @property gapCount places of the old database where something could not be read: 0 if nothing is known to be missing. With
 *   the key lost nothing can be read, which is one gap.
 * @property setAside where the old database lies now. Nothing was deleted; whoever wants to, may.
 */
public data class RebuiltAccount(
    val account: Account,
    val messageCount: Long,
    val gapCount: Long,
    val setAside: File,
)

internal fun IdentityKey.mapped() = when (this) {
    IdentityKey.STAYS -> CoreIdentityKey.STAYS
    IdentityKey.MOVES -> CoreIdentityKey.MOVES
}

internal fun CoreRebuilt.mapped() =
    RebuiltAccount(Account(account), messageCount.toLong(), gapCount.toLong(), File(setAside))
