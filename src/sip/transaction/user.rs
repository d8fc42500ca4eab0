//! Who sends, and by which hop.

use std::net::SocketAddr;

use crate::sip::event::{Output, SocketId};
use crate::sip::link::{Flow, LinkId};
use crate::sip::register::RegistrationId;
use crate::sip::session::LegId;
use crate::sip::transport::Transport;

/// Whom a client transaction tells how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// A registration.
    Registration(RegistrationId),
    /// The keep-alive of a link.
    KeepAlive(LinkId),
    /// A leg of a call, by the number of its request.
    Call(LegId, u32),
    /// Nobody: a CANCEL has done its work when it was sent.
    Nobody,
}

/// Where a message of a transaction goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The stream, or the listener that datagrams leave from.
    pub socket: SocketId,
    /// The other end.
    pub peer: SocketAddr,
    /// What it is.
    pub transport: Transport,
}

impl Hop {
    /// The shell's order to send `bytes` there.
    pub fn send(&self, bytes: Vec<u8>) -> Output {
        let id = self.socket;
        let peer = self.peer;
        match self.transport {
            Transport::Udp => Output::Datagram { id, peer, bytes },
            Transport::Tcp | Transport::Tls => Output::Write { id, bytes },
        }
    }
}

impl From<Flow> for Hop {
    fn from(flow: Flow) -> Self {
        Self {
            socket: flow.socket,
            peer: flow.peer,
            transport: flow.transport,
        }
    }
}
