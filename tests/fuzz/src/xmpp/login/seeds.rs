//! Logins to begin with.

use crate::input::Seed;

/// Logins that succeed, each in another way, and servers that cheat.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let header = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>";
    let starttls =
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let mechanisms = |name: &str| {
        format!(
            "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>{name}</mechanism></mechanisms></stream:features>"
        )
    };
    let sasl = |name: &str, text: &str| {
        format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>")
    };
    let challenge = sasl("challenge", "[[r={nonce}more,s=QSXCR+Q6sek8bf92,i=4096]]");
    let proven = sasl("success", "[[v={proof}]]");
    let bind = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
    let bound = "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@capulet.example/balcony</jid></bind></iq>";
    let success2 = "<success xmlns='urn:xmpp:sasl:2'><additional-data>[[v={proof}]]</additional-data>\
        <authorization-identifier>juliet@capulet.example/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>\
        <enabled xmlns='urn:xmpp:sm:3' id='s1' resume='1'/></bound></success>";
    let open2 = format!(
        "{header}<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism><inline>\
         <bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind><sm xmlns='urn:xmpp:sm:3'/>\
         </inline></authentication></stream:features>"
    );
    let challenge2 = "<challenge xmlns='urn:xmpp:sasl:2'>[[r={nonce}more,s=QSXCR+Q6sek8bf92,i=4096]]</challenge>";
    let fast = open2.replace(
        "<inline><bind",
        "<inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast><bind",
    );
    let by_token = success2.replace("[[v={proof}]]", "{responder}");
    let with_token = success2.replace(
        "</success>",
        "<token xmlns='urn:xmpp:fast:0' token='the-next' expiry='2030-01-02T03:04:05Z'/></success>",
    );
    let expired = "<failure xmlns='urn:xmpp:sasl:2'><credentials-expired xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>";
    let enabled = "<message/><enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='600' location='[::1]:5222'/>";
    let scram = mechanisms("SCRAM-SHA-256");
    let plain = mechanisms("PLAIN");
    let open = format!("{header}{scram}");
    let after = format!("{header}{bind}");
    let transcript = |flags, parts: &[&str]| {
        let seed = Seed::new().byte(flags);
        let blocks = parts
            .iter()
            .fold(seed, |seed, part| seed.block(part.as_bytes()));
        blocks.into_bytes()
    };
    vec![
        transcript(5, &[&open, &challenge, &proven, &after, bound, enabled]),
        transcript(
            12,
            &[
                header, starttls, proceed, &open, &challenge, &proven, &after, bound, enabled,
            ],
        ),
        transcript(
            1,
            &[
                &open,
                &challenge,
                &sasl("challenge", "[[v={proof}]]"),
                &sasl("success", ""),
                &after,
                bound,
            ],
        ),
        transcript(5, &[&open2, challenge2, success2]),
        transcript(5, &[&open2, success2]),
        transcript(
            7,
            &[
                &format!("{header}{plain}"),
                &sasl("success", ""),
                &after,
                bound,
                enabled,
            ],
        ),
        transcript(5, &[&format!("{header}{plain}")]),
        transcript(5, &[&open, &challenge, &sasl("success", "[[v=AAAA]]")]),
        transcript(5, &[&open, &sasl("success", "")]),
        transcript(
            5,
            &[
                &open,
                &sasl("challenge", "[[r=other,s=QSXCR+Q6sek8bf92,i=4096]]"),
            ],
        ),
        transcript(
            5,
            &[
                &open,
                &sasl("challenge", "[[m=x,r={nonce}more,s=QSXCR+Q6sek8bf92,i=1]]"),
            ],
        ),
        transcript(
            5,
            &[
                &open,
                &sasl("failure", "<not-authorized/><text xml:lang='en'>no</text>"),
            ],
        ),
        transcript(
            0,
            &[
                &format!("{header}{starttls}"),
                &format!("{proceed}<stream:features/>"),
            ],
        ),
        transcript(
            5,
            &[
                "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
            ],
        ),
        transcript(
            5,
            &[
                header,
                "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            ],
        ),
        // A token is asked for, used, refused; and servers that know neither it nor the password.
        transcript(37, &[&fast, challenge2, &with_token]),
        transcript(21, &[&fast, &by_token]),
        transcript(21, &[&fast, expired, challenge2, success2]),
        transcript(21, &[&fast, &by_token.replace("{responder}", "[[v=]]")]),
        transcript(21, &[&fast, expired, &by_token]),
    ]
}
