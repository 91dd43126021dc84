//! How the present connection was made.

/// What the login of the present connection came to: for a support screen, and for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// An earlier stream goes on (XEP-0198): nothing had to be asked again.
    pub is_resumed: bool,
    /// The server keeps this stream for a while when the connection is lost.
    pub is_resumable: bool,
    /// A token stood for the password (XEP-0484).
    pub by_token: bool,
    /// The server was asked to hold back what can wait while nobody looks at the app (XEP-0352).
    pub knows_client_state: bool,
}
