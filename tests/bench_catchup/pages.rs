//! The bytes of the archive's pages, and a server that says nothing else: for the floor.

use std::path::Path;
use std::sync::Arc;

use eft_bench::Failure;
use eft_tests::Certificates;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the client asks for at once.
const PAGE: usize = 250;

/// What the scripted server would say, page by page; for the id of the query stands one as long as ours.
pub(crate) fn of(archive: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(archive)?;
    let lines: Vec<_> = text.lines().collect();
    let query = "0".repeat(32);
    let mut pages = vec![
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
            .to_owned(),
    ];
    for part in lines.chunks(PAGE) {
        let mut page = String::new();
        for line in part {
            let (stanza, _) = line.split_once('\t').ok_or("a line without an id")?;
            page += &stanza.replace("{query}", &query);
        }
        page += "<iq type='result' id='0123456789abcdef'><fin xmlns='urn:xmpp:mam:2' complete='false'/></iq>";
        pages.push(page);
    }
    pages.push("</stream:stream>".to_owned());
    Ok(pages)
}

/// Where the floor connects. Whoever says a byte gets all pages.
pub(crate) async fn serve(
    certificates: &Certificates,
    domain: &str,
    pages: Vec<String>,
) -> Result<u16, Failure> {
    let acceptor = certificates.acceptor(domain)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let pages = Arc::new(pages);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, pages) = (acceptor.clone(), Arc::clone(&pages));
            tokio::spawn(async move {
                let mut stream = acceptor.accept(tcp).await?;
                stream.read_u8().await?;
                for page in pages.iter() {
                    stream.write_all(page.as_bytes()).await?;
                    stream.flush().await?;
                }
                stream.shutdown().await
            });
        }
    });
    Ok(port)
}
