//! A connection to a server by its name or address.
//!
//! Each address gets its time until one answers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::Lookup;
use crate::certs::identity::Host;

/// Why there is no connection.
pub(crate) enum Unconnected {
    /// The name has no address.
    NoAddress { host: String },
    /// The last address tried does not answer.
    Unreachable { peer: String, kind: io::ErrorKind },
}

/// Connects to the first address that answers within `patience`.
pub(crate) async fn connect(
    host: &Host,
    port: u16,
    lookup: &Lookup,
    patience: Duration,
) -> Result<TcpStream, Unconnected> {
    connect_from(None, host, port, lookup, patience).await
}

/// As [`connect`], from an address of this host where one is given.
pub(crate) async fn connect_from(
    from: Option<IpAddr>,
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
        let there = SocketAddr::new(address, port);
        let connected = timeout(patience, dial(from, there)).await;
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

async fn dial(from: Option<IpAddr>, there: SocketAddr) -> io::Result<TcpStream> {
    let Some(from) = from else {
        return TcpStream::connect(there).await;
    };
    let socket = match there {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(there).await
}

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
