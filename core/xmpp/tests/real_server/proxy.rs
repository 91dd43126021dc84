//! A proxy between, which notes who spoke when.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Which side spoke, in order, with bytes; neighbours of the same side are one entry.
pub(crate) type Flights = Arc<Mutex<VecDeque<(Side, usize)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

fn note(flights: &Flights, side: Side, bytes: usize) {
    let mut flights = flights.lock().unwrap();
    match flights.back_mut() {
        Some((last, sum)) if *last == side => *sum += bytes,
        _ => flights.push_back((side, bytes)),
    }
}

/// Carries one connection after another to the server and notes who spoke when.
pub(crate) async fn proxy(server: u16) -> (u16, Flights) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let flights = Flights::default();
    let log = Arc::clone(&flights);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            log.lock().unwrap().clear();
            let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let up = Arc::clone(&log);
            let down = Arc::clone(&log);
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                while let Ok(count) = from_client.read(&mut buffer).await {
                    if count == 0 || to_server.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                    note(&up, Side::Client, count);
                }
                let _ = to_server.shutdown().await;
            });
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                while let Ok(count) = from_server.read(&mut buffer).await {
                    // A distance, so that what the client says without waiting counts as one.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    note(&down, Side::Server, count);
                    if count == 0 || to_client.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                }
                let _ = to_client.shutdown().await;
            });
        }
    });
    (port, flights)
}

/// TCP, and each time that the client had to wait for the server.
pub(crate) fn round_trips(flights: &Flights) -> (usize, usize) {
    let flights = flights.lock().unwrap();
    let waits = flights
        .iter()
        .filter(|(side, _)| *side == Side::Server)
        .count();
    (1 + waits, flights.iter().map(|(_, bytes)| bytes).sum())
}
