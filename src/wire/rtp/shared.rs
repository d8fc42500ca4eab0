//! What a datagram on a media port is (RFC 7983 §7, RFC 5761 §4).
//!
//! The first octet tells STUN, DTLS and RTP apart, the second RTP from RTCP.
//! It is a guess: each reader still checks what it is given.

/// Whom a datagram is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Connectivity checks and keep-alives.
    Stun,
    /// The handshake that makes the keys.
    Dtls,
    /// Media.
    Rtp,
    /// Reports about media.
    Rtcp,
}

impl Kind {
    /// `None`: nothing that is spoken here (ZRTP, TURN channels, UDPTL), to be dropped.
    pub fn of(datagram: &[u8]) -> Option<Self> {
        match datagram {
            [0..=3, ..] => Some(Self::Stun),
            [20..=63, ..] => Some(Self::Dtls),
            // RFC 5761 §4: so payload types 64..95 are not to be used with it.
            [128..=191, 192..=223, ..] => Some(Self::Rtcp),
            [128..=191, _, ..] => Some(Self::Rtp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_those_of_rfc_7983() {
        let kinds = |first: u8| Kind::of(&[first, 0, 0, 0]);
        for first in 0..=255 {
            let expected = match first {
                0..=3 => Some(Kind::Stun),
                20..=63 => Some(Kind::Dtls),
                128..=191 => Some(Kind::Rtp),
                _ => None,
            };
            assert_eq!(kinds(first), expected, "{first}");
        }
        assert_eq!(Kind::of(&[]), None);
        assert_eq!(Kind::of(&[0x80]), None);
    }

    #[test]
    fn reports_are_told_from_media_by_their_type() {
        for second in 0..=255 {
            // Sender report 200 to feedback 206, with room on both sides; 72..76 with a marker.
            let expected = match second {
                192..=223 => Kind::Rtcp,
                _ => Kind::Rtp,
            };
            assert_eq!(Kind::of(&[0x80, second, 0, 0]), Some(expected), "{second}");
        }
    }
}
