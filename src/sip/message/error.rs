//! Why octets are no message, and why a header field is not what its name says.

use thiserror::Error;

use super::name::HeaderName;

/// Why octets cannot be read as a message at all. Whoever gets this cannot
/// answer: what could be answered parses, and is refused by
/// [`validate`](super::validate()).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Over [`MAX_MESSAGE`](super::MAX_MESSAGE).
    #[error("the message has {0} octets")]
    TooLarge(usize),
    /// Neither a request line nor a status line.
    #[error("the start line is none of SIP")]
    StartLine,
    /// A status code that is not three digits from 100 to 699.
    #[error("the status code is out of range")]
    StatusCode,
    /// Over [`MAX_HEADERS`](super::MAX_HEADERS).
    #[error("too many header fields")]
    TooManyHeaders,
    /// Over [`MAX_LINE`](super::MAX_LINE), folds included.
    #[error("line {0} is too long")]
    LineTooLong(usize),
    /// The octets end within a line of the head.
    #[error("the head breaks off")]
    Truncated,
}

/// Why a header field cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// It is not there.
    #[error("{0} is missing")]
    Missing(HeaderName),
    /// It is there more than once, and may not be (RFC 3261 §7.3.1).
    #[error("{0} is there more than once")]
    Repeated(HeaderName),
    /// Its value breaks its grammar.
    #[error("{0} is malformed")]
    Malformed(HeaderName),
    /// It has more values than are read.
    #[error("{0} has too many values")]
    TooMany(HeaderName),
}
