//! `eft chat`: lines in, messages out.

mod input;
mod stop;
mod talk;

use eft::{Account, ConnectOptions, Credentials, Eft, ServerAddress};

use crate::args::Chat;
use crate::output::Output;
use crate::{Failure, password};

use talk::Talk;

/// Runs until standard input has ended and everything is said (or, with `--follow`, until interrupted).
pub(crate) async fn run(eft: &Eft, chat: Chat, output: Output) -> Result<(), Failure> {
    let options = connect_options(&chat)?;
    let account = open(eft, &chat).await?;
    let result = talk(&account, &chat, options, output).await;
    account.shut_down().await;
    result
}

async fn talk(
    account: &Account,
    chat: &Chat,
    options: ConnectOptions,
    output: Output,
) -> Result<(), Failure> {
    if chat.accept_downgrade {
        account.accept_downgrade().await?;
    }
    Talk::begin(account, chat, output).await?.run(options).await
}

/// The account's database, made if this is its first chat here.
async fn open(eft: &Eft, chat: &Chat) -> Result<Account, Failure> {
    if eft.accounts()?.contains(&chat.me) {
        return Ok(eft.account(&chat.me).await?);
    }
    let credentials = Credentials {
        jid: chat.me.clone(),
        password: password::ask(&chat.me)?,
    };
    Ok(eft.add_account(credentials).await?)
}

fn connect_options(chat: &Chat) -> Result<ConnectOptions, Failure> {
    let server = chat
        .server
        .as_deref()
        .map(|text| server_address(text, chat.direct_tls))
        .transpose()?;
    let extra_roots_pem = chat
        .ca
        .as_ref()
        .map(|path| {
            std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))
        })
        .transpose()?;
    Ok(ConnectOptions {
        server,
        extra_roots_pem,
        allow_plain: chat.allow_plain,
        resource: None,
    })
}

/// `HOST:PORT`, with brackets around an IPv6 address.
fn server_address(text: &str, direct_tls: bool) -> Result<ServerAddress, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("--server needs HOST:PORT")?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or("--server has a [ without ]")?,
        None if host.contains(':') => return Err("--server needs [ ] around an IPv6 address"),
        None => host,
    };
    if host.is_empty() {
        return Err("--server needs a host before the port");
    }
    Ok(ServerAddress {
        host: host.to_owned(),
        port: port.parse().map_err(|_| "--server needs a port number")?,
        direct_tls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("example.org:5222", "example.org", 5222),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]:5223", "::1", 5223),
        ] {
            let address = server_address(text, true).unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
        }
        for wrong in [
            "",
            "example.org",
            ":5222",
            "a:b",
            "a:70000",
            "::1:5222",
            "[::1:5222",
        ] {
            assert!(server_address(wrong, false).is_err(), "{wrong:?}");
        }
    }
}
