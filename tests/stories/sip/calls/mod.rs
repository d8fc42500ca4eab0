//! Calls on the simulated network, against a peer whose every message is written here.

mod called;
mod calling;
mod desk;

use demarc::sip::message::StatusCode;
use demarc::sip::session::Body;

/// A session description, told apart by its text.
fn sdp(text: &str) -> Body {
    Body {
        content_type: "application/sdp".into(),
        octets: text.as_bytes().to_vec(),
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::new(code).expect("a status code")
}
