package eft

import eft.core.Contact as CoreContact

/**
 * A contact of the account. The server keeps the list.
 *
 * @property name the name that the user gave it.
 * @property groups the groups that the user put it into.
 * @property seesUs whether the contact sees when we are online.
 * @property isSeenByUs whether we see when the contact is online. If both see each other, we hear at once of its new
 *   devices.
 */
public data class Contact(
    val jid: Jid,
    val name: String?,
    val groups: List<String>,
    val seesUs: Boolean,
    val isSeenByUs: Boolean,
)

internal fun CoreContact.mapped() = Contact(Jid.known(jid), name, groups, seesUs, seenByUs)
