//! Messages out of a stream of octets (RFC 3261 §18.3, RFC 5626 §4.4.1).
//!
//! A stream has no datagrams: the head ends at the empty line and Content-Length
//! says how far the body reaches. Whoever breaks that cannot be followed any
//! more, and the connection must be closed.

use thiserror::Error;

use super::Message;
use super::error::{FieldError, ParseError};
use super::head;
use super::limits::MAX_MESSAGE;
use super::name::HeaderName;
use super::request::Request;
use super::status::StatusCode;

/// What a stream carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message.
    Message(Message),
    /// CRLF CRLF: the peer asks whether we live; a pong is due.
    Ping,
    /// CRLF: the peer lives. Not asked for, it means nothing.
    Pong,
}

/// Why a stream cannot be followed any more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// A message is longer than [`MAX_MESSAGE`]; its request, where the head was
    /// short enough to read, can be answered.
    #[error("a message is too large")]
    TooLarge(Option<Box<Request>>),
    /// Content-Length is missing, repeated or no number; its request can be
    /// answered.
    #[error("a message does not say its length: {fault}")]
    Length {
        /// What is wrong with it.
        fault: FieldError,
        /// The request, if it was one.
        request: Option<Box<Request>>,
    },
    /// A head that is none of SIP.
    #[error("a message cannot be read: {0}")]
    Unreadable(#[from] ParseError),
}

impl FramingError {
    /// The code to answer with before closing, and the request to answer.
    pub fn answer(&self) -> Option<(StatusCode, &Request)> {
        match self {
            FramingError::TooLarge(request) => {
                Some((StatusCode::MESSAGE_TOO_LARGE, request.as_deref()?))
            }
            FramingError::Length { request, .. } => {
                Some((StatusCode::BAD_REQUEST, request.as_deref()?))
            }
            FramingError::Unreadable(_) => None,
        }
    }
}

/// Cuts a stream into frames.
///
/// Push what was read, then call [`Framer::next`] until it gives `None`. After
/// an error it gives `None` for ever. It holds at most one unfinished message
/// and what was pushed since.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Octets before this one end no head.
    scanned: usize,
    /// The head of a message whose body is still to come, and its length.
    waiting: Option<(Box<Message>, usize)>,
    /// A pong was given for a CRLF that may be the first half of a ping.
    half_ping: bool,
    broken: bool,
}

impl Framer {
    /// A framer at the start of a stream.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes what was read.
    pub fn push(&mut self, octets: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// The next frame; `None` when more octets are needed.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator ends at None; a framer goes on after the next push"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, FramingError> {
        let frame = self.cut();
        if frame.is_err() {
            *self = Framer {
                broken: true,
                ..Framer::default()
            };
        }
        frame
    }

    /// Octets held that are no frame yet.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Whether a message began and is not whole yet.
    pub fn is_within_message(&self) -> bool {
        self.waiting.is_some() || !self.buffer.is_empty()
    }

    fn cut(&mut self) -> Result<Option<Frame>, FramingError> {
        if self.waiting.is_none() {
            if let Some(frame) = self.keep_alive() {
                return Ok(Some(frame));
            }
            self.read_head()?;
        }
        Ok(self.finish())
    }

    /// A lone CRLF at the end of what is there is given as a pong at once; if
    /// its other half follows, a ping is given then.
    fn keep_alive(&mut self) -> Option<Frame> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.half_ping = false;
            self.consume(4);
            return Some(Frame::Ping);
        }
        if !self.buffer.starts_with(b"\r\n") {
            self.half_ping &= self.may_complete();
            return None;
        }
        self.consume(2);
        let completes = std::mem::take(&mut self.half_ping);
        self.half_ping = !completes && self.may_complete();
        Some(match completes {
            true => Frame::Ping,
            false => Frame::Pong,
        })
    }

    /// Nothing came after the first half that is no part of the second.
    fn may_complete(&self) -> bool {
        self.buffer.is_empty() || self.buffer == b"\r"
    }

    fn read_head(&mut self) -> Result<(), FramingError> {
        let Some(end) = self.head_end() else {
            return match self.buffer.len() > MAX_MESSAGE {
                true => Err(FramingError::TooLarge(None)),
                false => Ok(()),
            };
        };
        if end > MAX_MESSAGE {
            return Err(FramingError::TooLarge(None));
        }
        let (message, _) = head::read(&self.buffer[..end])?;
        let said = message.headers().content_length();
        // RFC 3261 §18.3: on a stream it must be there.
        let said = said.and_then(|said| said.ok_or(FieldError::Missing(HeaderName::ContentLength)));
        let length = match said {
            Ok(length) => length,
            Err(fault) => {
                let request = request(message);
                return Err(FramingError::Length { fault, request });
            }
        };
        if length > MAX_MESSAGE - end {
            return Err(FramingError::TooLarge(request(message)));
        }
        self.consume(end);
        self.waiting = Some((Box::new(message), length));
        Ok(())
    }

    /// Where the head ends, its empty line included.
    fn head_end(&mut self) -> Option<usize> {
        let from = self.scanned.saturating_sub(END.len() - 1);
        let found = self.buffer[from..]
            .windows(END.len())
            .position(|window| window == END);
        self.scanned = self.buffer.len();
        found.map(|at| from + at + END.len())
    }

    fn finish(&mut self) -> Option<Frame> {
        let (mut message, length) = self.waiting.take()?;
        if self.buffer.len() < length {
            self.waiting = Some((message, length));
            return None;
        }
        *message.body_mut() = self.buffer[..length].to_vec();
        self.consume(length);
        Some(Frame::Message(*message))
    }

    fn consume(&mut self, octets: usize) {
        self.buffer.drain(..octets);
        self.scanned = 0;
    }
}

