//! TLS of the streams that we open: the handshake, and what it led to.

use std::io;
use std::sync::Arc;

use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Handshake, Happenings, Tls, tell};
use crate::certs::{Attempt, Certificate, Step};
use crate::sip::event::{Connect, Input, Session, Stage, TlsRefusal};
use crate::wire::time::UnixTime;

/// Shakes hands with the server of `connect`.
pub(super) async fn shake(
    connect: &Connect,
    tls: &Tls,
    stream: TcpStream,
    happenings: &Happenings,
) -> Result<(TlsStream<TcpStream>, Arc<Attempt>), TlsRefusal> {
    let Handshake {
        attempt,
        revocation,
    } = (tls.dial)(connect).map_err(TlsRefusal::from)?;
    let id = connect.id;
    let advanced = |stage| tell(happenings, Input::Advanced { id, stage });
    advanced(Stage::Handshake).await;
    let connector = TlsConnector::from(attempt.config());
    let shaken = connector.connect(attempt.server_name(), stream).await;
    let stream = shaken.map_err(|error| refusal(&attempt, &error))?;
    advanced(Stage::Revocation).await;
    match revocation.await {
        Ok(()) => Ok((stream, attempt)),
        Err(reason) => Err(TlsRefusal {
            reason,
            steps: steps(&attempt),
        }),
    }
}

/// Why TLS was refused, with every step that was taken until then.
pub(super) fn refusal(attempt: &Attempt, error: &io::Error) -> TlsRefusal {
    TlsRefusal {
        reason: attempt.explain(error).1,
        steps: steps(attempt),
    }
}

fn steps(attempt: &Attempt) -> Vec<String> {
    attempt.trail().steps().map(ToString::to_string).collect()
}

/// What the two sides agreed on, and who the server is.
pub(super) fn session(stream: &TlsStream<TcpStream>, attempt: &Attempt) -> Session {
    let (_, connection) = stream.get_ref();
    let suite = connection.negotiated_cipher_suite();
    let server = server(attempt);
    Session {
        version: connection
            .protocol_version()
            .map(version)
            .unwrap_or_default(),
        cipher_suite: suite
            .and_then(|it| it.suite().as_str())
            .map(registered)
            .unwrap_or_default(),
        subject: server
            .as_ref()
            .map(|it| it.subject.to_string())
            .unwrap_or_default(),
        expiry: server
            .and_then(|it| u64::try_from(it.not_after).ok())
            .map(UnixTime::from_secs),
    }
}

/// The certificate that the server presented first: its own.
fn server(attempt: &Attempt) -> Option<Certificate> {
    attempt.trail().steps().find_map(|step| match step {
        Step::Presented {
            place: 1,
            certificate,
            ..
        } => Some(Certificate::clone(certificate)),
        Step::Presented { .. }
        | Step::Enough(_)
        | Step::Chained { .. }
        | Step::Usable
        | Step::NotRevoked
        | Step::Doubtful(_)
        | Step::Named { .. } => None,
    })
}

fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The library writes `TLS13_` where the registry of IANA has `TLS_`.
fn registered(suite: &str) -> String {
    match suite.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => suite.to_owned(),
    }
}
