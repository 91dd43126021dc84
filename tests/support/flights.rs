//! A proxy between, which notes who spoke when. It takes connections apart by nothing but time: what one side says
//! without waiting for the other is one flight.
//!
//! A round trip is a time that the client has to wait for bytes of the server before it can say more; TCP's own is one, and
//! DNS is left out. A busy machine makes two answers of one, so that more is counted than the protocol needs, never less.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A distance to the server: what the client says without waiting then counts as said at once.
const DISTANCE: Duration = Duration::from_millis(20);

/// What something cost on the network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Times that the client had to wait for the server.
    pub round_trips: u64,
    /// Both ways, without the headers of TCP and IP.
    pub bytes: u64,
}

impl Cost {
    /// The larger of each.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            round_trips: self.round_trips.max(other.round_trips),
            bytes: self.bytes.max(other.bytes),
        }
    }

    /// The one that waits less; of two that wait as often, the first.
    #[must_use]
    pub const fn better(self, other: Self) -> Self {
        if other.round_trips < self.round_trips {
            other
        } else {
            self
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// What passed on the last connection: neighbours of the same side are one entry.
#[derive(Clone, Debug, Default)]
pub struct Flights(Arc<Mutex<Vec<(Side, u64)>>>);

impl Flights {
    fn entries(&self) -> MutexGuard<'_, Vec<(Side, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, side: Side, bytes: usize) {
        let mut entries = self.entries();
        match entries.last_mut() {
            Some((last, sum)) if *last == side => *sum += bytes as u64,
            _ => entries.push((side, bytes as u64)),
        }
    }

    /// What it cost until now.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost {
            round_trips: self.round_trips(),
            bytes: self.bytes(),
        }
    }

    /// One for TCP, and one for each time that the client could not go on before the server spoke.
    fn round_trips(&self) -> u64 {
        let entries = self.entries();
        let waits = entries.iter().filter(|(side, _)| *side == Side::Server);
        1 + waits.count() as u64
    }

    /// Both ways, without the headers of TCP and IP.
    fn bytes(&self) -> u64 {
        self.entries().iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Carries one connection after another to the port `server`. Gives the port to connect to.
///
/// # Errors
/// What the system says when no port can be bound.
pub async fn start(server: u16) -> io::Result<(u16, Flights)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let log = Flights::default();
    let noted = log.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            noted.entries().clear();
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                continue;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let up = carry(from_client, to_server, noted.clone(), Side::Client);
            let down = carry(from_server, to_client, noted.clone(), Side::Server);
            tokio::spawn(up);
            tokio::spawn(down);
        }
    });
    Ok((port, log))
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    log: Flights,
    side: Side,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if side == Side::Server {
            tokio::time::sleep(DISTANCE).await;
        }
        log.note(side, count);
        let bytes = buffer.get(..count).unwrap_or_default();
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
