//! Asking for the password.

use zeroize::Zeroizing;

use crate::Failure;

/// Environment variable that holds the password for scripts.
const VARIABLE: &str = "EFT_PASSWORD";

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
