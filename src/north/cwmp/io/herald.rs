//! Carries lightweight notifications to their server, one datagram each.
//!
//! What cannot leave is told of once, until one has left again; it is never
//! sent a second time.

use super::super::client::Announcement;
use crate::certs::io::Lookup;
use crate::tree::{Tree, messages};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A datagram to be sent.
pub(super) struct Errand {
    pub(super) announcement: Announcement,
    /// The address that it leaves from; None: as the host's routes say.
    pub(super) from: Option<IpAddr>,
}

/// Sends one after the other.
pub(super) async fn carry(mut errands: mpsc::Receiver<Errand>, lookup: Lookup, tree: Tree) {
    let mut told = String::new();
    while let Some(errand) = errands.recv().await {
        let sent = timeout(PATIENCE, send(&errand, &lookup)).await;
        let why = match sent {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "its address is not found in time".to_owned(),
        };
        if !why.is_empty() && why != told {
            let Announcement { host, port, .. } = &errand.announcement;
            let server = format!("{host}:{port}");
            tree.notify(&messages::ACS_NOT_ANNOUNCED.with([&server, &why]));
        }
        told = why;
    }
}

async fn send(errand: &Errand, lookup: &Lookup) -> io::Result<()> {
    let host = &errand.announcement.host;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = match bare.parse() {
        Ok(address) => Some(address),
        Err(_) => lookup(host.clone()).await.into_iter().next(),
    };
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let address: IpAddr = address.ok_or_else(unknown)?;
    let any = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = errand.from.unwrap_or(any);
    let socket = UdpSocket::bind(SocketAddr::new(from, 0)).await?;
    let there = SocketAddr::new(address, errand.announcement.port);
    socket.send_to(&errand.announcement.octets, there).await?;
    Ok(())
}

/// For finding the address and sending.
const PATIENCE: Duration = Duration::from_secs(10);
