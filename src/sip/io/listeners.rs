//! Listeners: UDP sockets, and streams that peers open.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server};

use super::{Accept, Happening, Happenings, PATIENCE, Report, is_of_earlier, tell};
use crate::certs::{LinkFailure, Refused};
use crate::sip::event::{Input, ListenFault, Notice, SocketId};
use crate::sip::message::MAX_MESSAGE;

/// Peers' handshakes that run at once on one listener.
const HANDSHAKES: usize = 64;
/// The pause after a failed accept, so that a lack of descriptors makes no storm.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A peer's stream, its handshake done.
#[derive(Debug)]
pub(super) enum Incoming {
    Clear(TcpStream),
    Secure(Box<server::TlsStream<TcpStream>>),
}

/// Tells of every datagram that arrives at a socket.
pub(super) async fn receive_datagrams(
    id: SocketId,
    socket: Arc<UdpSocket>,
    happenings: Happenings,
) {
    let mut buffer = vec![0; MAX_MESSAGE];
    loop {
        let (length, peer) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // The queue of refusals has it too.
            Err(error) if is_of_earlier(&error) => continue,
            Err(_) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let bytes = buffer[..length].to_vec();
        tell(&happenings, Input::Datagram { id, peer, bytes }).await;
    }
}

/// A listener for streams, and whom it tells.
pub(super) struct Door {
    pub(super) id: SocketId,
    pub(super) gateway: String,
    /// How TLS is done, asked for each peer; none for clear streams.
    pub(super) accept: Option<Accept>,
    pub(super) happenings: Happenings,
    pub(super) reports: mpsc::UnboundedSender<Report>,
}

/// Tells of every stream that a peer opens, after its handshake where there is one.
pub(super) async fn accept_streams(door: Door, listener: TcpListener) {
    let door = Arc::new(door);
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else {
            return;
        };
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let let_in = door.let_in(stream, peer).await;
            drop(permit);
            let Some((stream, local)) = let_in else {
                return;
            };
            let happening = Happening::Peer {
                listener: door.id,
                stream,
                local,
                peer,
            };
            let _ = door.happenings.send(happening).await;
        });
    }
}

impl Door {
    async fn let_in(&self, stream: TcpStream, peer: SocketAddr) -> Option<(Incoming, SocketAddr)> {
        let local = stream.local_addr().ok()?;
        let Some(accept) = &self.accept else {
            return Some((Incoming::Clear(stream), local));
        };
        // Without a certificate any more, nobody is let in: the listener is being closed.
        let config = accept(&self.gateway).ok()?;
        let accepted = timeout(PATIENCE, TlsAcceptor::from(config).accept(stream)).await;
        match accepted {
            Ok(Ok(stream)) => Some((Incoming::Secure(Box::new(stream)), local)),
            Ok(Err(error)) => {
                self.refuse(peer, &error);
                None
            }
            Err(_) => None,
        }
    }

    /// Anybody may knock: a refused peer is worth a line for who looks closely, not an alarm.
    fn refuse(&self, peer: SocketAddr, error: &io::Error) {
        let steps = Refused::within_io(error).map(|it| it.trail.clone());
        let steps = steps.unwrap_or_default();
        let steps = steps.steps().map(ToString::to_string);
        let end = format!("the peer was not let in: {}", LinkFailure::of_io(error));
        for step in steps.chain([end]) {
            let _ = self.reports.send(Report::Notice(Notice::TlsStep {
                gateway: self.gateway.clone(),
                server: peer.to_string(),
                step,
            }));
        }
    }
}

/// A TCP socket that may take a port whose last connection lingers.
pub(super) fn bind(local: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match local {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(local)?;
    Ok(socket)
}

/// What the system says of a listener, in the stack's words.
pub(super) fn listen_fault(error: &io::Error) -> ListenFault {
    match error.kind() {
        io::ErrorKind::AddrInUse => ListenFault::PortInUse,
        io::ErrorKind::PermissionDenied => ListenFault::NotPermitted,
        io::ErrorKind::AddrNotAvailable => ListenFault::NoSuchAddress,
        _ => ListenFault::Other,
    }
}
