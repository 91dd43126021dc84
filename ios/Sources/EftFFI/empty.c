// SwiftPM wants a source file in a C target; this one declares the functions of a library that is built by Cargo.
