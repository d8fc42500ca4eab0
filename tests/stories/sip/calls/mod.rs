//! Calls on the simulated network, against a peer whose every message is written here.

mod called;
mod calling;
mod desk;
mod hostile;
mod modifying;
mod pair;
mod refreshing;
mod reliable;
mod streams;
mod transferring;

use demarc::sip::message::StatusCode;
use demarc::sip::session::{Body, Manner, Reliability};

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

/// Calls whose provisional responses are acknowledged where the peer can.
fn reliable_manner() -> Manner {
    Manner {
        uac_prack: Reliability::Supported,
        uas_prack: Reliability::Supported,
        ..Manner::default()
    }
}
