//! Listeners: UDP sockets, and streams that peers open.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server};

use super::{Happening, Happenings, PATIENCE, tell};
use crate::sip::event::{Input, ListenFault, SocketId};
use crate::sip::message::MAX_MESSAGE;

/// Peers' handshakes that run at once on one listener.
const HANDSHAKES: usize = 64;
/// The pause after a failed accept, so that a lack of descriptors makes no storm.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
        // An error here is that of an earlier datagram; the socket goes on.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let bytes = buffer[..length].to_vec();
        tell(&happenings, Input::Datagram { id, peer, bytes }).await;
    }
}

/// Tells of every stream that a peer opens, after its handshake where there is one.
pub(super) async fn accept_streams(
    listener_id: SocketId,
    listener: TcpListener,
    config: Option<Arc<ServerConfig>>,
    happenings: Happenings,
) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else {
            return;
        };
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        let happenings = happenings.clone();
        let config = config.clone();
        tokio::spawn(async move {
            let stream = match config {
                None => Some(Incoming::Clear(stream)),
                Some(config) => shake(config, stream).await,
            };
            drop(permit);
            let Some(stream) = stream else { return };
            let happening = Happening::Peer {
                listener: listener_id,
                stream,
                local,
                peer,
            };
            let _ = happenings.send(happening).await;
        });
    }
}

async fn shake(config: Arc<ServerConfig>, stream: TcpStream) -> Option<Incoming> {
    let accepted = timeout(PATIENCE, TlsAcceptor::from(config).accept(stream)).await;
    let stream = accepted.ok()?.ok()?;
    Some(Incoming::Secure(Box::new(stream)))
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
