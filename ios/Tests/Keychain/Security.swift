// Stands for Apple's framework of this name on Linux: as much of the Keychain as Eft calls, with Apple's numbers and
// rules as documented, and strings for CFString. What it cannot show: that those are Apple's names and types.

public typealias CFDictionary = [String: Any]
public typealias CFTypeRef = Any
public typealias OSStatus = Int32

public let kSecClass = "class"
public let kSecClassGenericPassword = "genp"
public let kSecAttrService = "svce"
public let kSecAttrAccount = "acct"
public let kSecAttrAccessGroup = "agrp"
public let kSecAttrAccessible = "pdmn"
public let kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly = "cku"
public let kSecUseDataProtectionKeychain = "nleg"
public let kSecReturnData = "r_Data"
public let kSecMatchLimit = "m_Limit"
public let kSecMatchLimitOne = "m_LimitOne"
public let kSecValueData = "v_Data"

/// What the test sees and sets.
public enum FakeKeychain {
    /// The items, each under what it is found by.
    nonisolated(unsafe) public static var items: [String: CFDictionary] = [:]
    /// Answered to every call instead of doing it, as before the first unlock.
    nonisolated(unsafe) public static var refusal: OSStatus?
    /// Called once, in front of the next addition: the other process.
    nonisolated(unsafe) public static var beforeAdding: (() -> Void)?

    static func key(_ query: CFDictionary) -> String {
        [kSecClass, kSecAttrService, kSecAttrAccount, kSecAttrAccessGroup]
            .map { query[$0] as? String ?? "" }.joined(separator: "|")
    }
}

public func SecItemCopyMatching(_ query: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
    if let refusal = FakeKeychain.refusal { return refusal }
    guard let item = FakeKeychain.items[FakeKeychain.key(query)] else { return -25300 }
    if query[kSecReturnData] as? Bool == true { result?.pointee = item[kSecValueData] }
    return 0
}

public func SecItemAdd(_ attributes: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
    FakeKeychain.beforeAdding?()
    FakeKeychain.beforeAdding = nil
    if let refusal = FakeKeychain.refusal { return refusal }
    let key = FakeKeychain.key(attributes)
    if FakeKeychain.items[key] != nil { return -25299 }
    FakeKeychain.items[key] = attributes
    return 0
}

public func SecItemUpdate(_ query: CFDictionary, _ changes: CFDictionary) -> OSStatus {
    if let refusal = FakeKeychain.refusal { return refusal }
    let key = FakeKeychain.key(query)
    guard let item = FakeKeychain.items[key] else { return -25300 }
    FakeKeychain.items[key] = item.merging(changes) { $1 }
    return 0
}

public func SecItemDelete(_ query: CFDictionary) -> OSStatus {
    if let refusal = FakeKeychain.refusal { return refusal }
    return FakeKeychain.items.removeValue(forKey: FakeKeychain.key(query)) == nil ? -25300 : 0
}
