//! Asking for the password.

use zeroize::Zeroizing;

use crate::Failure;

/// Environment variable that holds the password for scripts.
const VARIABLE: &str = "EFT_PASSWORD";

/// The passphrase of an exported file, from `EFT_PASSPHRASE` or from the terminal without echo.
pub(crate) fn passphrase(file: &std::path::Path) -> Result<Zeroizing<String>, Failure> {
    const VARIABLE: &str = "EFT_PASSPHRASE";
    if let Ok(passphrase) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(passphrase));
    }
    rpassword::prompt_password(format!("Passphrase of {}: ", file.display()))
        .map(Zeroizing::new)
        .map_err(|error| {
            format!("no terminal to ask for the passphrase ({error}); set {VARIABLE}").into()
        })
}

/// The password from `EFT_PASSWORD`, or from the terminal without echo.
pub(crate) fn ask(account: &eft::BareJid) -> Result<Zeroizing<String>, Failure> {
    if let Ok(password) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(password));
    }
    // From the terminal itself: standard input carries the messages.
    rpassword::prompt_password(format!("Password of {account}: "))
        .map(Zeroizing::new)
        .map_err(|error| {
            format!("no terminal to ask for the password ({error}); set {VARIABLE}").into()
        })
}
