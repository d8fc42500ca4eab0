//! Streams: opened on the stack's order, and carried until either side ends them.

use std::io;
use std::sync::Arc;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::listeners::bind;
use super::secure::{self, refusal};
use super::{Happenings, PATIENCE, Tls, tell};
use crate::certs::Attempt;
use crate::sip::event::{Connect, Input, SocketId, StreamFault, TcpKeepAlive};
use crate::sip::transport::Transport;

/// Octets read from a stream at once.
const CHUNK: usize = 16_384;

/// Messages on their way to a stream; its end closes the stream.
pub(super) type Orders = mpsc::Receiver<Vec<u8>>;

/// Opens a stream and carries it; ends early when the stack no longer wants it.
pub(super) async fn open(connect: Connect, tls: Tls, mut orders: Orders, happenings: Happenings) {
    let id = connect.id;
    let opened = tokio::select! {
        opened = reach(&connect) => opened,
        // Nothing is written before the stream is open, so this is the end.
        _ = orders.recv() => return,
    };
    let stream = match opened {
        Ok(stream) => stream,
        Err(fault) => return tell(&happenings, Input::Failed { id, fault }).await,
    };
    let local = stream.local_addr().unwrap_or(connect.local);
    if connect.transport != Transport::Tls {
        let session = None;
        tell(&happenings, Input::Opened { id, local, session }).await;
        return carry(id, stream, orders, happenings, None).await;
    }
    let shaken = tokio::select! {
        shaken = secure::shake(&connect, &tls, stream, &happenings) => shaken,
        _ = orders.recv() => return,
    };
    match shaken {
        Ok((stream, attempt)) => {
            let session = Some(Box::new(secure::session(&stream, &attempt)));
            tell(&happenings, Input::Opened { id, local, session }).await;
            carry(id, stream, orders, happenings, Some(attempt)).await;
        }
        Err(refused) => {
            let fault = StreamFault::Handshake(refused);
            tell(&happenings, Input::Failed { id, fault }).await;
        }
    }
}

pub(super) async fn reach(connect: &Connect) -> Result<TcpStream, StreamFault> {
    let fault = |error: io::Error| stream_fault(&error);
    let socket = bind(connect.local).map_err(fault)?;
    if let Some(wish) = connect.tcp_keep_alive {
        keep_alive(&socket, wish).map_err(fault)?;
    }
    let stream = socket.connect(connect.peer).await.map_err(fault)?;
    // Messages are whole when they are written: waiting for more only delays them.
    stream.set_nodelay(true).map_err(fault)?;
    Ok(stream)
}

/// Probes by the system: the first after `interval` without traffic, and so often.
fn keep_alive(socket: &TcpSocket, wish: TcpKeepAlive) -> io::Result<()> {
    let probes = TcpKeepalive::new()
        .with_time(wish.interval)
        .with_interval(wish.interval)
        // The system takes no 0: the first probe is the first retry.
        .with_retries(wish.retry.max(1));
    SockRef::from(socket).set_tcp_keepalive(&probes)
}

/// Moves octets both ways until either side ends it.
pub(super) async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    id: SocketId,
    stream: S,
    mut orders: Orders,
    happenings: Happenings,
    attempt: Option<Arc<Attempt>>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; CHUNK];
    let input = loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(bytes) = order else {
                    // The peer is told; whether it listens is its affair.
                    let _ = timeout(PATIENCE, writer.shutdown()).await;
                    return;
                };
                match timeout(PATIENCE, write_whole(&mut writer, &bytes)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break failed(id, &error, attempt.as_deref()),
                    Err(_) => break Input::Failed { id, fault: StreamFault::TimedOut },
                }
            }
            read = reader.read(&mut buffer) => match read {
                Ok(0) => return finish(id, &mut writer, orders, happenings).await,
                Ok(length) => {
                    let bytes = buffer[..length].to_vec();
                    tell(&happenings, Input::Data { id, bytes }).await;
                }
                // A TLS peer that closes without a word has closed all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    break Input::Closed { id };
                }
                Err(error) => break failed(id, &error, attempt.as_deref()),
            },
        }
    };
    tell(&happenings, input).await;
}

/// The peer says no more. What it said was told before its end is, so the answer
/// is among the orders by the time that these end.
async fn finish<W: AsyncWrite + Unpin>(
    id: SocketId,
    writer: &mut W,
    mut orders: Orders,
    happenings: Happenings,
) {
    tell(&happenings, Input::Closed { id }).await;
    while let Some(bytes) = orders.recv().await {
        let written = timeout(PATIENCE, write_whole(writer, &bytes)).await;
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
    // Whether the peer listens is its affair.
    let _ = timeout(PATIENCE, writer.shutdown()).await;
}

async fn write_whole<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}

/// In TLS 1.3 a server refuses our certificate only after the handshake.
fn failed(id: SocketId, error: &io::Error, attempt: Option<&Attempt>) -> Input {
    let by_tls = error.get_ref().is_some_and(|it| it.is::<rustls::Error>());
    let fault = match attempt.filter(|_| by_tls) {
        Some(attempt) => StreamFault::Handshake(refusal(attempt, error)),
        // On a stream that stands, this is what unanswered probes end in.
        None if error.kind() == io::ErrorKind::TimedOut => StreamFault::Silent,
        None => StreamFault::Reset,
    };
    Input::Failed { id, fault }
}

fn stream_fault(error: &io::Error) -> StreamFault {
    match error.kind() {
        // A port whose last connection to the same peer lingers cannot be used either.
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => StreamFault::PortBusy,
        io::ErrorKind::ConnectionRefused => StreamFault::Refused,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => StreamFault::Unreachable,
        io::ErrorKind::TimedOut => StreamFault::TimedOut,
        _ => StreamFault::Reset,
    }
}
