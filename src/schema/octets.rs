//! The octets of an OCTET STRING value.
//!
//! Most strings of a configuration are short: names, addresses, digits. Those
//! stand in the value itself, so that a cell is read without going elsewhere
//! and copied without counting; longer ones are shared by their copies.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A string of octets; a copy costs no allocation.
#[derive(Clone)]
pub struct Octets(Kept);

#[derive(Clone)]
enum Kept {
    Here { length: u8, octets: [u8; SHORT] },
    Shared(Arc<[u8]>),
}

impl Octets {
    /// None at all.
    pub const EMPTY: Self = Self(Kept::Here {
        length: 0,
        octets: [0; SHORT],
    });

    /// A copy of these octets.
    pub fn new(octets: &[u8]) -> Self {
        Self(match short(octets) {
            Some(kept) => kept,
            None => Kept::Shared(octets.into()),
        })
    }
}

/// Octets that fit beside their length.
fn short(octets: &[u8]) -> Option<Kept> {
    let mut kept = [0; SHORT];
    kept.get_mut(..octets.len())?.copy_from_slice(octets);
    let length = u8::try_from(octets.len()).ok()?;
    Some(Kept::Here {
        length,
        octets: kept,
    })
}

impl Default for Octets {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Here { length, octets } => &octets[..usize::from(*length)],
            Kept::Shared(octets) => octets,
        }
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Octets {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Self {
        Self::new(octets)
    }
}

impl<const N: usize> From<[u8; N]> for Octets {
    fn from(octets: [u8; N]) -> Self {
        Self::new(&octets)
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Self {
        Self::new(&octets)
    }
}

impl From<Arc<[u8]>> for Octets {
    fn from(octets: Arc<[u8]>) -> Self {
        Self(short(&octets).unwrap_or(Kept::Shared(octets)))
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Octets {}

impl PartialOrd for Octets {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Octets {
    fn cmp(&self, other: &Self) -> Ordering {
        self[..].cmp(&other[..])
    }
}

impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl std::fmt::Debug for Octets {
    /// Their number only: they may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.len())
    }
}

/// As many as fit where a pointer to longer ones would stand.
const SHORT: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Value;

    #[test]
    fn octets_read_back_whether_they_are_kept_here_or_shared() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 300] {
            let octets: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let kept = [
                Octets::new(&octets),
                octets.clone().into(),
                Arc::<[u8]>::from(&octets[..]).into(),
            ];
            for kept in kept {
                assert_eq!(kept[..], octets[..]);
                assert_eq!(kept, kept.clone());
            }
        }
    }

    #[test]
    fn they_sort_as_their_octets_do() {
        let long = Octets::new(&[b'a'; 30]);
        assert!(Octets::new(b"a") < long && long < Octets::new(b"b"));
        assert!(Octets::new(b"") < Octets::new(&[0]));
    }

    #[test]
    fn a_cell_takes_no_more_room_than_its_longest_variant() {
        assert_eq!(size_of::<Octets>(), 24);
        assert_eq!(size_of::<Option<Value>>(), 24);
    }
}
