//! What SRTP must know of a packet: where its header ends, and what stands behind it.
//!
//! ```text
//! HMAC  SRTP   header | hidden | MKI | tag
//!       SRTCP  header | hidden | E, index | MKI | tag
//! GCM   SRTP   header | hidden | tag | MKI
//!       SRTCP  header | hidden | tag | E, index | MKI
//! ```

use super::error::Error;

/// The fields of an RTP header that SRTP uses.
pub(super) struct Rtp {
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    /// Octets of the header with its contributing sources and its extension.
    pub(super) header: usize,
}

impl Rtp {
    /// RFC 3550 §5.1 and §5.3.1.
    pub(super) fn read(packet: &[u8]) -> Result<Self, Error> {
        let fixed = packet.first_chunk::<12>().ok_or(Error::TooShort)?;
        version(fixed[0])?;
        let mut header = 12 + 4 * usize::from(fixed[0] & 0x0f);
        if fixed[0] & 0x10 != 0 {
            let start = packet.get(header..header + 4).ok_or(Error::TooShort)?;
            header += 4 + 4 * usize::from(u16::from_be_bytes([start[2], start[3]]));
        }
        if header > packet.len() {
            return Err(Error::TooShort);
        }
        Ok(Self {
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            header,
        })
    }
}

/// The SSRC of the first packet of a compound one (RFC 3550 §6.4).
pub(super) fn rtcp_ssrc(packet: &[u8]) -> Result<u32, Error> {
    let fixed = packet.first_chunk::<RTCP_HEADER>().ok_or(Error::TooShort)?;
    version(fixed[0])?;
    Ok(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]))
}

fn version(octet: u8) -> Result<(), Error> {
    match octet >> 6 {
        2 => Ok(()),
        other => Err(Error::Version(other)),
    }
}

/// Writes what stands behind a packet; how many octets that was.
pub(super) fn append(room: &mut [u8], parts: &[&[u8]]) -> usize {
    let mut at = 0;
    for part in parts {
        room[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    at
}

/// Cuts off what stands behind a packet, whose parts have these lengths.
pub(super) fn cut<const N: usize>(
    packet: &mut [u8],
    lengths: [usize; N],
) -> Result<(&mut [u8], [&[u8]; N]), Error> {
    let end = packet.len().checked_sub(lengths.iter().sum());
    let (body, behind) = packet.split_at_mut(end.ok_or(Error::TooShort)?);
    let mut behind = &*behind;
    let parts = lengths.map(|length| {
        let (part, rest) = behind.split_at(length);
        behind = rest;
        part
    });
    Ok((body, parts))
}

/// Octets of an RTCP packet that stay readable (RFC 3711 §3.4).
pub(super) const RTCP_HEADER: usize = 8;
/// The longest packet that UDP carries.
pub(super) const MAX_PACKET: usize = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(packet: &[u8]) -> Result<usize, Error> {
        Rtp::read(packet).map(|rtp| rtp.header)
    }

    #[test]
    fn sources_and_extension_belong_to_the_header() {
        let mut packet = vec![0; 40];
        packet[0] = 0x80;
        assert_eq!(header(&packet), Ok(12));
        packet[0] = 0x82;
        assert_eq!(header(&packet), Ok(20));
        packet[0] = 0x92;
        packet[23] = 3;
        assert_eq!(header(&packet), Ok(36));
    }

    #[test]
    fn a_header_beyond_the_end_is_refused() {
        let mut packet = vec![0; 40];
        packet[0] = 0x90;
        packet[15] = 7;
        assert_eq!(header(&packet), Err(Error::TooShort));
        assert_eq!(header(&[0x8f; 40]), Err(Error::TooShort));
        assert_eq!(header(&packet[..15]), Err(Error::TooShort));
        assert_eq!(header(&[0x80; 11]), Err(Error::TooShort));
        assert_eq!(rtcp_ssrc(&[0x80; 7]), Err(Error::TooShort));
    }

    #[test]
    fn another_version_is_refused() {
        assert_eq!(header(&[0x40; 40]), Err(Error::Version(1)));
        assert_eq!(rtcp_ssrc(&[0; 40]), Err(Error::Version(0)));
    }
}
