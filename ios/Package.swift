// swift-tools-version: 6.0
import PackageDescription

#if os(Linux)
// The functions of libeft_ffi.so, which Cargo builds and test.sh names to the linker.
let ffi = Target.target(name: "EftFFI")
#else
// The same for Apple's platforms: xcframework.sh makes it. Not proven yet, see README.md.
let ffi = Target.binaryTarget(name: "EftFFI", path: "EftFFI.xcframework")
#endif

let package = Package(
    name: "Eft",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Eft", targets: ["Eft"])],
    targets: [
        ffi,
        // Generated code is compiled as Swift 5: its callbacks are not clean under Swift 6.
        .target(name: "EftGenerated", dependencies: ["EftFFI"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .target(name: "Eft", dependencies: ["EftGenerated"], swiftSettings: [.swiftLanguageMode(.v6)]),
        .testTarget(name: "EftTests", dependencies: ["Eft"], swiftSettings: [.swiftLanguageMode(.v6)]),
    ]
)
