// Runs KeychainSecretStore against Security.swift beside this file. Ends with the first expectation that fails.
import Foundation
import Security

func check(_ holds: Bool, _ what: String, line: Int = #line) {
    guard !holds else { return }
    print("error: line \(line): \(what)")
    exit(1)
}

func failure(_ call: () throws -> Void) -> SecretStoreError? {
    do { try call() } catch { return error as? SecretStoreError }
    return nil
}

let store = KeychainSecretStore(service: "org.example.chat", accessGroup: "TEAM.chat")
let (old, new) = (Data("old".utf8), Data("new".utf8))

check(try store.load("key") == nil, "nothing is there yet, which is no error")
try store.delete("key")
try store.store(old, as: "key")
check(try store.load("key") == old, "what was stored is loaded")
try store.store(new, as: "key")
check(try store.load("key") == new, "a newer secret replaces an older one")
check(try store.load("other") == nil, "a name has its own secret")

let item = FakeKeychain.items["genp|org.example.chat|key|TEAM.chat"]
check(FakeKeychain.items.count == 1 && item != nil, "one item, of our service and access group")
check(item?[kSecAttrAccessible] as? String == "cku", "readable after the first unlock, on this device only")
check(item?[kSecUseDataProtectionKeychain] as? Bool == true, "the modern Keychain on the Mac too")

check(try KeychainSecretStore(service: "org.example.chat").load("key") == nil, "another group has other items")
try store.delete("key")
check(FakeKeychain.items.isEmpty, "what is deleted is gone")

FakeKeychain.beforeAdding = { FakeKeychain.items["genp|org.example.chat|key|TEAM.chat"] = [kSecValueData: old] }
try store.store(new, as: "key")
check(try store.load("key") == new, "the other process added it meanwhile")

FakeKeychain.items["genp|org.example.chat|key|TEAM.chat"] = [kSecValueData: "no data"]
check(failure { _ = try store.load("key") } == .corrupt("the Keychain's item holds no data"), "an item of another kind")

FakeKeychain.refusal = -25308
for (action, call) in [
    ("load", { _ = try store.load("key") }), ("store", { try store.store(new, as: "key") }),
    ("delete", { try store.delete("key") }),
] as [(String, () throws -> Void)] {
    check(failure(call) == .locked("the Keychain answered -25308 when asked to \(action)"), "\(action) while locked")
}
