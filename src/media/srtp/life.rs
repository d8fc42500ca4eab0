//! How much longer a master key may be used (RFC 3711 §9.2).
//!
//! Whoever negotiates keys hears of the end early enough to agree on another
//! one while packets go on.

use super::error::Error;

/// What the key management must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another master key is needed soon; said once for each key.
    KeyEndsSoon {
        /// Packets that the key may still protect.
        left: u64,
    },
}

/// The packets that one protocol may still send under a key.
#[derive(Debug)]
pub(super) struct Life {
    left: u64,
    soon: u64,
    notice: Notice,
}

#[derive(Debug, PartialEq, Eq)]
enum Notice {
    Early,
    Due,
    Given,
}

impl Life {
    pub(super) fn new(packets: u64) -> Self {
        Self {
            left: packets,
            soon: (packets / 16).min(SOON),
            notice: Notice::Early,
        }
    }

    /// Whether one more packet may go.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.left == 0 {
            return Err(Error::KeyExhausted);
        }
        Ok(())
    }

    /// One packet went, and its stream has so many indices after it.
    pub(super) fn spend(&mut self, indices: u64) {
        self.left = (self.left - 1).min(indices);
        if self.left <= self.soon && self.notice == Notice::Early {
            self.notice = Notice::Due;
        }
    }

    /// The notice that is due.
    pub(super) fn notice(&mut self) -> Option<Event> {
        if self.notice != Notice::Due {
            return None;
        }
        self.notice = Notice::Given;
        Some(Event::KeyEndsSoon { left: self.left })
    }
}

/// Some twenty minutes of voice.
const SOON: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_key_is_announced_once_and_then_holds() {
        let mut life = Life::new(32);
        for _ in 0..29 {
            life.spend(u64::MAX);
            assert_eq!(life.notice(), None);
        }
        life.spend(u64::MAX);
        assert_eq!(life.notice(), Some(Event::KeyEndsSoon { left: 2 }));
        life.spend(u64::MAX);
        assert_eq!((life.notice(), life.check()), (None, Ok(())));
        life.spend(u64::MAX);
        assert_eq!(life.check(), Err(Error::KeyExhausted));
    }

    #[test]
    fn a_stream_that_comes_to_its_last_index_ends_the_key_too() {
        let mut life = Life::new(1 << 48);
        life.spend(SOON + 1);
        assert_eq!(life.notice(), None);
        life.spend(SOON);
        assert_eq!(life.notice(), Some(Event::KeyEndsSoon { left: SOON }));
    }
}
