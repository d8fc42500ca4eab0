//! Via: where a request came from and a response goes back to (RFC 3261 §20.42).

use std::fmt;
use std::net::IpAddr;

use super::host::{self, Host};
use super::params::Params;
use super::scan;

/// One Via value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, ... in the case in which it was received.
    pub transport: Box<str>,
    /// Sent-by host.
    pub host: Host,
    /// Sent-by port, if written.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport` and all others.
    pub params: Params,
}

/// What an `rport` parameter says (RFC 3581).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// The client asks to be told its source port.
    Asked,
    /// The server tells it.
    Port(u16),
}

impl Via {
    /// A Via of our own with a branch.
    pub fn new(transport: &str, host: Host, port: Option<u16>, branch: &str) -> Via {
        let mut params = Params::default();
        params.push("branch", Some(branch));
        Via {
            transport: transport.into(),
            host,
            port,
            params,
        }
    }

    /// Reads one value; white space may stand between all its parts.
    pub fn parse(octets: &[u8]) -> Option<Via> {
        let end = scan::find_outside(octets, b';').unwrap_or(octets.len());
        let head = std::str::from_utf8(&octets[..end]).ok()?;
        let (name, rest) = head.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        let rest = rest.trim_ascii_start();
        let (transport, sent_by) = rest.split_at(rest.find(char::is_whitespace)?);
        let sip = name.trim_ascii().eq_ignore_ascii_case("SIP") && version.trim_ascii() == "2.0";
        if !sip || !scan::is_token(transport.as_bytes()) {
            return None;
        }
        let (host, port) = host::host_port(sent_by.trim_ascii())?;
        Some(Via {
            transport: transport.into(),
            host,
            port,
            params: Params::parse(&octets[end..])?,
        })
    }

    /// The transaction's name.
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    /// The address that the request came from, as the next hop saw it; with
    /// brackets or without (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        bare.unwrap_or(text).parse().ok()
    }

    /// RFC 3581 §3: asked for, or told.
    pub fn rport(&self) -> Option<Rport> {
        match self.params.get("rport")? {
            "" => Some(Rport::Asked),
            digits => host::port(digits).map(Rport::Port),
        }
    }

    /// The address to which responses go instead of the source.
    pub fn maddr(&self) -> Option<Host> {
        Host::parse(self.params.get("maddr")?)
    }

    /// Hops that a multicast response may make.
    pub fn ttl(&self) -> Option<u8> {
        self.params.get("ttl")?.parse().ok()
    }

    /// RFC 5923: the connection may carry requests the other way.
    pub fn has_alias(&self) -> bool {
        self.params.contains("alias")
    }

    /// RFC 6223: willing to send keep-alives ("") or asked for them (seconds).
    pub fn keep(&self) -> Option<&str> {
        self.params.get("keep")
    }

    /// Notes the source of a request (RFC 3261 §18.2.1, RFC 3581 §4): `received`
    /// where sent-by does not say it or `rport` was asked for, and the port
    /// where it was asked for.
    pub fn note_source(&mut self, address: IpAddr, port: u16) {
        let asked = self.params.contains("rport");
        if asked || self.host.address() != Some(address) {
            self.params.set("received", Some(&address.to_string()));
        }
        if asked {
            self.params.set("rport", Some(&port.to_string()));
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Via {
        Via::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn white_space_may_stand_between_all_parts() {
        let via = read("SIP  / 2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ; branch =\r\n z9hG4bK1");
        assert_eq!(&*via.transport, "UDP");
        assert_eq!(via.host.to_string(), "192.0.2.2");
        assert_eq!((via.port, via.branch()), (Some(5070), Some("z9hG4bK1")));
    }

    #[test]
    fn the_transport_keeps_its_case() {
        let text = "SIP/2.0/tls gw.example.net;branch=z9hG4bK1;Alias";
        assert_eq!(read(text).to_string(), text);
        assert!(read(text).has_alias());
    }

    #[test]
    fn malformed_values_are_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 UDP h",
            "SIP/3.0/UDP h",
            "XIP/2.0/UDP h",
            "SIP/2.0/UDP h;;branch=x",
            "SIP/2.0/UDP h;",
            "SIP/2.0/UDP 2001:db8::1",
            "SIP/2.0/UDP h h",
            "SIP/2.0/U<P h",
        ] {
            assert_eq!(Via::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn received_reads_with_brackets_and_without() {
        let address = "2001:db8::9:255".parse().ok();
        let with = read("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bK1");
        let without = read("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bK1");
        assert_eq!(with.received(), address);
        assert_eq!(without.received(), address);
    }

    #[test]
    fn the_source_is_noted_where_it_is_not_known_or_asked_for() {
        let source = "192.0.2.9".parse().expect("an address");
        let mut via = read("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1");
        via.note_source(source, 6000);
        assert_eq!(via.to_string(), "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1");
        let mut via = read("SIP/2.0/UDP host.example.net;branch=z9hG4bK1");
        via.note_source(source, 6000);
        assert_eq!((via.received(), via.rport()), (Some(source), None));
        let mut via = read("SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK1");
        assert_eq!(via.rport(), Some(Rport::Asked));
        via.note_source(source, 6000);
        assert_eq!(
            via.to_string(),
            "SIP/2.0/UDP 192.0.2.9;rport=6000;branch=z9hG4bK1;received=192.0.2.9"
        );
        assert_eq!(via.rport(), Some(Rport::Port(6000)));
    }

    #[test]
    fn maddr_ttl_and_keep_are_read() {
        let via = read("SIP/2.0/UDP h;maddr=224.2.0.1;ttl=16;keep=30");
        assert_eq!(via.maddr(), Host::parse("224.2.0.1"));
        assert_eq!((via.ttl(), via.keep()), (Some(16), Some("30")));
    }
}
