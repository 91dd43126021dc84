//! A TCP proxy that delays, stalls, cuts and resets.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How much is read at once.
const PIECE_BYTES: usize = 16 * 1024;
/// How many pieces may wait in one direction: 4 MiB, more than a delayed client has under way.
const QUEUED_PIECES: usize = 256;
/// How long the last bytes before a cut get to leave the kernel: a reset discards what is still unread there.
const CUT_GRACE: Duration = Duration::from_millis(50);

/// The way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What the proxy does to every connection, present and future.
#[derive(Clone, Debug, Default)]
struct Weather {
    delay: Duration,
    stalled: bool,
    refusing: bool,
    /// Resets are moments, not states: each one raises this.
    resets: u64,
    /// Calls of [`FaultProxy::cut_after`] so far; the bytes are counted from the last one on.
    cuts: u64,
    cut: Option<Cut>,
    /// Calls of [`FaultProxy::hold_after`] whose bytes have passed.
    holds: u64,
}

/// What is to happen after so many bytes.
#[derive(Clone, Copy, Debug)]
struct Cut {
    direction: Direction,
    byte_count: usize,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The connection is reset.
    Reset,
    /// Nothing passes any more, in either direction.
    Hold,
}

/// A proxy between a client and one upstream address. Dropping it resets all connections.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Listens on a free loopback port and passes everything on to `upstream`.
    ///
    /// # Errors
    ///
    /// What the system says when no port can be bound.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let weather = watch::Sender::new(Weather::default());
        let open = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(accept(
            listener,
            upstream,
            weather.clone(),
            Arc::clone(&open),
        ));
        Ok(Self {
            address,
            weather,
            open,
            accepting,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port clients connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Holds every piece of data back for `time`, in both directions.
    pub fn delay(&self, time: Duration) {
        self.weather.send_modify(|weather| weather.delay = time);
    }

    /// Passes nothing on; connections stay open. A phone in a tunnel.
    pub fn stall(&self) {
        self.weather.send_modify(|weather| weather.stalled = true);
    }

    /// Resets every open connection (RST). New ones are served.
    pub fn reset(&self) {
        self.weather.send_modify(|weather| weather.resets += 1);
    }

    /// Resets new connections at once.
    pub fn refuse(&self) {
        self.weather.send_modify(|weather| weather.refusing = true);
    }

    /// Passes `byte_count` more bytes in `direction` on each open or future connection, then resets it.
    pub fn cut_after(&self, direction: Direction, byte_count: usize) {
        self.cut(direction, byte_count, Then::Reset);
    }

    /// Passes `byte_count` more bytes in `direction`, and then nothing in either, while connections stay open: what the
    /// two sides know stands still. What was held back is incomplete, so the connection has to be reset before the
    /// weather is cleared.
    pub fn hold_after(&self, direction: Direction, byte_count: usize) {
        self.cut(direction, byte_count, Then::Hold);
    }

    /// How often [`Self::hold_after`] has come to its end.
    pub fn holds(&self) -> u64 {
        self.weather.borrow().holds
    }

    fn cut(&self, direction: Direction, byte_count: usize, then: Then) {
        self.weather.send_modify(|weather| {
            weather.cuts += 1;
            weather.cut = Some(Cut {
                direction,
                byte_count,
                then,
            });
        });
    }

    /// Good weather again: no delay, stall, refusal or cut. What was held back is passed on.
    pub fn clear(&self) {
        self.weather.send_modify(|weather| {
            *weather = Weather {
                resets: weather.resets,
                cuts: weather.cuts,
                holds: weather.holds,
                ..Weather::default()
            };
        });
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.reset();
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    upstream: SocketAddr,
    weather: watch::Sender<Weather>,
    open: Arc<AtomicUsize>,
) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(serve(client, upstream, weather.clone(), Arc::clone(&open)));
    }
}

async fn serve(
    mut client: TcpStream,
    upstream: SocketAddr,
    weather: watch::Sender<Weather>,
    open: Arc<AtomicUsize>,
) {
    if weather.borrow().refusing {
        return reset_on_close(&client);
    }
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return reset_on_close(&client);
    };
    // Small stanzas and acks are what is timed through this proxy.
    let _undelayed = (client.set_nodelay(true), server.set_nodelay(true));
    open.fetch_add(1, Ordering::AcqRel);
    if pass_both_ways(&mut client, &mut server, weather)
        .await
        .is_err()
    {
        reset_on_close(&client);
        reset_on_close(&server);
    }
    drop((client, server));
    open.fetch_sub(1, Ordering::AcqRel);
}

/// The connection is to end with a reset.
struct Reset;

async fn pass_both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    weather: watch::Sender<Weather>,
) -> Result<(), Reset> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let resets_before = weather.borrow().resets;
    let mut reset = weather.subscribe();
    tokio::select! {
        // An error means that the proxy's handle is gone, which is a reset, too.
        _ = reset.wait_for(|now| now.resets != resets_before) => Err(Reset),
        done = async {
            tokio::try_join!(
                pass_on(&mut from_client, &mut to_server, Direction::ToServer, weather.clone()),
                pass_on(&mut from_server, &mut to_client, Direction::ToClient, weather.clone()),
            )
        } => done.map(drop),
    }
}

/// One direction until its end: what is read waits in a queue until it is due, so that a delay costs time and no
/// throughput.
async fn pass_on(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    direction: Direction,
    forecast: watch::Sender<Weather>,
) -> Result<(), Reset> {
    let (queue, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(QUEUED_PIECES);
    let mut weather = forecast.subscribe();
    let delay = weather.clone();
    let reading = async move {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let count = from.read(&mut buffer).await.map_err(|_| Reset)?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else {
                return Ok(());
            };
            let moment = Instant::now() + delay.borrow().delay;
            if queue.send((moment, piece.to_vec())).await.is_err() {
                return Ok(());
            }
        }
    };
    let writing = async move {
        let mut cuts_seen = weather.borrow().cuts;
        let ours = |cut: Option<Cut>| cut.filter(|cut| cut.direction == direction);
        let mut left = ours(weather.borrow().cut);
        while let Some((moment, mut piece)) = due.recv().await {
            tokio::time::sleep_until(moment).await;
            let now = weather
                .wait_for(|now| !now.stalled)
                .await
                .map_err(|_| Reset)?
                .clone();
            if now.cuts != cuts_seen || now.cut.is_none() {
                cuts_seen = now.cuts;
                left = ours(now.cut);
            }
            if let Some(left) = &mut left {
                piece.truncate(left.byte_count);
                left.byte_count -= piece.len();
            }
            to.write_all(&piece).await.map_err(|_| Reset)?;
            match left {
                Some(cut) if cut.byte_count == 0 && cut.then == Then::Reset => {
                    // What the cut lets through arrives before the reset does.
                    tokio::time::sleep(CUT_GRACE).await;
                    return Err(Reset);
                }
                Some(cut) if cut.byte_count == 0 => {
                    forecast.send_modify(|weather| {
                        weather.stalled = true;
                        weather.holds += 1;
                    });
                    // Only a reset ends this.
                    std::future::pending::<()>().await;
                }
                _ => {}
            }
        }
        // The other side of the connection learns of the half close.
        to.shutdown().await.map_err(|_| Reset)
    };
    tokio::try_join!(reading, writing).map(drop)
}

/// The socket answers with RST instead of FIN when it is dropped.
fn reset_on_close(stream: &TcpStream) {
    // An error means that the peer is gone already.
    let _set = stream.set_zero_linger();
}

#[cfg(test)]
mod tests;
