//! SIP messages: parser and printer (RFC 3261 §7 and §25).
//!
//! Reading is lossless: a message prints back the octets it came from unless
//! somebody changes it. Reading is also lenient, so that a wrong request can be
//! answered; [`validate()`] is the judge, with the status code of its verdict.
//! Nothing here knows transactions, sockets or time.

mod abilities;
mod address;
mod compare;
mod contact;
mod cseq;
mod error;
mod escape;
pub mod framing;
mod head;
mod headers;
mod host;
mod limits;
mod method;
mod name;
mod octets;
mod params;
mod refuse;
mod request;
mod response;
mod scan;
mod status;
mod typed;
mod uri;
mod uri_grammar;
mod validate;
mod via;

pub use abilities::Abilities;
pub use address::NameAddr;
pub use contact::Contact;
pub use cseq::CSeq;
pub use error::{FieldError, ParseError};
pub use escape::{escape_param, escape_user, unescape};
pub use headers::Headers;
pub use host::Host;
pub use limits::{MAX_HEADERS, MAX_LINE, MAX_MESSAGE, MAX_PARAMS, MAX_URI, MAX_VALUES, MAX_VIAS};
pub use method::Method;
pub use name::HeaderName;
pub use params::Params;
pub use refuse::{Discard, Refuse};
pub use request::{Request, RequestUri, Version};
pub use response::Response;
pub use status::StatusCode;
pub use uri::{Scheme, Uri};
pub use validate::{validate, validate_response};
pub use via::{Rport, Via};

/// One SIP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads one datagram. The body is what Content-Length says, at most what is
    /// there; what follows it is no part of the message (RFC 3261 §18.3).
    pub fn parse(datagram: &[u8]) -> Result<Message, ParseError> {
        let (mut message, rest) = head::read(datagram)?;
        let said = message.headers().content_length().ok().flatten();
        let length = said.unwrap_or(rest.len()).min(rest.len());
        *message.body_mut() = rest[..length].to_vec();
        Ok(message)
    }

    /// The octets to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }

    /// The header fields of either kind.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The header fields of either kind, to change.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Message::Request(request) => &mut request.headers,
            Message::Response(response) => &mut response.headers,
        }
    }

    fn body_mut(&mut self) -> &mut Vec<u8> {
        match self {
            Message::Request(request) => &mut request.body,
            Message::Response(response) => &mut response.body,
        }
    }
}
