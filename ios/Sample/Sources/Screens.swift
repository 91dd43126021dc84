#if canImport(SwiftUI)
import Eft
import SwiftUI

struct LoginScreen: View {
    @EnvironmentObject private var session: Session
    @State private var jid = ""
    @State private var password = ""

    var body: some View {
        Form {
            TextField("alice@example.org", text: $jid).textInputAutocapitalization(.never)
            SecureField("Password", text: $password)
            Button("Log in") { Task { await session.logIn(jid, password: password) } }
            if let problem = session.problem { Text(problem) }
        }
    }
}

struct ChatsScreen: View {
    let account: Account
    @State private var chats: [ConversationSummary] = []
    @State private var peer = ""

    var body: some View {
        NavigationStack {
            List {
                ForEach(chats, id: \.peer) { chat in
                    NavigationLink(value: chat.peer) {
                        VStack(alignment: .leading) {
                            Text(chat.unreadCount > 0 ? "\(chat.peer) (\(chat.unreadCount))" : chat.peer)
                            Text(chat.lastMessage?.text ?? "").foregroundStyle(.secondary)
                        }
                    }
                }
                HStack {
                    TextField("bob@example.org", text: $peer).textInputAutocapitalization(.never)
                    NavigationLink("New chat", value: peer)
                }
            }
            .navigationTitle(account.jid)
            .navigationDestination(for: String.self) { peer in ChatScreen(account: account, peer: peer) }
        }
        .task {
            let events = account.events()
            await load()
            for await event in events {
                switch event {
                case .messageReceived, .messageChanged, .reset: await load()
                default: break
                }
            }
        }
    }

    private func load() async {
        chats = (try? await account.conversations) ?? chats
    }
}

struct ChatScreen: View {
    let account: Account
    let peer: String
    @State private var messages: [Message] = []
    @State private var text = ""
    @State private var problem: String?

    var body: some View {
        VStack {
            List(messages) { message in
                VStack(alignment: message.outgoing ? .trailing : .leading) {
                    Text(message.text ?? "This message cannot be read.")
                    if let delivery = message.delivery { Text(mark(delivery)).font(.caption) }
                }
            }
            if let problem { Text(problem) }
            HStack {
                TextField("Message", text: $text)
                Button("Send") { Task { await send() } }
            }
        }
        .navigationTitle(peer)
        .toolbar { NavigationLink("Devices") { TrustScreen(account: account, peer: peer) } }
        .task {
            let events = account.events()
            await load()
            for await event in events {
                switch event {
                case .messageReceived(let message) where message.conversation == peer: await load()
                case .messageChanged(let message) where message.conversation == peer: await load()
                case .gapClosed, .reset: await load()
                default: break
                }
            }
        }
    }

    private func load() async {
        guard let conversation = try? account.conversation(with: peer) else { return }
        guard let page = try? await conversation.timeline(limit: 100) else { return }
        messages = page.messages.reversed()
        if let newest = page.messages.first { try? await conversation.markRead(upTo: newest.id) }
    }

    private func send() async {
        do throws(EftError) {
            try await account.conversation(with: peer).send(text)
            text = ""
            problem = nil
            await load()
        } catch {
            problem = error.code == .optedOut ? "This contact wants no encrypted messages." : "This did not work (\(error.code.rawValue))."
        }
    }

    private func mark(_ delivery: Delivery) -> String {
        switch delivery {
        case .queued, .encrypted: "waiting"
        case .sent: "sending"
        case .acked: "sent"
        case .delivered: "delivered"
        case .displayed: "seen"
        case .failed(let reason): "not sent: \(reason)"
        }
    }
}

struct TrustScreen: View {
    let account: Account
    let peer: String
    @State private var devices: [Device] = []
    @State private var code = ""

    var body: some View {
        List {
            Section("This device") { Text(account.fingerprint).monospaced() }
            Section(peer) {
                ForEach(devices, id: \.id) { device in
                    VStack(alignment: .leading) {
                        Text(device.label ?? "Device \(device.id)")
                        Text(device.fingerprint ?? "").monospaced()
                        Text(word(device.trust))
                        if let fingerprint = device.fingerprint {
                            Button("Reject") { decide { try await account.distrust(fingerprint, of: peer) } }
                        }
                    }
                }
            }
            TextField("Fingerprint of the contact's device", text: $code)
            Button("It is the same") { decide { try await account.verify(code, of: peer) } }
        }
        .task { await load() }
    }

    private func decide(_ call: @escaping () async throws -> Void) {
        Task {
            try? await call()
            await load()
        }
    }

    private func load() async {
        devices = ((try? await account.devices(of: peer)) ?? devices).filter { $0.listed && !$0.thisDevice }
    }

    private func word(_ trust: Trust) -> String {
        switch trust {
        case .undecided: "new: compare its fingerprint"
        case .blindlyTrusted: "not compared yet"
        case .verified: "verified"
        case .distrusted: "rejected"
        }
    }
}
#endif
