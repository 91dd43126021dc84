#if canImport(SwiftUI)
import Eft
import SwiftUI

@main
struct SampleApp: App {
    @StateObject private var session = Session()
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup {
            Group {
                if let account = session.account { ChatsScreen(account: account) } else { LoginScreen() }
            }
            .environmentObject(session)
            .task { await session.openKnownAccount() }
        }
        .onChange(of: phase) { phase in session.moved(to: phase) }
    }
}

/// The one account of this app, for all screens.
@MainActor
final class Session: ObservableObject {
    @Published private(set) var account: Account?
    @Published var problem: String?

    /// App and extension share these.
    nonisolated static let group = "group.org.example.eft"
    nonisolated static let keychainGroup = "TEAMID.org.example.eft"

    nonisolated static func open(isExtension: Bool = false) throws -> Eft {
        guard let container = FileManager.default.containerURL(forSecurityApplicationGroupIdentifier: group) else {
            throw CocoaError(.fileNoSuchFile)
        }
        let secrets = KeychainSecretStore(service: "eft-sample", accessGroup: keychainGroup)
        return try Eft(folder: container.appendingPathComponent("eft"), secrets: secrets, isExtension: isExtension)
    }

    func openKnownAccount() async {
        await attempt {
            let eft = try Self.open()
            if let jid = try eft.accounts.first { try await self.enter(eft.account(jid)) }
        }
    }

    func logIn(_ jid: String, password: String) async {
        await attempt { try await self.enter(Self.open().addAccount(jid, password: password)) }
    }

    private func enter(_ account: Account) async throws {
        self.account = account
        try await account.connect()
    }

    /// Nothing may be open when iOS freezes the app.
    func moved(to phase: ScenePhase) {
        guard let account else { return }
        account.setActive(phase == .active)
        let task = UIApplication.shared.beginBackgroundTask()
        Task {
            await attempt {
                switch phase {
                case .background: try await account.suspend()
                case .active: try await account.resume()
                default: break
                }
            }
            UIApplication.shared.endBackgroundTask(task)
        }
    }

    func attempt(_ call: () async throws -> Void) async {
        do {
            try await call()
            problem = nil
        } catch let error as EftError {
            problem = error.isRetryable ? "No connection. Eft tries again." : "This did not work (\(error.code.rawValue))."
        } catch {
            problem = "This did not work."
        }
    }
}
#endif
