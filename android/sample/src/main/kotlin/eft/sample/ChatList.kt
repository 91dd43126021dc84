package eft.sample

import eft.Account
import eft.EftException
import eft.Event
import eft.Jid
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** A row of the list of chats. */
data class ChatRow(val peer: Jid, val name: String, val lastText: String?, val unreadCount: Int)

/** The list of chats: whoever wrote or was written to, and then the contacts that are left. */
class ChatList(private val account: Account, scope: CoroutineScope) {
    private val state = MutableStateFlow(emptyList<ChatRow>())
    private val loading = Mutex()
    private var names = emptyMap<Jid, String>()
    private val added = LinkedHashSet<Jid>()

    val rows: StateFlow<List<ChatRow>> = state.asStateFlow()

    init {
        // Undispatched: nothing that happens from now on is missed.
        scope.launch(start = CoroutineStart.UNDISPATCHED) {
            account.events().collect { event ->
                when (event) {
                    is Event.MessageReceived, is Event.MessageChanged, Event.GapClosed, Event.Reset, Event.RolledBack -> load()
                    else -> Unit
                }
            }
        }
    }

    /** Reads the disk again. */
    suspend fun load(): Unit = loading.withLock {
        val summaries = try {
            account.conversations()
        } catch (_: EftException.Suspended) {
            return
        }
        val talked = summaries.map {
            ChatRow(it.peer, nameOf(it.peer), it.lastMessage?.let { last -> last.text ?: "…" }, it.unreadCount.toInt())
        }
        val silent = (added + names.keys).filter { peer -> talked.none { it.peer == peer } }
        state.value = talked + silent.map { ChatRow(it, nameOf(it), null, 0) }
    }

    /** Asks the server for the contacts and their names. */
    suspend fun loadContacts() {
        val contacts = account.contacts()
        loading.withLock { names = contacts.associate { it.jid to (it.name ?: it.jid.toString()) } }
        load()
    }

    /** A chat with somebody new. */
    suspend fun add(peer: Jid) {
        loading.withLock { added += peer }
        load()
    }

    private fun nameOf(peer: Jid) = names[peer] ?: peer.toString()
}
