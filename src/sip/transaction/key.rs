//! Which transaction a message belongs to (RFC 3261 §17.1.3 and §17.2.3).

use crate::sip::message::{Method, Request, Response};
use crate::sip::transport::via::MAGIC_COOKIE;

/// Names a client transaction: the branch that we made, and the method (§17.1.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey {
    branch: String,
    method: String,
}

impl ClientKey {
    /// The key of a request that we send.
    pub fn of_request(branch: &str, method: &Method) -> Self {
        Self {
            branch: branch.to_owned(),
            method: method.as_str().to_owned(),
        }
    }

    /// The branch that we made.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The key that a response answers to, if it can be told.
    pub fn of_response(response: &Response) -> Option<Self> {
        let via = response.headers.via().ok()?;
        let cseq = response.headers.cseq().ok()?;
        Some(Self::of_request(via.branch()?, &cseq.method))
    }
}

/// Names a server transaction (§17.2.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerKey {
    /// The peer speaks RFC 3261: branch, sent-by and method.
    Branch {
        /// The branch of the topmost Via.
        branch: String,
        /// Its sent-by, since branches of different clients may meet.
        sent_by: String,
        /// INVITE also for ACK.
        method: String,
    },
    /// A branch without the magic cookie: what RFC 2543 compared.
    Legacy {
        /// The Request-URI.
        uri: Vec<u8>,
        /// The tag of the From.
        from_tag: String,
        /// The Call-ID.
        call_id: String,
        /// The number of the CSeq.
        cseq: u32,
        /// The topmost Via.
        via: String,
        /// INVITE also for ACK.
        method: String,
    },
}

impl ServerKey {
    /// The key of a request that arrived, if it has what a key is made of.
    pub fn of(request: &Request) -> Option<Self> {
        Self::with_method(request, matched_method(&request.method))
    }

    /// The key of the INVITE that a CANCEL is for (§9.2).
    pub fn of_cancelled(cancel: &Request) -> Option<Self> {
        Self::with_method(cancel, Method::Invite.as_str())
    }

    fn with_method(request: &Request, method: &str) -> Option<Self> {
        let via = request.headers.via().ok()?;
        let method = method.to_owned();
        match via.branch() {
            Some(branch) if branch.starts_with(MAGIC_COOKIE) => Some(Self::Branch {
                branch: branch.to_owned(),
                sent_by: format!("{}:{}", via.host, via.port.unwrap_or(0)).to_ascii_lowercase(),
                method,
            }),
            _ => Some(Self::Legacy {
                uri: request.uri.as_bytes().to_vec(),
                from_tag: tag_of_from(request),
                call_id: request.headers.call_id().ok()?.to_owned(),
                cseq: request.headers.cseq().ok()?.number,
                via: via.to_string(),
                method,
            }),
        }
    }
}

/// What an ACK has in common with its INVITE whatever its branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallMark {
    call_id: String,
    from_tag: String,
    cseq: u32,
}

impl CallMark {
    /// The mark of a request, if it has one.
    pub fn of(request: &Request) -> Option<Self> {
        Some(Self {
            call_id: request.headers.call_id().ok()?.to_owned(),
            from_tag: tag_of_from(request),
            cseq: request.headers.cseq().ok()?.number,
        })
    }
}

fn tag_of_from(request: &Request) -> String {
    let from = request.headers.from().ok();
    let tag = from.as_ref().and_then(|it| it.tag());
    tag.unwrap_or_default().to_owned()
}

/// §17.2.3: an ACK matches the INVITE that it acknowledges.
fn matched_method(method: &Method) -> &str {
    match method {
        Method::Ack => Method::Invite.as_str(),
        method => method.as_str(),
    }
}
