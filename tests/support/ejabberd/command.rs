//! ejabberd's HTTP interface for operators (`mod_http_api`), as much of it as the tests need.

use std::io;
use std::net::Ipv4Addr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::EjabberdError;

/// Runs a command that answers with success or a reason.
pub(super) async fn run(
    port: u16,
    command: &'static str,
    arguments: &Value,
) -> Result<(), EjabberdError> {
    let refused = |output: String| EjabberdError::Refused { command, output };
    let answer = post(port, command, &arguments.to_string())
        .await
        .map_err(|error| refused(error.to_string()))?;
    if answer.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(refused(answer))
    }
}

async fn post(port: u16, command: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "POST /api/{command} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
