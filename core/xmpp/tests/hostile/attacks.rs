//! The bytes.

/// Bytes as they would come from a socket: a beginning, then one piece again and again, if any.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) begin: &'static [u8],
    pub(crate) again: Vec<u8>,
}

impl Attack {
    /// The bytes from the beginning on, in pieces of a TLS record. Without end, if there is something to repeat.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut first = Some(self.begin.to_vec());
        core::iter::from_fn(move || {
            let mut piece = first.take().unwrap_or_default();
            while !self.again.is_empty() && piece.len() < 16 * 1024 {
                piece.extend_from_slice(&self.again);
            }
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// Forbidden outright (RFC 6120 §11.1): one look is enough.
pub(crate) fn forbidden() -> Vec<Attack> {
    [
        (
            "document type",
            &b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"[..],
        ),
        (
            "billion laughs",
            b"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><l>&b;</l>",
        ),
        ("unknown entity", b"<message>&eacute;</message>"),
        (
            "external entity",
            b"<!ENTITY x SYSTEM 'file:///etc/passwd'>",
        ),
        ("processing instruction", b"<?php echo 1 ?>"),
        ("comment", b"<!-- hello -->"),
        ("comment within", b"<message><!-- hello --></message>"),
        ("NUL", b"<message><body>\0</body></message>"),
        ("NUL by reference", b"<message><body>&#0;</body></message>"),
        (
            "surrogate by reference",
            b"<message><body>&#xD800;</body></message>",
        ),
        ("control character", b"<message><body>\x01</body></message>"),
        ("invalid UTF-8", b"<message><body>\xC3\x28</body></message>"),
        (
            "overlong UTF-8",
            b"<message><body>\xC0\xAF</body></message>",
        ),
        (
            "surrogate in UTF-8",
            b"<message><body>\xED\xA0\x80</body></message>",
        ),
        (
            "beyond Unicode",
            b"<message><body>\xF4\x90\x80\x80</body></message>",
        ),
        ("UTF-16", b"\xFF\xFE<\0a\0>\0"),
        ("unbound prefix", b"<x:message/>"),
        ("crossed tags", b"<a><b></a></b>"),
        ("doubled attribute", b"<a b='1' b='2'/>"),
        (
            "doubled attribute by prefix",
            b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        ),
        ("unquoted attribute", b"<a b=1/>"),
        ("markup in attribute", b"<a b='<'/>"),
        ("rebound xml prefix", b"<a xmlns:xml='other'/>"),
    ]
    .map(|(name, begin)| flood(name, begin, Vec::new()))
    .into()
}

fn flood(name: &'static str, begin: &'static [u8], again: Vec<u8>) -> Attack {
    Attack { name, begin, again }
}

/// Too much of what is allowed, without end.
pub(crate) fn floods() -> Vec<Attack> {
    let long = |count: usize| vec![b'x'; count];
    let named = |before: &str, count: usize, behind: &str| {
        [before.as_bytes(), &long(count), behind.as_bytes()].concat()
    };
    vec![
        flood("levels", b"", b"<a>".to_vec()),
        flood(
            "levels with namespaces",
            b"",
            b"<a xmlns:p='urn:x'>".to_vec(),
        ),
        flood("levels with long names", b"", named("<", 4000, ">")),
        flood("attributes", b"<a", b" b='c'".to_vec()),
        flood("declarations", b"<a", b" xmlns:b='c'".to_vec()),
        flood("text", b"<message><body>", long(4096)),
        flood("attribute", b"<a b='", long(4096)),
        flood("name", b"<", long(4096)),
        flood(
            "references",
            b"<message><body>",
            b"&amp;&amp;&amp;&amp;".to_vec(),
        ),
        flood("elements", b"<message>", b"<a/><a/><a/><a/>".to_vec()),
        flood(
            "elements with attributes",
            b"<message>",
            b"<a b='' c='' d=''/>".to_vec(),
        ),
        flood(
            "elements with long namespaces",
            b"<message>",
            named("<a xmlns='", 4000, "'/>"),
        ),
        flood(
            "attributes with long namespaces",
            b"<message>",
            named("<a xmlns:p='", 60_000, &format!("'{}/>", attributes(60))),
        ),
        flood("siblings with texts", b"<message>", b"<a>b</a>c".to_vec()),
        flood("CDATA", b"<message><body><![CDATA[", long(4096)),
        flood(
            "large answers of others",
            b"<iq type='result' from='c@d.example'>",
            b"<a/>".to_vec(),
        ),
    ]
}

fn attributes(count: usize) -> String {
    (0..count)
        .map(|number| format!(" p:a{number}=''"))
        .collect()
}

/// Allowed, each for itself, and without end.
pub(crate) fn many() -> Vec<Attack> {
    let full = |element: &str, count: usize| {
        format!("<message id='1'>{}</message>", element.repeat(count)).into_bytes()
    };
    vec![
        flood("full stanzas", b"", full("<a/>", 3000)),
        flood("full texts", b"", full("x", 700_000)),
        flood("small stanzas", b"", b"<message/>".to_vec()),
        flood(
            "large tags of dropped stanzas",
            b"",
            format!(
                "<message id='{}'>{}</message>",
                "x".repeat(400_000),
                "<a/>".repeat(3000)
            )
            .into_bytes(),
        ),
    ]
}

pub(crate) fn named(name: &str) -> Attack {
    let all = forbidden().into_iter().chain(floods()).chain(many());
    let mut found = all.filter(|attack| attack.name == name);
    found.next().expect("an attack of this name")
}
