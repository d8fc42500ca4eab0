//! Why a request is refused, with the code that says so; why a response is not heard.

use thiserror::Error;

use super::error::FieldError;
use super::method::Method;
use super::status::StatusCode;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refuse {
    /// The version is another than 2.0.
    #[error("the version is not 2.0")]
    Version,
    /// The request line breaks its grammar.
    #[error("the request line is malformed")]
    RequestLine,
    /// The Request-URI is longer than [`MAX_URI`](super::MAX_URI).
    #[error("the Request-URI has {0} octets")]
    UriTooLong(usize),
    /// The Request-URI holds headers, which it must not (RFC 3261 §19.1.1).
    #[error("the Request-URI holds headers")]
    UriHeaders,
    /// The Request-URI is none of sip, sips and tel.
    #[error("the scheme of the Request-URI is not known")]
    Scheme,
    /// A line of the head is no header field, or holds a stray line end.
    #[error("line {0} is no header field")]
    Line(usize),
    /// A header field is missing, repeated or malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The CSeq names another method than the request line.
    #[error("the methods of CSeq and request line differ")]
    MethodMismatch,
    /// The branch is the magic cookie and nothing else (RFC 4475 §3.2.1).
    #[error("the branch names no transaction")]
    EmptyBranch,
    /// The datagram ends before the body does.
    #[error("the body is shorter than Content-Length")]
    BodyTooShort,
    /// The method is known to nobody here.
    #[error("the method {0} is not implemented")]
    UnknownMethod(Method),
    /// The method is known but not served.
    #[error("the method {0} is not allowed")]
    MethodNotAllowed(Method),
    /// Extensions are required that are not supported: for Unsupported.
    #[error("extensions are required that are not supported")]
    Required(Vec<String>),
    /// The body's type is not understood.
    #[error("the media type of the body is not supported")]
    MediaType,
    /// The body's encoding is not understood.
    #[error("the encoding of the body is not supported")]
    Encoding,
    /// The sender accepts nothing that could be answered.
    #[error("the sender accepts none of the media types")]
    NotAcceptable,
}

impl Refuse {
    /// The code that answers such a request.
    pub fn status(&self) -> StatusCode {
        match self {
            Refuse::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Refuse::UriTooLong(_) => StatusCode::URI_TOO_LONG,
            Refuse::Scheme => StatusCode::UNSUPPORTED_URI_SCHEME,
            Refuse::UnknownMethod(_) => StatusCode::NOT_IMPLEMENTED,
            Refuse::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Refuse::Required(_) => StatusCode::BAD_EXTENSION,
            Refuse::MediaType | Refuse::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refuse::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Refuse::RequestLine
            | Refuse::UriHeaders
            | Refuse::Line(_)
            | Refuse::Field(_)
            | Refuse::MethodMismatch
            | Refuse::EmptyBranch
            | Refuse::BodyTooShort => StatusCode::BAD_REQUEST,
        }
    }
}

/// Why a response is thrown away without a word.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Discard {
    /// A line of the head is no header field, or holds a stray line end.
    #[error("line {0} is no header field")]
    Line(usize),
    /// A header field is missing, repeated or malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is another Via below ours: the response is not for us
    /// (RFC 3261 §8.1.3.3).
    #[error("the response has more than one Via")]
    NotForUs,
    /// The datagram ends before the body does (RFC 3261 §18.3).
    #[error("the body is shorter than Content-Length")]
    BodyTooShort,
}
