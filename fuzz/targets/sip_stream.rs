//! A SIP stream: the same messages however the octets arrive.
//!
//! The first octet says how large the pieces are. Keep-alives are not compared:
//! a CRLF is a pong until its other half comes, so they depend on the cut.
#![no_main]

use demarc::sip::message::Message;
use demarc::sip::message::framing::{Frame, Framer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&size, stream)) = octets.split_first() else {
        return;
    };
    let whole = messages(stream, stream.len().max(1));
    let pieces = messages(stream, usize::from(size).max(1));
    assert_eq!(whole, pieces);
});

/// The messages of the stream, and whether it could be followed to its end.
fn messages(stream: &[u8], size: usize) -> (Vec<Message>, bool) {
    let mut framer = Framer::new();
    let mut found = Vec::new();
    for piece in stream.chunks(size) {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(Frame::Message(message))) => found.push(message),
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    if let Some((code, request)) = error.answer() {
                        assert!((400..600).contains(&code.code()), "{request:?}");
                    }
                    assert_eq!(framer.next(), Ok(None), "broken for ever");
                    return (found, false);
                }
            }
        }
        assert!(framer.pending() <= stream.len());
    }
    (found, true)
}
