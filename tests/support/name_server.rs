//! A DNS server that knows where the test servers speak to each other.
//!
//! Servers find each other by SRV records (RFC 2782), and free ports differ in every run. This answers questions for
//! `_xmpp-server._tcp` and for the addresses of the domains it was told of, and that there is no other name. Only
//! what those two servers ask is understood: one question of one packet, over UDP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// The largest question that is looked at. Names have 255 bytes at most (RFC 1035 §2.3.4).
const QUESTION_BYTES: usize = 1024;
const HEADER_BYTES: usize = 12;
const TYPE_A: u16 = 1;
const TYPE_SRV: u16 = 33;
const CLASS_IN: u16 = 1;
/// Where all servers are.
const TARGET: &str = "localhost";
/// RFC 1035 §4.1.1: response, recursion desired and available.
const RESPONSE: u16 = 0x8180;
const NO_SUCH_NAME: u16 = 3;

type Domains = Arc<Mutex<Vec<(String, u16)>>>;

/// A running DNS server on a free loopback port. Dropping it ends it.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    domains: Domains,
    answering: JoinHandle<()>,
}

impl NameServer {
    /// Starts a server that knows no name yet.
    ///
    /// # Errors
    ///
    /// What the system says when no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let domains = Domains::default();
        let known = Arc::clone(&domains);
        let answering = tokio::spawn(async move {
            let mut question = [0; QUESTION_BYTES];
            loop {
                let Ok((length, asker)) = socket.recv_from(&mut question).await else {
                    continue;
                };
                let answer = question.get(..length).and_then(|question| {
                    let domains = known.lock().unwrap_or_else(PoisonError::into_inner);
                    answer(question, &domains)
                });
                if let Some(answer) = answer {
                    // Who asks and goes away before the answer asks again if it matters.
                    let _sent = socket.send_to(&answer, asker).await;
                }
            }
        });
        Ok(Self {
            address,
            domains,
            answering,
        })
    }

    /// Where to ask.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, other servers find `domain`, and every name below it, at `port` of this machine.
    pub fn add(&self, domain: &str, port: u16) {
        let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        domains.push((domain.to_owned(), port));
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

/// The answer to one question; `None` to what is no question.
fn answer(question: &[u8], domains: &[(String, u16)]) -> Option<Vec<u8>> {
    let (name, after_name) = name_at(question, HEADER_BYTES)?;
    let asked = question.get(after_name..after_name + 4)?;
    let kind = u16::from_be_bytes([*asked.first()?, *asked.get(1)?]);
    let port = |name: &str| {
        let below = |domain: &str| {
            let parent = name.strip_suffix(domain);
            parent.is_some_and(|child| child.is_empty() || child.ends_with('.'))
        };
        domains
            .iter()
            .find(|(domain, _)| below(domain))
            .map(|(_, port)| *port)
    };
    let service = name.strip_prefix("_xmpp-server._tcp.");
    let data = match (service, kind) {
        (Some(domain), TYPE_SRV) => port(domain).map(service_record),
        (None, TYPE_A) => port(&name).map(|_| Ipv4Addr::LOCALHOST.octets().to_vec()),
        _ => None,
    };
    let is_known = port(service.unwrap_or(&name)).is_some();

    let code = if is_known { 0 } else { NO_SUCH_NAME };
    let mut packet = question.get(..2)?.to_vec();
    let counts = [RESPONSE | code, 1, u16::from(data.is_some()), 0, 0];
    packet.extend(counts.iter().flat_map(|number| number.to_be_bytes()));
    packet.extend(question.get(HEADER_BYTES..after_name + 4)?);
    if let Some(data) = data {
        // The name is the one of the question (a pointer, RFC 1035 §4.1.4), and nobody keeps the answer.
        let pointer = 0xC000 | u16::try_from(HEADER_BYTES).ok()?;
        let length = u16::try_from(data.len()).ok()?;
        let record = [pointer, kind, CLASS_IN, 0, 0, length];
        packet.extend(record.iter().flat_map(|number| number.to_be_bytes()));
        packet.extend(data);
    }
    Some(packet)
}

/// Priority 0, weight 5, port and target (RFC 2782).
fn service_record(port: u16) -> Vec<u8> {
    let mut data: Vec<u8> = [0, 5, port]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    data.push(u8::try_from(TARGET.len()).unwrap_or(0));
    data.extend(TARGET.bytes());
    data.push(0);
    data
}

/// The name at `start`, in lower case and without its last dot, and where it ends. Questions hold no pointers.
fn name_at(packet: &[u8], start: usize) -> Option<(String, usize)> {
    let mut at = start;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        let label = packet.get(at..at + length)?;
        labels.push(str::from_utf8(label).ok()?.to_ascii_lowercase());
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, kind: u16) -> Vec<u8> {
        let mut packet = vec![0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            packet.push(u8::try_from(label.len()).unwrap());
            packet.extend(label.bytes());
        }
        packet.push(0);
        packet.extend([kind, CLASS_IN].iter().flat_map(|word| word.to_be_bytes()));
        packet
    }

    fn ask(name: &str, kind: u16) -> Vec<u8> {
        answer(&question(name, kind), &[("eft.test".to_owned(), 0x1234)]).unwrap()
    }

    #[test]
    fn service_of_a_known_domain_and_of_what_is_below_it_has_the_port() {
        for name in [
            "_xmpp-server._tcp.eft.test",
            "_XMPP-server._tcp.conference.eft.test",
        ] {
            let packet = ask(name, TYPE_SRV);
            assert_eq!(packet[..8], [0xAB, 0xCD, 0x81, 0x80, 0, 1, 0, 1], "{name}");
            assert!(packet.ends_with(b"\x00\x00\x00\x05\x12\x34\x09localhost\x00"));
        }
    }

    #[test]
    fn address_of_a_known_domain_is_this_machine() {
        assert!(ask("eft.test", TYPE_A).ends_with(&[0, 4, 127, 0, 0, 1]));
    }

    #[test]
    fn another_name_is_none_and_another_type_has_no_records() {
        assert_eq!(ask("left.test", TYPE_A)[3], 0x83);
        assert_eq!(ask("_xmpp-server._tcp.test", TYPE_SRV)[3], 0x83);
        let packet = ask("eft.test", 28);
        assert_eq!((packet[3], packet[7]), (0x80, 0));
    }

    #[test]
    fn what_is_no_question_gets_no_answer() {
        for length in 0..30 {
            let whole = question("eft.test", TYPE_A);
            let part = whole.get(..length).unwrap_or(&whole);
            assert_eq!(answer(part, &[]).is_some(), part.len() == whole.len());
        }
    }
}
