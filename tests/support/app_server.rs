//! An app's own push server, as the account's server sees it: a component (XEP-0114) that takes pushes (XEP-0357) and,
//! instead of handing them to a phone's maker, keeps them for the scenario.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eft_xmpp::Element;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use crate::deadline::{Deadline, TimedOut, wait_for};
use crate::port::free_port;

/// Where an app server listens for nobody, and the server for it.
#[derive(Clone, Debug)]
pub struct AppServerPlace {
    /// Its address on the XMPP network.
    pub name: String,
    /// The port on which the account's server takes components.
    pub port: u16,
    /// What it proves itself with.
    pub secret: String,
}

impl AppServerPlace {
    /// A place beside a server's domain, on a port that is free.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn beside(host: &str) -> io::Result<Self> {
        Ok(Self {
            name: format!("push.{host}"),
            port: free_port()?,
            secret: "between servers".to_owned(),
        })
    }
}

/// A push as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The node: which device.
    pub node: String,
    /// What the server shows with it, by name (XEP-0357 §7).
    pub options: Vec<(String, String)>,
    /// What it says of the message, by name: nothing, if all is well.
    pub summary: Vec<(String, String)>,
}

/// The app server. Goes when dropped.
#[derive(Debug)]
pub struct AppServer {
    pushes: Arc<Mutex<Vec<Push>>>,
    task: AbortHandle,
}

/// How long a server may take to open its port.
const PATIENCE: Duration = Duration::from_secs(20);

const STREAM: &str = "http://etherx.jabber.org/streams";
const ACCEPT: &str = "jabber:component:accept";

impl AppServer {
    /// Connects to the account's server.
    ///
    /// # Errors
    ///
    /// When the server is not there, or does not take it.
    pub async fn connect(place: &AppServerPlace) -> io::Result<Self> {
        let mut stream = connected(place.port).await?;
        let header = format!(
            "<stream:stream xmlns='{ACCEPT}' xmlns:stream='{STREAM}' to='{}'>",
            place.name
        );
        stream.write_all(header.as_bytes()).await?;
        let mut text = String::new();
        let id = loop {
            if let Some(id) = attribute(&text, "id") {
                break id;
            }
            read_more(&mut stream, &mut text).await?;
        };
        let digest = Sha1::digest(format!("{id}{}", place.secret));
        let proof: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let handshake = format!("<handshake>{proof}</handshake>");
        stream.write_all(handshake.as_bytes()).await?;
        let rest = loop {
            if let Some((_, rest)) = text.split_once("<handshake") {
                break rest.split_once('>').map_or("", |(_, rest)| rest).to_owned();
            }
            if text.contains("</stream:stream>") {
                return Err(io::Error::other(format!("the server says no: {text}")));
            }
            read_more(&mut stream, &mut text).await?;
        };
        let pushes = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(take_pushes(stream, rest, Arc::clone(&pushes)));
        Ok(Self {
            pushes,
            task: task.abort_handle(),
        })
    }

    /// Everything that came so far.
    #[must_use]
    pub fn pushes(&self) -> Vec<Push> {
        let pushes = self.pushes.lock();
        pushes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many have come.
    ///
    /// # Errors
    ///
    /// [`TimedOut`].
    pub async fn wait_for(&self, count: usize, patience: Duration) -> Result<Vec<Push>, TimedOut> {
        wait_for("a push", patience, || async {
            self.pushes().len() >= count
        })
        .await?;
        Ok(self.pushes())
    }
}

impl Drop for AppServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server opens this port last.
async fn connected(port: u16) -> io::Result<TcpStream> {
    let deadline = Deadline::after(PATIENCE);
    loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionRefused && !deadline.is_over() =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            result => return result,
        }
    }
}

async fn read_more(stream: &mut TcpStream, text: &mut String) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).await?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    Ok(())
}

/// The first attribute of this name.
fn attribute(text: &str, name: &str) -> Option<String> {
    let (_, header) = text.split_once("<stream:stream")?;
    let (header, _) = header.split_once('>')?;
    let (_, value) = header.split_once(&format!(" {name}="))?;
    let quote = value.chars().next()?;
    value
        .get(1..)?
        .split_once(quote)
        .map(|(value, _)| value.to_owned())
}

async fn take_pushes(
    mut stream: TcpStream,
    mut text: String,
    pushes: Arc<Mutex<Vec<Push>>>,
) -> io::Result<()> {
    loop {
        while let Some(end) = text.find("</iq>") {
            let rest = text.split_off(end + "</iq>".len());
            let start = text.find("<iq").unwrap_or_default();
            let stanza = format!("<all xmlns='{ACCEPT}'>{}</all>", &text[start..]);
            text = rest;
            let Ok(all) = stanza.parse::<Element>() else {
                continue;
            };
            for iq in all.children() {
                if let Some(push) = push(iq) {
                    pushes
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(push);
                }
                let (Some(id), Some(from), Some(to)) =
                    (iq.attr("id"), iq.attr("from"), iq.attr("to"))
                else {
                    continue;
                };
                let answer = format!("<iq type='result' id='{id}' from='{to}' to='{from}'/>");
                stream.write_all(answer.as_bytes()).await?;
            }
        }
        read_more(&mut stream, &mut text).await?;
    }
}

fn push(iq: &Element) -> Option<Push> {
    const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
    let pubsub = iq.get_child("pubsub", PUBSUB)?;
    let publish = pubsub.get_child("publish", PUBSUB)?;
    let notification = publish
        .get_child("item", PUBSUB)?
        .get_child("notification", "urn:xmpp:push:0")?;
    Some(Push {
        node: publish.attr("node")?.to_owned(),
        options: pubsub
            .get_child("publish-options", PUBSUB)
            .map(fields)
            .unwrap_or_default(),
        summary: fields(notification),
    })
}

/// Fields of a form (XEP-0004), the one that names it left out.
fn fields(parent: &Element) -> Vec<(String, String)> {
    const FORM: &str = "jabber:x:data";
    let Some(form) = parent.get_child("x", FORM) else {
        return Vec::new();
    };
    form.children()
        .filter_map(|field| {
            let value = field.get_child("value", FORM)?.text();
            Some((field.attr("var")?.to_owned(), value))
        })
        .filter(|(name, _)| name != "FORM_TYPE")
        .collect()
}
