//! Writes the Kotlin and Swift sources from the built library (UniFFI library mode).

fn main() {
    uniffi::uniffi_bindgen_main();
}
