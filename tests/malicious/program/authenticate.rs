//! From TLS to a bound client.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_xmpp::Element;
use eft_xmpp::ns;

use super::channel::Channel;
use super::login::Login;
use super::peer::{Peer, lost};
use super::scram::{Exchange, Fault, Terms};
use super::state::lock;
use super::token;

const BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";

/// The namespace in which a client authenticates.
fn is_sasl2(element: &Element) -> bool {
    element.has_ns(ns::SASL2)
}

fn decode(text: &str) -> io::Result<Vec<u8>> {
    BASE64.decode(text.trim()).map_err(lost)
}

fn decode_text(text: &str) -> io::Result<String> {
    String::from_utf8(decode(text)?).map_err(lost)
}

/// Lets the client in, or not. `false`: it is not, and that was the point.
pub(crate) async fn authenticate(
    peer: &mut Peer,
    login: Login,
    channel: &Channel,
) -> io::Result<bool> {
    let domain = lock(&peer.shared).cast.domain.clone();
    peer.open(&domain, &login.offer().features()).await?;
    // In SASL2, who failed by one means may try another on the same stream.
    loop {
        let begun = peer.element().await?;
        if login == Login::NoProof {
            peer.say(&format!("<success xmlns='{}'/>", begun.ns()))
                .await?;
            return finish_sasl1(peer, &begun).await;
        }
        let mechanism = begun.attr("mechanism").unwrap_or_default().to_owned();
        let proven = prove(peer, login, channel, &begun, &mechanism).await?;
        let verdict = match &proven {
            Ok(_) => format!("let in by {mechanism}"),
            Err(reason) => format!("refused {mechanism}: {reason}"),
        };
        lock(&peer.shared).verdicts.push(verdict);
        if let Ok(outcome) = proven {
            return succeed(peer, login, &begun, &outcome).await;
        }
        let failure = format!(
            "<failure xmlns='{}'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>",
            begun.ns()
        );
        peer.say(&failure).await?;
        if !is_sasl2(&begun) {
            return Ok(false);
        }
    }
}

/// The server's proof, in base64, or what is wrong with the client's.
async fn prove(
    peer: &mut Peer,
    login: Login,
    channel: &Channel,
    begun: &Element,
    mechanism: &str,
) -> io::Result<Result<String, &'static str>> {
    let (offer, cast) = (login.offer(), lock(&peer.shared).cast.clone());
    let is_sasl2 = is_sasl2(begun);
    let first = match begun.get_child("initial-response", ns::SASL2) {
        Some(response) => response.text(),
        None => begun.text(),
    };
    if is_sasl2 && offer.token == Some(mechanism) {
        let tokens = lock(&peer.shared).tokens.clone();
        return Ok(token::check(&tokens, mechanism, channel, &decode(&first)?));
    }
    if !offer.names(is_sasl2).contains(&mechanism) {
        return Ok(Err("no such offer"));
    }
    let terms = Terms {
        fault: match login {
            Login::Scram(fault) => fault,
            _ => Fault::None,
        },
        password: &cast.password,
        mechanism,
        offer,
        is_sasl2,
        channel,
    };
    let (exchange, challenge) = match Exchange::begin(terms, &decode_text(&first)?) {
        Ok(begun) => begun,
        Err(reason) => return Ok(Err(reason)),
    };
    let challenge = BASE64.encode(challenge);
    let ns = begun.ns();
    peer.say(&format!("<challenge xmlns='{ns}'>{challenge}</challenge>"))
        .await?;
    let response = peer.element().await?;
    if !response.is("response", ns.as_str()) {
        return Ok(Err("no response"));
    }
    let outcome = exchange.end(&decode_text(&response.text())?);
    Ok(outcome.map(|outcome| BASE64.encode(outcome)))
}

/// The client is who it says.
async fn succeed(
    peer: &mut Peer,
    login: Login,
    begun: &Element,
    outcome: &str,
) -> io::Result<bool> {
    if !is_sasl2(begun) {
        let ns = ns::SASL;
        peer.say(&format!("<success xmlns='{ns}'>{outcome}</success>"))
            .await?;
        return finish_sasl1(peer, begun).await;
    }
    let address = format!(
        "{}/{:x}",
        lock(&peer.shared).cast.own(),
        rand::random::<u32>()
    );
    let asked = begun
        .get_child("request-token", ns::FAST)
        .and_then(|asked| asked.attr("mechanism"));
    let token = asked.filter(|asked| login.offer().token == Some(asked));
    let token = token.map_or(String::new(), |mechanism| {
        let token = token::issue();
        let given = format!(
            "<token xmlns='urn:xmpp:fast:0' token='{token}' expiry='2039-01-01T00:00:00Z'/>"
        );
        let tokens = &mut lock(&peer.shared).tokens;
        tokens.push((mechanism.to_owned(), token));
        given
    });
    let success = format!(
        "<success xmlns='urn:xmpp:sasl:2'><additional-data>{outcome}</additional-data>\
         <authorization-identifier>{address}</authorization-identifier>{token}\
         <bound xmlns='urn:xmpp:bind:0'/></success><stream:features/>"
    );
    peer.say(&success).await?;
    lock(&peer.shared).address = Some(address);
    Ok(true)
}

/// The second stream and the resource of RFC 6120.
async fn finish_sasl1(peer: &mut Peer, begun: &Element) -> io::Result<bool> {
    if is_sasl2(begun) {
        return Err(lost("SASL2 without an offer"));
    }
    let cast = lock(&peer.shared).cast.clone();
    peer.restart();
    peer.open(&cast.domain, BIND).await?;
    let request = peer.element().await?;
    let id = request.attr("id").unwrap_or_default().to_owned();
    let address = format!("{}/{:x}", cast.own(), rand::random::<u32>());
    let bound = format!(
        "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>{address}</jid></bind></iq>"
    );
    peer.say(&bound).await?;
    lock(&peer.shared).address = Some(address);
    Ok(true)
}
