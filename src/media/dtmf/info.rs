//! Keys in the bodies of SIP INFO: `application/dtmf-relay` and `application/dtmf`.
//!
//! ```text
//! Signal=5
//! Duration=160
//! ```
//!
//! The other form is the key alone. Neither is of an RFC; this is what phones
//! and gateways write.

use crate::wire::rtp::event;
use std::time::Duration;

/// What a body says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Which key.
    pub key: char,
    /// How long it was held.
    pub duration: Duration,
}

/// Why a body is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More octets than such a body has use for.
    #[error("{0} octets are too many for a key")]
    Large(usize),
    /// Not text.
    #[error("a key that is no text")]
    Text,
    /// Nothing says which key.
    #[error("no key is named")]
    Key,
    /// The duration is no number of milliseconds.
    #[error("the duration is no number of milliseconds")]
    Duration,
}

impl Signal {
    /// Reads a body of `application/dtmf-relay`.
    pub fn parse_relay(body: &[u8]) -> Result<Self, Fault> {
        let mut signal = None;
        let mut duration = USUAL;
        for line in text(body)?.lines() {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "signal" => signal = Some(key(value)?),
                "duration" => duration = milliseconds(value)?,
                _ => {}
            }
        }
        let key = signal.ok_or(Fault::Key)?;
        Ok(Self { key, duration })
    }

    /// Reads a body of `application/dtmf`.
    pub fn parse_plain(body: &[u8]) -> Result<Self, Fault> {
        let key = key(text(body)?)?;
        Ok(Self {
            key,
            duration: USUAL,
        })
    }

    /// A body of `application/dtmf-relay`.
    pub fn print_relay(&self) -> String {
        let milliseconds = self.duration.as_millis();
        format!("Signal={}\r\nDuration={milliseconds}\r\n", self.key)
    }

    /// A body of `application/dtmf`.
    pub fn print_plain(&self) -> String {
        self.key.to_string()
    }
}

fn text(body: &[u8]) -> Result<&str, Fault> {
    if body.len() > MOST_OCTETS {
        return Err(Fault::Large(body.len()));
    }
    std::str::from_utf8(body).map_err(|_| Fault::Text)
}

/// A key's name, or, from 10 to 16, its event.
fn key(text: &str) -> Result<char, Fault> {
    let text = text.trim();
    let mut letters = text.chars();
    let code = match (letters.next(), letters.next()) {
        (Some(letter), None) => event::code(letter),
        _ => text.parse().ok().filter(|_| text.len() == 2),
    };
    code.and_then(event::key).ok_or(Fault::Key)
}

fn milliseconds(text: &str) -> Result<Duration, Fault> {
    let number: u64 = text.trim().parse().map_err(|_| Fault::Duration)?;
    Ok(Duration::from_millis(number).clamp(SHORTEST, LONGEST))
}

/// The content type with a duration.
pub const RELAY: &str = "application/dtmf-relay";
/// The content type without one.
pub const PLAIN: &str = "application/dtmf";

const MOST_OCTETS: usize = 256;
/// Where the body does not say.
const USUAL: Duration = Duration::from_millis(250);
/// ITU-T Q.24: shorter ones are not heard.
const SHORTEST: Duration = Duration::from_millis(40);
/// What a telephone event can say at 8 kHz.
const LONGEST: Duration = Duration::from_millis(8000);

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(key: char, milliseconds: u64) -> Signal {
        let duration = Duration::from_millis(milliseconds);
        Signal { key, duration }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for key in "0123456789*#ABCD!".chars() {
            let signal = signal(key, 160);
            let printed = signal.print_relay();
            assert_eq!(Signal::parse_relay(printed.as_bytes()), Ok(signal));
            let plain = Signal::parse_plain(signal.print_plain().as_bytes());
            assert_eq!(plain.map(|one| one.key), Ok(key));
        }
        assert_eq!(
            signal('5', 160).print_relay(),
            "Signal=5\r\nDuration=160\r\n"
        );
    }

    #[test]
    fn bodies_of_other_hands_are_read() {
        for (body, expected) in [
            (&b"Signal= 5\r\nDuration= 100"[..], signal('5', 100)),
            (b"signal=10\nduration=5", signal('*', 40)),
            (b"Signal=11\r\n", signal('#', 250)),
            (b"Signal=a\r\nDuration=99999999\r\n", signal('A', 8000)),
            (
                b"X-More=1\r\nSignal=16\r\nDuration=80\r\n\r\n",
                signal('!', 80),
            ),
        ] {
            assert_eq!(Signal::parse_relay(body), Ok(expected));
        }
        let plain = Signal::parse_plain(b" 7\r\n");
        assert_eq!(plain, Ok(signal('7', 250)));
    }

    #[test]
    fn what_names_no_key_is_refused() {
        assert_eq!(Signal::parse_relay(b"Duration=100"), Err(Fault::Key));
        assert_eq!(Signal::parse_relay(b"Signal="), Err(Fault::Key));
        assert_eq!(Signal::parse_relay(b"Signal=55"), Err(Fault::Key));
        assert_eq!(
            Signal::parse_relay(b"Signal=1\nDuration=x"),
            Err(Fault::Duration)
        );
        assert_eq!(Signal::parse_plain(b"E"), Err(Fault::Key));
        assert_eq!(Signal::parse_plain(&[0xff]), Err(Fault::Text));
        assert_eq!(Signal::parse_plain(&[b'1'; 300]), Err(Fault::Large(300)));
    }
}
