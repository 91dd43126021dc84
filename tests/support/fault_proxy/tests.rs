use super::*;

/// An upstream that returns what it gets, a proxy before it, and a client.
async fn echo_through_proxy() -> (FaultProxy, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    let proxy = FaultProxy::start(upstream).await.unwrap();
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (proxy, client)
}

async fn round_trip(client: &mut TcpStream, text: &[u8]) -> io::Result<Duration> {
    let started = Instant::now();
    client.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    client.read_exact(&mut answer).await?;
    assert_eq!(answer, text);
    Ok(started.elapsed())
}

#[tokio::test]
async fn good_weather_passes_bytes_unchanged() {
    let (proxy, mut client) = echo_through_proxy().await;
    round_trip(&mut client, &vec![7; 300_000]).await.unwrap();
    assert_eq!(proxy.open_connections(), 1);
}

#[tokio::test]
async fn half_close_reaches_the_other_side() {
    let (_proxy, mut client) = echo_through_proxy().await;
    client.write_all(b"last").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"last");
}

#[tokio::test]
async fn delay_holds_each_direction_back_once_for_many_pieces() {
    let (proxy, mut client) = echo_through_proxy().await;
    proxy.delay(Duration::from_millis(60));
    let took = round_trip(&mut client, &vec![1; 20 * PIECE_BYTES])
        .await
        .unwrap();
    assert!(took >= Duration::from_millis(120), "{took:?}");
    // Twenty delays one after the other would be 1.2 s in each direction.
    assert!(took < Duration::from_millis(1200), "{took:?}");
}

#[tokio::test]
async fn stalled_bytes_arrive_when_it_clears() {
    let (proxy, mut client) = echo_through_proxy().await;
    proxy.stall();
    client.write_all(b"tunnel").await.unwrap();
    let mut answer = [0; 6];
    let early =
        tokio::time::timeout(Duration::from_millis(100), client.read_exact(&mut answer)).await;
    assert!(early.is_err());
    proxy.clear();
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"tunnel");
}

#[tokio::test]
async fn reset_ends_open_connections_and_spares_new_ones() {
    let (proxy, mut client) = echo_through_proxy().await;
    round_trip(&mut client, b"up").await.unwrap();
    proxy.reset();
    let error = client.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let mut second = TcpStream::connect(proxy.address()).await.unwrap();
    round_trip(&mut second, b"up again").await.unwrap();
}

#[tokio::test]
async fn refused_connection_is_reset() {
    let (proxy, _client) = echo_through_proxy().await;
    proxy.refuse();
    // The reset may come before or after the connect call is back.
    let refused = async { TcpStream::connect(proxy.address()).await?.read_u8().await };
    assert_eq!(
        refused.await.unwrap_err().kind(),
        io::ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn cut_lets_exactly_so_many_bytes_through() {
    let (proxy, mut client) = echo_through_proxy().await;
    round_trip(&mut client, b"before").await.unwrap();
    proxy.cut_after(Direction::ToClient, 4);
    client.write_all(b"0123456789").await.unwrap();
    let mut got = Vec::new();
    let error = client.read_to_end(&mut got).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(got, b"0123");
}

#[tokio::test]
async fn hold_lets_exactly_so_many_bytes_through_and_then_nothing_in_either_direction() {
    let (proxy, mut client) = echo_through_proxy().await;
    round_trip(&mut client, b"before").await.unwrap();
    proxy.hold_after(Direction::ToServer, 4);
    client.write_all(b"0123456789").await.unwrap();
    while proxy.holds() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    client.write_all(b"more").await.unwrap();
    let mut got = [0; 16];
    // The echo of the four may have come back before the other direction stood still.
    let reading = tokio::time::timeout(Duration::from_millis(100), client.read(&mut got));
    if let Ok(count) = reading.await {
        assert_eq!(&got[..count.unwrap()], b"0123");
    }
    assert_eq!(proxy.open_connections(), 1);
    proxy.reset();
    let error = client.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    proxy.clear();
    let mut second = TcpStream::connect(proxy.address()).await.unwrap();
    round_trip(&mut second, b"as before").await.unwrap();
}
