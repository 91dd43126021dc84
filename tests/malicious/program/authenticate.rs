//! From TLS to a bound client.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_xmpp::Element;
use eft_xmpp::ns;

use super::login::Login;
use super::peer::{Peer, lost};
use super::scram::{Exchange, Fault};
use super::state::lock;

const BIND: &str = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";

/// The namespace in which a client authenticates.
fn is_sasl2(element: &Element) -> bool {
    element.has_ns(ns::SASL2)
}

fn decode(text: &str) -> io::Result<String> {
    let bytes = BASE64.decode(text.trim()).map_err(lost)?;
    String::from_utf8(bytes).map_err(lost)
}

/// Lets the client in, or not. `false`: it is not, and that was the point.
pub(crate) async fn authenticate(peer: &mut Peer, login: Login) -> io::Result<bool> {
    let cast = lock(&peer.shared).cast.clone();
    let list = |names: &[&str]| -> String {
        names
            .iter()
            .map(|name| format!("<mechanism>{name}</mechanism>"))
            .collect()
    };
    let sasl1 = |names: &[&str]| {
        let list = list(names);
        format!("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{list}</mechanisms>")
    };
    let features = match login {
        Login::Sasl2 => format!(
            "<authentication xmlns='urn:xmpp:sasl:2'>{}<inline><bind xmlns='urn:xmpp:bind:0'><inline>\
             <feature var='urn:xmpp:carbons:2'/></inline></bind></inline></authentication>",
            list(&["SCRAM-SHA-256"])
        ),
        Login::PlainOnly => sasl1(&["PLAIN"]),
        Login::OldOnly => sasl1(&["DIGEST-MD5", "CRAM-MD5", "ANONYMOUS", "EXTERNAL"]),
        _ => sasl1(&["SCRAM-SHA-256"]),
    };
    peer.open(&cast.domain, &features).await?;
    let begun = peer.element().await?;
    let ns = if is_sasl2(&begun) {
        ns::SASL2
    } else {
        ns::SASL
    };
    let first = match begun.get_child("initial-response", ns::SASL2) {
        Some(response) => response.text(),
        None => begun.text(),
    };
    if login == Login::NoProof {
        peer.say(&format!("<success xmlns='{ns}'/>")).await?;
        return finish_sasl1(peer, &begun).await;
    }
    let fault = match login {
        Login::Scram(fault) => fault,
        _ => Fault::None,
    };
    let Some((exchange, challenge)) = Exchange::begin(fault, &cast.password, &decode(&first)?)
    else {
        return Err(lost("no SCRAM"));
    };
    let challenge = BASE64.encode(challenge);
    peer.say(&format!("<challenge xmlns='{ns}'>{challenge}</challenge>"))
        .await?;
    let response = peer.element().await?;
    let Some(outcome) = exchange.end(&decode(&response.text())?) else {
        let failure = format!(
            "<failure xmlns='{ns}'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
        );
        peer.say(&failure).await?;
        return Ok(false);
    };
    let outcome = BASE64.encode(outcome);
    if ns == ns::SASL2 {
        let address = format!("{}/{:x}", cast.own(), rand::random::<u32>());
        let success = format!(
            "<success xmlns='urn:xmpp:sasl:2'><additional-data>{outcome}</additional-data>\
             <authorization-identifier>{address}</authorization-identifier>\
             <bound xmlns='urn:xmpp:bind:0'/></success><stream:features/>"
        );
        peer.say(&success).await?;
        lock(&peer.shared).address = Some(address);
        return Ok(true);
    }
    peer.say(&format!("<success xmlns='{ns}'>{outcome}</success>"))
        .await?;
    finish_sasl1(peer, &begun).await
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
