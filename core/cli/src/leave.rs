//! `eft leave`: lines for the program that has the account open, as the quick reply of a notification leaves them.

use eft::{BareJid, Eft};

use crate::Failure;
use crate::output::Output;

/// Leaves each line of standard input.
pub(crate) async fn run(
    eft: &Eft,
    me: &BareJid,
    peer: BareJid,
    output: Output,
) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let conversation = account.conversation(peer);
    let mut count = 0;
    for line in std::io::read_to_string(std::io::stdin())?.lines() {
        if !line.is_empty() {
            conversation.leave_text(line).await?;
            count += 1;
        }
    }
    account.shut_down().await;
    Ok(output.left(count)?)
}
