//! The stack's own source of random values.
//!
//! SHA-256 over a seed and a counter: unguessable when the seed is, and the
//! same run again when the seed is the same. Tags, branches, nonces, SRV
//! weights and jitter come from here; nothing else in the core is random.

use std::fmt::Write;

use openssl::sha::Sha256;

/// A repeatable generator of unguessable values.
#[derive(Debug, Clone)]
pub struct Rng {
    seed: [u8; 32],
    counter: u64,
}

impl Rng {
    /// A generator whose values are fixed by `seed`; the shell hands in operating-system randomness.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        let mut hash = Sha256::new();
        hash.update(&self.seed);
        hash.update(&self.counter.to_be_bytes());
        self.counter += 1;
        let block = hash.finish();
        block[..8]
            .iter()
            .fold(0, |word, octet| (word << 8) | u64::from(*octet))
    }

    /// A number from 0 to `most`, both included.
    pub fn up_to(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(count) => self.bits() % count,
            None => self.bits(),
        }
    }

    /// Sixty-four random bits in hexadecimal: a tag, a cnonce, the tail of a branch (RFC 3261 §19.3).
    pub fn token(&mut self) -> String {
        let mut text = String::with_capacity(16);
        // Writing to a String cannot fail.
        let _ = write!(text, "{:016x}", self.bits());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let (mut one, mut two) = (Rng::new([7; 32]), Rng::new([7; 32]));
        assert_eq!(one.token(), two.token());
        assert_eq!(one.bits(), two.bits());
        assert_ne!(one.bits(), Rng::new([8; 32]).bits());
    }

    #[test]
    fn a_bounded_number_stays_within_its_bound() {
        let mut rng = Rng::new([1; 32]);
        assert!((0..1000).all(|_| rng.up_to(3) <= 3));
        assert_eq!(rng.up_to(0), 0);
    }
}
