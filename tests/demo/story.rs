//! The story.

use std::path::Path;
use std::time::Duration;

use crate::cast::Cast;
use crate::telling::Telling;
use crate::{at_rest, foreign, rogue, server, talk};

/// What ends the story.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Stands in every text of the story, so that any plaintext anywhere is found.
pub(crate) const MARKER: &str = "newt-under-the-stone";

/// How long another app may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn tell(telling: &Telling) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut cast = Cast::gather(telling, &folder).await?;
    let told = chapters(telling, &mut cast, folder.path()).await;
    // Also after a failure: what is open when the process ends cannot be closed in an orderly way.
    for device in cast.devices() {
        device.account.shut_down().await;
    }
    told?;
    let pid = cast.server.pid();
    drop(cast);
    telling.chapter("Cleaning up");
    check(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "the server is still running",
    )?;
    let path = folder.path().to_owned();
    folder.close()?;
    check(!path.exists(), "the folder is still there")?;
    telling.checked("The server is stopped and every file of the story is removed.");
    Ok(())
}

async fn chapters(telling: &Telling, cast: &mut Cast, folder: &Path) -> Result<(), Failure> {
    talk::first_words(telling, cast).await?;
    talk::while_bob_is_away(telling, cast).await?;
    foreign::other_apps(telling, cast).await?;
    rogue::fingerprints(telling, cast).await?;
    rogue::an_added_device(telling, cast).await?;
    server::what_it_saw(telling, cast).await?;
    at_rest::what_lies_there(telling, cast, folder)
}

/// What holds, or what is said about it if it does not.
pub(crate) fn check(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
