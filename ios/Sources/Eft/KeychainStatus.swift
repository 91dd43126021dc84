/// What the Keychain answered (`OSStatus`), in Eft's words. Apart from the calls themselves, so that it is tested where
/// there is no Keychain. The numbers are those of Security's `SecBase.h`.
enum KeychainStatus {
    static let success: Int32 = 0
    static let duplicateItem: Int32 = -25299
    static let itemNotFound: Int32 = -25300

    /// The error for an answer that is neither success nor one that the caller deals with.
    static func error(_ status: Int32, _ action: String) -> SecretStoreError {
        let reason = "the Keychain answered \(status) when asked to \(action)"
        return switch status {
        // errSecInteractionNotAllowed: the item is not readable before the first unlock.
        case -25308: .locked(reason)
        // errSecItemNotFound
        case itemNotFound: .lost(reason)
        // errSecDecode, errSecInvalidData
        case -26275, -67673: .corrupt(reason)
        default: .failed(reason)
        }
    }
}
