//! A stream's sockets: finding free ports, and marking what leaves.

use super::super::engine::Port;
use super::super::seam::{Failure, Kind, Ports};
use super::batch::Family;
use socket2::SockRef;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;

/// Of one stream.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) family: Family,
    media: UdpSocket,
    control: Option<UdpSocket>,
}

impl Sockets {
    /// Takes the first free ports from `start` on, over the end of the range to its beginning.
    pub(super) fn bind(ports: &Ports, start: u16) -> Result<Self, Failure> {
        let Ports {
            address,
            first,
            last,
            kind,
        } = *ports;
        let all = (first..=last).filter(|port| kind == Kind::Single || port.is_multiple_of(2));
        let from = all.clone().filter(|port| *port >= start);
        for port in from.chain(all.take_while(|port| *port < start)) {
            match Self::at(ports, port) {
                Ok(sockets) => return Ok(sockets),
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => {
                    let code = error.raw_os_error().unwrap_or(0);
                    return Err(Failure::System { address, code });
                }
            }
        }
        Err(Failure::NoPort {
            address,
            first,
            last,
        })
    }

    fn at(ports: &Ports, port: u16) -> io::Result<Self> {
        let open = |port| -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind((ports.address, port))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let media = open(port)?;
        let control = match (ports.kind, port.checked_add(1)) {
            (Kind::Single, _) => None,
            (Kind::Pair, Some(next)) if next <= ports.last => Some(open(next)?),
            (Kind::Pair, _) => return Err(ErrorKind::AddrInUse.into()),
        };
        let family = match ports.address.is_ipv4() {
            true => Family::Four,
            false => Family::Six,
        };
        Ok(Self {
            family,
            media,
            control,
        })
    }

    /// The ports of media and of RTCP.
    pub(super) fn ports(&self) -> (u16, Option<u16>) {
        let port = |socket: &UdpSocket| socket.local_addr().map_or(0, |address| address.port());
        (port(&self.media), self.control.as_ref().map(port))
    }

    pub(super) fn of(&self, port: Port) -> Option<&UdpSocket> {
        match port {
            Port::Media => Some(&self.media),
            Port::Control => self.control.as_ref(),
        }
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (Port, &UdpSocket)> {
        let media = [(Port::Media, &self.media)];
        let control = self.control.as_ref().map(|socket| (Port::Control, socket));
        media.into_iter().chain(control)
    }

    /// RFC 2474 §3: the code point is the upper six bits. A system that refuses it sends without.
    pub(super) fn mark(&self, dscp: u8) {
        let octet = u32::from(dscp.min(63)) << 2;
        for (_, socket) in self.each() {
            let socket = SockRef::from(socket);
            let _ = match self.family {
                Family::Four => socket.set_tos_v4(octet),
                Family::Six => socket.set_tclass_v6(octet),
            };
        }
    }
}
