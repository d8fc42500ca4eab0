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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_datagram_arrives_and_a_name_without_an_address_is_told_of_once() {
        let there = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        there
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout");
        let port = there.local_addr().expect("bound").port();
        let lookup: Lookup = Arc::new(|name| {
            let known = name == "acs.example";
            let found = known.then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
            Box::pin(async move { found.into_iter().collect() })
        });
        let tree = Tree::in_memory();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        tree.on_notice(move |notice| heard.lock().expect("unpoisoned").push(notice.id));
        let errand = |host: &str| Errand {
            announcement: Announcement {
                host: host.to_owned(),
                port,
                octets: host.as_bytes().to_vec(),
            },
            from: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (send, receive) = mpsc::channel(4);
            for host in ["nobody.example", "nobody.example", "acs.example"] {
                assert!(send.send(errand(host)).await.is_ok());
            }
            drop(send);
            carry(receive, lookup, tree.clone()).await;
        });
        let mut octets = [0; 64];
        let length = there.recv(&mut octets).expect("it arrives");
        assert_eq!(&octets[..length], b"acs.example");
        assert_eq!(*said.lock().expect("unpoisoned"), [60]);
    }
}