fn request(message: Message) -> Option<Box<Request>> {
    match message {
        Message::Request(request) => Some(Box::new(request)),
        Message::Response(_) => None,
    }
}

const END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 OPTIONS\r\nl: 2\r\n\r\nhi";
    const TWO: &str = "SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nl: 0\r\n\r\n";

    fn message(text: &str) -> Frame {
        Frame::Message(Message::parse(text.as_bytes()).expect("a message"))
    }

    fn frames(framer: &mut Framer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.next().expect("no framing error")).collect()
    }

    fn error(octets: &[u8]) -> FramingError {
        let mut framer = Framer::new();
        framer.push(octets);
        let error = framer.next().expect_err("a framing error");
        framer.push(ONE.as_bytes());
        assert_eq!(framer.next(), Ok(None), "nothing after an error");
        error
    }

    #[test]
    fn messages_come_whole_however_the_stream_is_cut() {
        let stream = format!("{ONE}{TWO}{ONE}");
        let expected = [message(ONE), message(TWO), message(ONE)];
        for size in 1..=stream.len() {
            let mut framer = Framer::new();
            let mut seen = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                framer.push(piece);
                seen.extend(frames(&mut framer));
            }
            assert_eq!(seen, expected, "pieces of {size}");
            assert_eq!(framer.pending(), 0);
        }
    }

    #[test]
    fn keep_alives_are_told_apart() {
        let mut framer = Framer::new();
        framer.push(b"\r\n\r\n");
        assert_eq!(frames(&mut framer), [Frame::Ping]);
        framer.push(b"\r\n");
        assert_eq!(frames(&mut framer), [Frame::Pong]);
        framer.push(TWO.as_bytes());
        assert_eq!(frames(&mut framer), [message(TWO)]);
        framer.push(format!("\r\n{TWO}").as_bytes());
        assert_eq!(frames(&mut framer), [Frame::Pong, message(TWO)]);
        framer.push(b"\r\n\r\n\r\n\r\n");
        assert_eq!(frames(&mut framer), [Frame::Ping, Frame::Ping]);
    }

    #[test]
    fn a_ping_in_pieces_is_still_a_ping() {
        for cut in 1..4 {
            let mut framer = Framer::new();
            let (first, second) = b"\r\n\r\n".split_at(cut);
            framer.push(first);
            let mut seen = frames(&mut framer);
            framer.push(second);
            seen.extend(frames(&mut framer));
            assert_eq!(seen.last(), Some(&Frame::Ping), "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_needs_content_length() {
        let missing = error(b"OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n");
        let (status, request) = missing.answer().expect("a request to answer");
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(request.headers.cseq().is_ok());
        for bad in ["-999", "x", "", "5\r\nl: 13", "99999999999"] {
            let text = format!("OPTIONS sip:a@b SIP/2.0\r\nl: {bad}\r\n\r\n");
            let wrong = error(text.as_bytes());
            assert!(matches!(wrong, FramingError::Length { .. }), "{bad}");
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_513_before_it_arrives() {
        let text = format!("OPTIONS sip:a@b SIP/2.0\r\nl: {MAX_MESSAGE}\r\n\r\n");
        let status = error(text.as_bytes()).answer().map(|(status, _)| status);
        assert_eq!(status, Some(StatusCode::MESSAGE_TOO_LARGE));
    }

    #[test]
    fn a_head_without_end_is_too_large() {
        let endless = "X: y\r\n".repeat(MAX_MESSAGE / 6 + 1);
        assert_eq!(error(endless.as_bytes()), FramingError::TooLarge(None));
    }

    #[test]
    fn what_is_none_of_sip_breaks_the_stream() {
        let error = error(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(error, FramingError::Unreadable(ParseError::StartLine));
        assert_eq!(error.answer(), None);
    }
}
