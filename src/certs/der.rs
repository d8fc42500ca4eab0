//! The few places of a certificate that the library does not show.
//!
//! Finds an extension of an X.509 certificate by its object identifier and
//! reads the two small ones that decide who may do what; the same reader serves
//! what OCSP asks and answers. Reads only what the library has parsed already;
//! anything odd is `None`.

/// Octets of an object identifier's contents.
pub(super) type Oid = &'static [u8];

/// The contents of the extension `wanted` (RFC 5280 §4.1).
pub(super) fn extension(certificate: &[u8], wanted: Oid) -> Option<&[u8]> {
    let certificate = Reader(certificate).expect(SEQUENCE)?;
    let mut fields = Reader(Reader(certificate).expect(SEQUENCE)?);
    let extensions = fields.find(|(tag, _)| *tag == EXTENSIONS)?.1;
    let mut each = Reader(Reader(extensions).expect(SEQUENCE)?);
    each.find_map(|(_, extension)| {
        let mut parts = Reader(extension);
        let (_, oid) = parts.next().filter(|(tag, _)| *tag == OBJECT)?;
        let (_, value) = parts.find(|(tag, _)| *tag == OCTETS)?;
        (oid == wanted).then_some(value)
    })
}

/// The purposes of an extended key usage extension (RFC 5280 §4.2.1.12).
pub(super) fn purposes(value: &[u8]) -> Option<Vec<&[u8]>> {
    let list = Reader(value).expect(SEQUENCE)?;
    Some(Reader(list).map(|(_, oid)| oid).collect())
}

/// Whether a basic constraints extension says cA (RFC 5280 §4.2.1.9).
pub(super) fn is_authority(value: &[u8]) -> bool {
    let first = Reader(value)
        .expect(SEQUENCE)
        .and_then(|list| Reader(list).next());
    matches!(first, Some((BOOLEAN, [flag])) if *flag != 0)
}

/// Writes one triple of what `parts` say one after another.
pub(super) fn encode(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let octets = value.len().to_be_bytes();
    let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
    let mut der = vec![tag];
    if value.len() > 0x7f {
        der.extend(u8::try_from(octets.len()).map(|count| 0x80 | count));
        der.extend_from_slice(octets);
    } else {
        der.extend(u8::try_from(value.len()));
    }
    der.extend(value);
    der
}

/// Steps over tag, length, value triples; stops at the first that does not fit.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The value of the next triple, which must have this tag.
    pub(super) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, value)| value)
    }

    /// The same where nothing else is wanted.
    pub(super) fn expect(mut self, tag: u8) -> Option<&'a [u8]> {
        self.value(tag)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = octets
                    .iter()
                    .fold(0, |sum, octet| sum << 8 | usize::from(*octet));
                (length, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }
}

const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
#[cfg(test)]
pub(super) const BITS: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[3]` of TBSCertificate.
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.17 subjectAltName.
pub(super) const SUBJECT_ALT_NAME: Oid = &[0x55, 0x1d, 0x11];
/// 2.5.29.19 basicConstraints.
pub(super) const BASIC_CONSTRAINTS: Oid = &[0x55, 0x1d, 0x13];
/// 2.5.29.37 extKeyUsage.
pub(super) const EXTENDED_KEY_USAGE: Oid = &[0x55, 0x1d, 0x25];
/// 2.5.29.37.0 anyExtendedKeyUsage.
pub(super) const ANY_PURPOSE: Oid = &[0x55, 0x1d, 0x25, 0x00];
/// 1.3.6.1.5.5.7.3.1 serverAuth.
pub(super) const SERVER_AUTH: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
/// 1.3.6.1.5.5.7.3.2 clientAuth.
pub(super) const CLIENT_AUTH: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// 1.3.6.1.5.5.7.3.20 sipDomain (RFC 5924 §4.1).
pub(super) const SIP_DOMAIN: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x14];
/// 1.3.6.1.5.5.7.3.9 OCSPSigning.
pub(super) const OCSP_SIGNING: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_end_stop_the_reader() {
        assert!(Reader(&[0x30, 0x02, 0x01]).next().is_none());
        assert!(Reader(&[0x30, 0x80, 0x00, 0x00]).next().is_none());
        assert!(
            Reader(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff])
                .next()
                .is_none()
        );
        assert!(Reader(&[0x30]).next().is_none());
    }

    #[test]
    fn what_is_written_is_read_again_whatever_its_length() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let value = vec![7; length];
            let der = encode(OCTETS, &[&value]);
            assert_eq!(Reader(&der).expect(OCTETS), Some(value.as_slice()));
        }
        assert_eq!(encode(OCTETS, &[&[7; 128]])[..3], [OCTETS, 0x81, 128]);
    }

    #[test]
    fn the_authority_flag_is_the_first_boolean() {
        assert!(is_authority(&[0x30, 0x03, 0x01, 0x01, 0xff]));
        assert!(!is_authority(&[0x30, 0x00]));
        assert!(!is_authority(&[0x30, 0x03, 0x01, 0x01, 0x00]));
        assert!(!is_authority(&[0x30, 0x03, 0x02, 0x01, 0x01]));
    }

    #[test]
    fn every_shortening_of_a_certificate_is_read_without_panic() {
        let der = super::super::testing::Authority::new("Root")
            .certificate()
            .der()
            .to_vec();
        assert!(extension(&der, BASIC_CONSTRAINTS).is_some());
        for end in 0..der.len() {
            let _ = extension(&der[..end], BASIC_CONSTRAINTS);
        }
    }
}
