//! Ports, and one task per client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use eft_xmpp::driver::BoxedStream;
use tokio::io::duplex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::answers::answers;
use super::authenticate::authenticate;
use super::login::Login;
use super::middle::relay;
use super::peer::{Input, Peer, lost};
use super::state::{Shared, lock};
use super::tls::Tls;

/// What may wait in somebody between, in each direction.
const BETWEEN_BYTES: usize = 64 * 1024;

/// Serves clients for ever.
pub(crate) async fn listen(
    listener: TcpListener,
    tls: Arc<Tls>,
    shared: Shared,
    is_direct: bool,
) -> io::Result<()> {
    loop {
        let (tcp, _): (_, SocketAddr) = listener.accept().await?;
        let (tls, shared) = (Arc::clone(&tls), Arc::clone(&shared));
        tokio::spawn(async move {
            // How it ended is for the one who plays to see: in what was heard, and in the client.
            let _ = serve(tcp, &tls, &shared, is_direct).await;
        });
    }
}

async fn serve(tcp: TcpStream, tls: &Tls, shared: &Shared, is_direct: bool) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let login = {
        let mut state = lock(shared);
        state.connection_count += 1;
        state.login
    };
    let tcp = if is_direct {
        Box::new(tcp) as BoxedStream
    } else {
        let mut peer = Peer::new(Box::new(tcp), Arc::clone(shared), false);
        if !start_tls(&mut peer, login).await? {
            // Whatever else it says is heard.
            while !matches!(peer.next().await?, Input::End) {}
            return Ok(());
        }
        peer.stream
    };
    let Login::Middle(middle) = login else {
        return serve_encrypted(tcp, tls, shared, login).await;
    };
    let (client, _) = tls.middle.accept(tcp).await?;
    let (near, far) = duplex(BETWEEN_BYTES);
    // An honest server with a TLS connection of its own, whose other end is not the client.
    let server = async {
        let near = tls.connect(Box::new(near), middle.is_old).await?;
        relay(client, near, middle, shared).await
    };
    let (relayed, served) = tokio::join!(
        server,
        serve_encrypted(Box::new(far), tls, shared, Login::Honest(middle.made))
    );
    relayed.and(served)
}

async fn serve_encrypted(
    tcp: BoxedStream,
    tls: &Tls,
    shared: &Shared,
    login: Login,
) -> io::Result<()> {
    let identity = match login {
        Login::StrangersCertificate => &tls.stranger,
        Login::OtherDomain => &tls.other_domain,
        _ => &tls.good,
    };
    let (stream, channel) = identity.accept(tcp).await?;
    let mut peer = Peer::new(stream, Arc::clone(shared), true);
    if !authenticate(&mut peer, login, &channel).await? {
        while !matches!(peer.next().await?, Input::End) {}
        return Ok(());
    }
    let (sender, mut outgoing) = mpsc::unbounded_channel();
    // Whoever drops the one that is shared ends the session.
    let ours = sender.downgrade();
    lock(shared).session = Some(sender);
    let ended = run(&mut peer, &mut outgoing).await;
    let mut state = lock(shared);
    let ours = ours.upgrade();
    let both = state.session.as_ref().zip(ours.as_ref());
    if both.is_some_and(|(last, ours)| last.same_channel(ours)) {
        state.session = None;
        state.address = None;
    }
    ended
}

/// `false`: the point was to see what the client does now.
async fn start_tls(peer: &mut Peer, login: Login) -> io::Result<bool> {
    let domain = lock(&peer.shared).cast.domain.clone();
    let features = match login {
        Login::StartTlsMissing => {
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>\
             <mechanism>SCRAM-SHA-256</mechanism></mechanisms>"
        }
        _ => "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
    };
    peer.open(&domain, features).await?;
    let asked = peer.element().await?;
    if !asked.is("starttls", eft_xmpp::ns::TLS) {
        return Err(lost("something else than STARTTLS"));
    }
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    match login {
        Login::StartTlsMissing => Ok(false),
        Login::StartTlsFailure => {
            peer.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
                .await?;
            Ok(false)
        }
        Login::StartTlsInjected => {
            let injected = format!(
                "{proceed}<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                 <mechanism>PLAIN</mechanism></mechanisms></stream:features>"
            );
            peer.say(&injected).await?;
            Ok(false)
        }
        _ => {
            peer.say(proceed).await?;
            Ok(true)
        }
    }
}

/// A client that is in: its requests are answered, and what is played goes out.
async fn run(peer: &mut Peer, outgoing: &mut mpsc::UnboundedReceiver<String>) -> io::Result<()> {
    loop {
        tokio::select! {
            text = outgoing.recv() => match text {
                Some(text) => peer.say(&text).await?,
                None => return Ok(()),
            },
            input = peer.next() => match input? {
                Input::Element(element) if element.is("iq", eft_xmpp::ns::CLIENT) => {
                    let answers = answers(&mut lock(&peer.shared), &element);
                    peer.say(&answers.concat()).await?;
                }
                Input::Element(_) => {}
                Input::Header => return Err(lost("a second header")),
                Input::End => {
                    let _ = peer.say("</stream:stream>").await;
                    return Ok(());
                }
            },
        }
    }
}
