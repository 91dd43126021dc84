//! `eft report`: what is known of an account, for whoever helps.

use eft::Eft;

use crate::Failure;
use crate::args::Report;
use crate::output::Output;

/// Prints the report. A connection that cannot be made is in it.
pub(crate) async fn run(eft: &Eft, asked: &Report, output: Output) -> Result<(), Failure> {
    let account = eft.account(&asked.me).await?;
    if asked.connect {
        // Why it failed is what the report is for.
        let _ = account.connect(asked.reach.options()?).await;
    }
    let report = account.report().await;
    account.shut_down().await;
    Ok(output.report(&report)?)
}
