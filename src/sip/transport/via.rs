//! Via: the return address of our requests, and where our responses go.

use std::net::SocketAddr;

use crate::sip::link::Flow;
use crate::sip::message::{HeaderName, Headers, Host, Rport, Via};
use crate::sip::rng::Rng;
use crate::sip::transaction::table::Hop;
use crate::sip::transport::{PORT, Transport};

/// What every branch of RFC 3261 starts with (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// A branch never used before.
pub fn new_branch(rng: &mut Rng) -> String {
    format!("{MAGIC_COOKIE}{}", rng.token())
}

/// The Via of a request of ours through `flow`: its sent-by is the flow's
/// local end, which is the listening or the persistent port.
pub fn own(flow: &Flow, branch: &str) -> Via {
    let host = Host::from(flow.local.ip());
    let mut via = Via::new(
        flow.transport.token(),
        host,
        Some(flow.local.port()),
        branch,
    );
    // RFC 3581 §3: answers come back to the port that we send from.
    if flow.transport == Transport::Udp {
        via.params.push("rport", None);
    }
    via
}

/// Writes into the topmost Via where the request came from (RFC 3261 §18.2.1, RFC 3581 §4).
pub fn note_source(headers: &mut Headers, peer: SocketAddr) {
    let Ok(mut vias) = headers.vias() else { return };
    let Some(top) = vias.first_mut() else { return };
    top.note_source(peer.ip(), peer.port());
    headers.remove(&HeaderName::Via);
    for via in vias.into_iter().rev() {
        headers.prepend(HeaderName::Via, via);
    }
}

/// Where a response to a datagram goes (RFC 3261 §18.2.2, RFC 3581 §4).
///
/// `via` is the topmost one after [`note_source`]; a name in sent-by is not
/// looked up, since `received` stands beside it.
pub fn response_destination(via: &Via, peer: SocketAddr) -> SocketAddr {
    if let Some(address) = via.maddr().and_then(|it| it.address()) {
        return SocketAddr::new(address, via.port.unwrap_or(PORT));
    }
    let ip = via.received().unwrap_or(peer.ip());
    match via.rport() {
        Some(Rport::Port(port)) => SocketAddr::new(ip, port),
        Some(Rport::Asked) => SocketAddr::new(ip, peer.port()),
        None => SocketAddr::new(ip, via.port.unwrap_or(PORT)),
    }
}

/// Where a response goes whose connection is gone: to the source of the
/// request, at the port of sent-by (RFC 3261 §18.2.2).
pub fn way_back(via: &Via, hop: Hop) -> SocketAddr {
    let ip = via.received().unwrap_or(hop.peer.ip());
    let port = via.port.unwrap_or(hop.transport.default_port());
    SocketAddr::new(ip, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Via {
        Via::parse(text.as_bytes()).expect("a Via")
    }

    fn addr(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_response_goes_to_the_source_port_where_rport_asks_for_it() {
        let mut via = via("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKx;rport");
        via.note_source(addr("192.0.2.1:9999").ip(), 9999);
        let to = response_destination(&via, addr("192.0.2.1:9999"));
        assert_eq!(to, addr("192.0.2.1:9999"));
    }

    #[test]
    fn without_rport_a_response_goes_to_the_source_address_and_the_sent_by_port() {
        let mut via = via("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKx");
        via.note_source(addr("192.0.2.1:9999").ip(), 9999);
        let to = response_destination(&via, addr("192.0.2.1:9999"));
        assert_eq!(to, addr("192.0.2.1:5070"));
    }

    #[test]
    fn without_a_port_in_sent_by_a_response_goes_to_5060() {
        let via = via("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx");
        let to = response_destination(&via, addr("192.0.2.1:9999"));
        assert_eq!(to, addr("192.0.2.1:5060"));
    }

    #[test]
    fn an_address_in_maddr_comes_before_all_else() {
        let via = via("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;maddr=192.0.2.9");
        let to = response_destination(&via, addr("192.0.2.1:9999"));
        assert_eq!(to, addr("192.0.2.9:5060"));
    }

    #[test]
    fn noting_the_source_changes_the_topmost_via_only() {
        let mut headers = Headers::new();
        let two =
            "SIP/2.0/UDP a.example;branch=z9hG4bK1;rport, SIP/2.0/TCP b.example;branch=z9hG4bK2";
        headers.push(HeaderName::Via, two);
        note_source(&mut headers, addr("192.0.2.1:7000"));
        let vias = headers.vias().expect("both");
        assert_eq!(vias[0].received(), Some(addr("192.0.2.1:1").ip()));
        assert_eq!(vias[1].received(), None);
        assert_eq!(vias.len(), 2);
    }
}
