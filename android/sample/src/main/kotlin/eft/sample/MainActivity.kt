package eft.sample

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.text.InputType
import android.view.View
import android.view.ViewGroup
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ListView
import android.widget.TextView
import android.widget.Toast
import eft.Account
import eft.EftException
import eft.Jid
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Four screens in one: log in, chats, a chat, its devices. The framework's views only, so that nothing hides what Eft does. */
class MainActivity : Activity() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)
    private val app get() = application as SampleApp
    private var account: Account? = null
    private var list: ChatList? = null
    private var screen: Job? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        scope.launch {
            val jid = attempt { app.accounts() }?.firstOrNull()
            val account = jid?.let { attempt { app.account(it) } }
            if (account == null) showLogin() else enter(account)
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        account?.let { open(it, intent) }
    }

    override fun onDestroy() {
        app.shown = null
        scope.cancel()
        super.onDestroy()
    }

    private fun showLogin() {
        val address = EditText(this).apply { hint = "alice@example.org" }
        val password = EditText(this).apply {
            hint = "Password"
            inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_PASSWORD
        }
        show(address, password, button("Log in") {
            val jid = Jid.ofOrNull(address.text.toString())
            if (jid == null) say("That is no address.") else attempt { app.add(jid, password.text.toString()) }?.let(::enter)
        })
    }

    private fun enter(account: Account) {
        this.account = account
        account.setActive(true)
        val list = ChatList(account, scope).also { list = it }
        open(account, intent)
        scope.launch {
            attempt { account.connect(app.connectOptions(account.jid)) }
            attempt { list.loadContacts() }
        }
    }

    override fun onStart() {
        super.onStart()
        account?.setActive(true)
    }

    override fun onStop() {
        account?.setActive(false)
        super.onStop()
    }

    private fun open(account: Account, intent: Intent) {
        val peer = intent.getStringExtra(PEER)?.let(Jid::ofOrNull)
        if (peer == null) showChats(account) else showChat(account, peer)
    }

    private fun showChats(account: Account) {
        leaveChat()
        val rows = ArrayAdapter<String>(this, android.R.layout.simple_list_item_1)
        val peers = mutableListOf<Jid>()
        val view = ListView(this).apply {
            adapter = rows
            setOnItemClickListener { _, _, position, _ -> showChat(account, peers[position]) }
        }
        val address = EditText(this).apply { hint = "bob@example.org" }
        show(TextView(this).apply { text = account.jid.toString() }, address, button("New chat") {
            val peer = Jid.ofOrNull(address.text.toString())
            if (peer == null) say("That is no address.") else list?.add(peer)
        }, view)
        screen = scope.launch {
            list?.load()
            list?.rows?.collect { chats ->
                peers.clear()
                peers += chats.map { it.peer }
                rows.replace(chats.map { chat ->
                    val unread = if (chat.unreadCount > 0) " (${chat.unreadCount})" else ""
                    "${chat.name}$unread\n${chat.lastText.orEmpty()}"
                })
            }
        }
    }

    private fun showChat(account: Account, peer: Jid) {
        leaveChat()
        app.shown = peer
        val lines = ArrayAdapter<String>(this, android.R.layout.simple_list_item_1)
        val text = EditText(this)
        val screen = Job(scope.coroutineContext[Job])
        val here = CoroutineScope(scope.coroutineContext + screen)
        val chat = Chat(account, peer, here)
        show(
            button("Chats") { showChats(account) },
            button("Devices of $peer") { showTrust(account, peer) },
            ListView(this).apply { adapter = lines },
            text,
            button("Send") { if (chat.send(text.text.toString())) text.setText("") else chat.problem.value?.let(::say) },
        )
        this.screen = screen
        here.launch {
            chat.lines.collect { all ->
                attempt { chat.read() }
                lines.replace(all.map { (if (it.isMine) "→ " else "← ") + it.text + "\n" + it.mark })
            }
        }
    }

    private fun showTrust(account: Account, peer: Jid) {
        leaveChat()
        val trust = TrustList(account, peer)
        val rows = ArrayAdapter<String>(this, android.R.layout.simple_list_item_1)
        val code = EditText(this).apply { hint = "Fingerprint of the contact's device" }
        val view = ListView(this).apply {
            adapter = rows
            setOnItemLongClickListener { _, _, position, _ ->
                trust.devices.value.getOrNull(position)?.fingerprint?.let { scope.launch { attempt { trust.distrust(it) } } }
                true
            }
        }
        show(
            button("Back") { showChat(account, peer) },
            TextView(this).apply { text = "This device:\n${account.fingerprint}" },
            code,
            button("It is the same") { if (!trust.scan(code.text.toString())) say("That is no fingerprint of a contact.") },
            view,
        )
        screen = scope.launch {
            attempt { trust.load() }
            trust.devices.collect { devices -> rows.replace(devices.map(trust::describe)) }
        }
    }

    private fun leaveChat() {
        screen?.cancel()
        app.shown = null
    }

    private fun show(vararg views: View) {
        setContentView(LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            for (view in views) {
                val isList = view is ListView
                val height = if (isList) 0 else ViewGroup.LayoutParams.WRAP_CONTENT
                addView(view, LinearLayout.LayoutParams(ViewGroup.LayoutParams.MATCH_PARENT, height, if (isList) 1f else 0f))
            }
        })
    }

    private fun button(label: String, act: suspend () -> Unit) = Button(this).apply {
        text = label
        setOnClickListener { scope.launch { attempt { act() } } }
    }

    private fun ArrayAdapter<String>.replace(rows: List<String>) {
        setNotifyOnChange(false)
        clear()
        addAll(rows)
        notifyDataSetChanged()
    }

    /** What went wrong is told, and is no reason to end. */
    private suspend fun <T> attempt(call: suspend () -> T): T? = try {
        call()
    } catch (e: EftException) {
        say(if (e.isRetryable) "No connection. Eft tries again." else "This did not work (${e.code}).")
        null
    }

    private fun say(text: String) {
        Toast.makeText(this, text, Toast.LENGTH_LONG).show()
    }

    companion object {
        const val PEER = "eft.sample.PEER"
    }
}
