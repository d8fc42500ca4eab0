//! Asks a responder over HTTP (RFC 6960 appendix A) whether a server's
//! certificate was revoked. All of it is bounded in time and size.

use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use openssl::rand::rand_bytes;
use tokio::time::timeout;

use super::Lookup;
use super::connect::{Unconnected, connect};
use super::stream::Stream;
use crate::certs::client::Attempt;
use crate::certs::ocsp::{
    Doubt, Inquiry, MAX_RESPONSE, NONCE_LENGTH, Next, Question, Standing, TrustLevel, Verdict,
};

/// What becomes of a server whose handshake is done: whether its certificate
/// was revoked, as far as `trust` asks for it.
///
/// # Errors
/// The sentence for a server that is refused.
pub async fn revocation(
    attempt: &Attempt,
    trust: TrustLevel,
    lookup: &Lookup,
) -> Result<Standing, String> {
    let Some(inquiry) = attempt.inquiry(trust) else {
        return Ok(Standing::NotAsked);
    };
    let found = find_out(&inquiry, lookup).await;
    attempt.judge(trust, &inquiry, found)
}

async fn find_out(inquiry: &Inquiry<'_>, lookup: &Lookup) -> Result<Verdict, Doubt> {
    let mut nonce = [0; NONCE_LENGTH];
    rand_bytes(&mut nonce).map_err(|_| Doubt::NotAsked)?;
    match inquiry.next(nonce) {
        Next::Known(found) => found,
        Next::Ask(question) => {
            let answer = timeout(WHOLE, ask(&question, lookup)).await;
            let answer = answer.map_err(|_| Doubt::TimedOut {
                host: question.responder.authority(),
            })??;
            inquiry.answered(&question, &answer)
        }
    }
}

async fn ask(question: &Question, lookup: &Lookup) -> Result<Bytes, Doubt> {
    let responder = &question.responder;
    let connection = connect(&responder.host, responder.port, lookup, WHOLE).await?;
    let host = responder.authority();
    let strange = || Doubt::NotHttp { host: host.clone() };
    let request = Request::post(responder.target())
        .header(header::HOST, &host)
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "Demarc")
        .header(header::CONTENT_TYPE, "application/ocsp-request")
        .header(header::ACCEPT, "application/ocsp-response")
        .body(Full::new(Bytes::from(question.request.clone())))
        .map_err(|_| strange())?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(Stream(connection))
        .await
        .map_err(|_| strange())?;
    let exchange = async {
        let response = sender.send_request(request).await;
        answer(response.map_err(|_| strange())?, &host).await
    };
    let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // The last octets may still be on their way to the exchange.
        _ = &mut connection => exchange.await,
    }
}

async fn answer(response: Response<Incoming>, host: &str) -> Result<Bytes, Doubt> {
    let host = host.to_owned();
    match response.status().as_u16() {
        200 => {
            let body = Limited::new(response.into_body(), MAX_RESPONSE);
            let body = body.collect().await.map_err(|_| Doubt::NotHttp { host })?;
            Ok(body.to_bytes())
        }
        status => Err(Doubt::Status { host, status }),
    }
}

impl From<Unconnected> for Doubt {
    fn from(why: Unconnected) -> Self {
        match why {
            Unconnected::NoAddress { host } => Self::NoAddress { host },
            Unconnected::Unreachable { peer, kind } => Self::Unreachable { peer, kind },
        }
    }
}

/// From the first address on: a link waits for it.
const WHOLE: Duration = Duration::from_secs(5);
/// Octets of the head of an answer.
const MAX_HEAD: usize = 16_384;
