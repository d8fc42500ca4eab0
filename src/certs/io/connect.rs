//! A connection to a server by its name or address.
//!
//! Each address gets its time until one answers.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Lookup;
use crate::certs::identity::Host;

/// Why there is no connection.
pub(super) enum Unconnected {
    /// The name has no address.
    NoAddress { host: String },
    /// The last address tried does not answer.
    Unreachable { peer: String, kind: io::ErrorKind },
}

/// Connects to the first address that answers within `patience`.
pub(super) async fn connect(
    host: &Host,
    port: u16,
    lookup: &Lookup,
    patience: Duration,
) -> Result<TcpStream, Unconnected> {
    let addresses: Vec<IpAddr> = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => lookup(name.as_ref().to_owned()).await,
    };
    let mut failure = Unconnected::NoAddress {
        host: host.to_string(),
    };
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        let connected = timeout(patience, TcpStream::connect((address, port))).await;
        let kind = match connected {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error.kind(),
            Err(_) => io::ErrorKind::TimedOut,
        };
        failure = Unconnected::Unreachable {
            peer: format!("{host} port {port}"),
            kind,
        };
    }
    Err(failure)
}

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
