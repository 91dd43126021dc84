import Testing

@testable import Eft

@Suite struct KeychainStatusTests {
    @Test(
        "What the Keychain answers gets its meaning",
        arguments: [(-25308, "locked"), (-25300, "lost"), (-26275, "corrupt"), (-67673, "corrupt"), (-34018, "failed"), (-25291, "failed")] as [(Int32, String)])
    func meaning(status: Int32, meaning: String) {
        let error = KeychainStatus.error(status, "load")
        let got =
            switch error {
            case .locked(let reason): ("locked", reason)
            case .lost(let reason): ("lost", reason)
            case .corrupt(let reason): ("corrupt", reason)
            case .failed(let reason): ("failed", reason)
            }
        #expect(got.0 == meaning)
        #expect(got.1 == "the Keychain answered \(status) when asked to load")
    }
}
