//! Where SRTP's keys come from.
//!
//! For the negotiation of calls. Pure: random octets and the time are
//! arguments ([`Fresh`]). Keys are wiped when dropped and never shown.

pub mod mikey;
pub mod sdes;

use std::fmt;

use zeroize::Zeroizing;

use super::srtp::{KeyError, Lifetime, MasterKey, Suite};

/// What a key exchange needs of the world.
pub struct Fresh<'a> {
    /// The time, in NTP's 64 bits (RFC 5905 §6).
    pub ntp: u64,
    /// Fills octets with unpredictable ones.
    pub draw: &'a mut dyn FnMut(&mut [u8]),
}

/// A master key and its salt, for one direction.
#[derive(Clone, PartialEq, Eq)]
pub struct Material {
    /// What they are for.
    pub suite: Suite,
    /// Key, then salt, of the suite's lengths.
    pub octets: Zeroizing<Vec<u8>>,
    /// Packets that it may protect, where that was said.
    pub lifetime: Option<u64>,
    /// Its name in packets; empty for none.
    pub mki: Vec<u8>,
    /// Other session keys after 2^n packets, where that was said.
    pub rate: Option<u8>,
}

impl Material {
    /// A key that nobody has had.
    #[must_use]
    pub fn fresh(suite: Suite, fresh: &mut Fresh<'_>) -> Self {
        let mut octets = Zeroizing::new(vec![0; length(suite)]);
        (fresh.draw)(&mut octets);
        Self::of(suite, octets)
    }

    /// These octets, without anything said about them.
    #[must_use]
    pub fn of(suite: Suite, octets: Zeroizing<Vec<u8>>) -> Self {
        Self {
            suite,
            octets,
            lifetime: None,
            mki: Vec::new(),
            rate: None,
        }
    }

    /// The key as SRTP takes it.
    ///
    /// # Errors
    /// What [`MasterKey`] refuses.
    pub fn master(&self) -> Result<MasterKey, KeyError> {
        let (key, salt) = self
            .octets
            .split_at(self.suite.key_length().min(self.octets.len()));
        let mut master = MasterKey::new(self.suite, key, salt)?;
        if !self.mki.is_empty() {
            master = master.with_mki(&self.mki)?;
        }
        if let Some(packets) = self.lifetime {
            master = master.with_lifetime(Lifetime::packets(packets)?);
        }
        match self.rate {
            Some(rate) => master.with_rate(rate),
            None => Ok(master),
        }
    }
}

/// Octets of a suite's key and salt together.
#[must_use]
pub fn length(suite: Suite) -> usize {
    suite.key_length() + suite.salt_length()
}

impl fmt::Debug for Material {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Material")
            .field("suite", &self.suite)
            .field("mki", &self.mki)
            .finish_non_exhaustive()
    }
}
