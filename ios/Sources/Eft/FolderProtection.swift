#if canImport(Darwin)
import Foundation

extension URL {
    /// Keeps a folder out of backups: a database that is put back on another phone has no key there, and one that is put
    /// back on the same phone is older than what its contacts have seen. Its files can be read from the first unlock after
    /// a start on, as an extension needs it.
    func keepForThisDevice() throws {
        var url = self
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try url.setResourceValues(values)
        #if !os(macOS)
        let protection: [FileAttributeKey: Any] = [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
        try FileManager.default.setAttributes(protection, ofItemAtPath: path)
        #endif
    }
}
#endif
