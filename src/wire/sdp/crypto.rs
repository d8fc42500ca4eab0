//! The crypto attribute (RFC 4568).
//!
//! Keys are wiped when dropped and never shown by `Debug`. What its parameters
//! oblige a peer to, whoever chooses among attributes must know; an unknown
//! one without a hyphen makes the attribute unusable (§6.3.7).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use thiserror::Error;
use zeroize::Zeroizing;

/// `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:...|2^20|1:4 KDR=1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Names it within the medium.
    pub tag: u32,
    /// The suite's name, as written.
    pub suite: String,
    /// Master keys, at least one.
    pub keys: Vec<InlineKey>,
    /// In their order.
    pub parameters: Vec<SessionParameter>,
}

/// A master key and its salt.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineKey {
    /// Key, then salt.
    pub material: Zeroizing<Vec<u8>>,
    /// Packets that it may protect.
    pub lifetime: Option<u64>,
    /// Its name in packets, as the octets that packets carry; empty for none.
    pub mki: Vec<u8>,
}

/// RFC 4568 §6.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionParameter {
    /// `KDR`: other session keys after 2^n packets, 1 to 24.
    KeyDerivationRate(u8),
    /// `UNENCRYPTED_SRTP`
    UnencryptedSrtp,
    /// `UNENCRYPTED_SRTCP`
    UnencryptedSrtcp,
    /// `UNAUTHENTICATED_SRTP`
    UnauthenticatedSrtp,
    /// `WSH`: the least window against replay, packets.
    WindowSize(u32),
    /// Any other, as written.
    Other(String),
}

/// Why a text is no crypto attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CryptoFault {
    /// Tag, suite or keys are missing.
    #[error("a crypto attribute has a tag, a suite and a key")]
    Short,
    /// Not 1 to 9 digits.
    #[error("the tag is no number")]
    Tag,
    /// A key method other than `inline`.
    #[error("the key method is not inline")]
    Method,
    /// More than `MAX_KEYS`.
    #[error("more than {MAX_KEYS} keys")]
    Keys,
    /// Not base64.
    #[error("the key is not base64")]
    Key,
    /// None, or above 2^48.
    #[error("the lifetime is out of range")]
    Lifetime,
    /// No value that fits a length of 1 to 128.
    #[error("the MKI is malformed")]
    Mki,
    /// More than `MAX_PARAMETERS`, or one out of its range.
    #[error("a session parameter is malformed")]
    Parameter,
}

impl Crypto {
    /// Reads what follows `crypto:`.
    ///
    /// # Errors
    /// The first part that breaks the grammar of RFC 4568 §9.
    pub fn parse(text: &str) -> Result<Self, CryptoFault> {
        let mut words = text.split_ascii_whitespace();
        let tag = words.next().ok_or(CryptoFault::Short)?;
        let suite = words.next().ok_or(CryptoFault::Short)?.to_owned();
        let keys = words.next().ok_or(CryptoFault::Short)?;
        let digits = tag.len() <= MAX_TAG && tag.bytes().all(|octet| octet.is_ascii_digit());
        let keys: Vec<_> = keys
            .split(';')
            .map(InlineKey::parse)
            .collect::<Result<_, _>>()?;
        let parameters: Vec<_> = words
            .map(SessionParameter::parse)
            .collect::<Result<_, _>>()?;
        if keys.len() > MAX_KEYS {
            return Err(CryptoFault::Keys);
        }
        if parameters.len() > MAX_PARAMETERS {
            return Err(CryptoFault::Parameter);
        }
        Ok(Self {
            tag: tag
                .parse()
                .ok()
                .filter(|_| digits)
                .ok_or(CryptoFault::Tag)?,
            suite,
            keys,
            parameters,
        })
    }
}

impl InlineKey {
    fn parse(text: &str) -> Result<Self, CryptoFault> {
        let text = text.strip_prefix("inline:").ok_or(CryptoFault::Method)?;
        let mut parts = text.split('|');
        let material = parts.next().and_then(decode).ok_or(CryptoFault::Key)?;
        let mut key = Self {
            material,
            lifetime: None,
            mki: Vec::new(),
        };
        let mut rest = parts.next();
        if let Some(lifetime) = rest.filter(|part| !part.contains(':')) {
            key.lifetime = Some(lifetime_of(lifetime)?);
            rest = parts.next();
        }
        if let Some(mki) = rest {
            key.mki = mki_of(mki).ok_or(CryptoFault::Mki)?;
        }
        parts.next().map_or(Ok(key), |_| Err(CryptoFault::Mki))
    }
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Padding may be left away (RFC 4568 §6.1 counts on 40 letters without any).
    let octets = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text));
    octets
        .ok()
        .filter(|octets| !octets.is_empty())
        .map(Zeroizing::new)
}

/// A number, or `2^` and its exponent.
fn lifetime_of(text: &str) -> Result<u64, CryptoFault> {
    let packets = match text.strip_prefix("2^") {
        Some(exponent) => exponent
            .parse()
            .ok()
            .and_then(|exponent| 1_u64.checked_shl(exponent)),
        None => text.parse().ok(),
    };
    packets
        .filter(|packets| (1..=MAX_LIFETIME).contains(packets))
        .ok_or(CryptoFault::Lifetime)
}

/// `value:length`, most significant octet first.
fn mki_of(text: &str) -> Option<Vec<u8>> {
    let (value, length) = text.split_once(':')?;
    let value: u128 = value.parse().ok()?;
    let length: usize = length.parse().ok()?;
    let octets = value.to_be_bytes();
    if !(1..=MAX_MKI).contains(&length) {
        return None;
    }
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let digits = &octets[zeros..];
    let pad = length.checked_sub(digits.len())?;
    Some([&vec![0; pad], digits].concat())
}

impl SessionParameter {
    fn parse(text: &str) -> Result<Self, CryptoFault> {
        let number = |value: &str| value.parse().map_err(|_| CryptoFault::Parameter);
        Ok(match text.split_once('=') {
            Some(("KDR", value)) => match number(value)? {
                rate @ 1..=24 => Self::KeyDerivationRate(rate as u8),
                _ => return Err(CryptoFault::Parameter),
            },
            // RFC 4568 §6.3.6: at least 64.
            Some(("WSH", value)) => match number(value)? {
                size @ 64.. => Self::WindowSize(size),
                _ => return Err(CryptoFault::Parameter),
            },
            None if text == "UNENCRYPTED_SRTP" => Self::UnencryptedSrtp,
            None if text == "UNENCRYPTED_SRTCP" => Self::UnencryptedSrtcp,
            None if text == "UNAUTHENTICATED_SRTP" => Self::UnauthenticatedSrtp,
            _ => Self::Other(text.to_owned()),
        })
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ", self.tag, self.suite)?;
        for (at, key) in self.keys.iter().enumerate() {
            let between = if at == 0 { "" } else { ";" };
            write!(formatter, "{between}{key}")?;
        }
        self.parameters
            .iter()
            .try_for_each(|parameter| write!(formatter, " {parameter}"))
    }
}

impl fmt::Display for InlineKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Zeroizing::new(STANDARD.encode(&*self.material));
        write!(formatter, "inline:{}", *text)?;
        match self.lifetime {
            Some(packets) if packets.is_power_of_two() => {
                write!(formatter, "|2^{}", packets.trailing_zeros())?;
            }
            Some(packets) => write!(formatter, "|{packets}")?,
            None => {}
        }
        if self.mki.is_empty() {
            return Ok(());
        }
        let octet = |value, octet: &u8| value << 8 | u128::from(*octet);
        let value = self.mki.iter().fold(0_u128, octet);
        write!(formatter, "|{value}:{}", self.mki.len())
    }
}

impl fmt::Debug for InlineKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InlineKey")
            .field("lifetime", &self.lifetime)
            .field("mki", &self.mki)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SessionParameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyDerivationRate(rate) => write!(formatter, "KDR={rate}"),
            Self::UnencryptedSrtp => formatter.write_str("UNENCRYPTED_SRTP"),
            Self::UnencryptedSrtcp => formatter.write_str("UNENCRYPTED_SRTCP"),
            Self::UnauthenticatedSrtp => formatter.write_str("UNAUTHENTICATED_SRTP"),
            Self::WindowSize(size) => write!(formatter, "WSH={size}"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

/// Digits of a tag (RFC 4568 §9.1).
const MAX_TAG: usize = 9;
const MAX_KEYS: usize = 16;
const MAX_PARAMETERS: usize = 16;
/// Octets of an MKI (RFC 4568 §6.1).
const MAX_MKI: usize = 128;
/// RFC 3711 §9.2.
const MAX_LIFETIME: u64 = 1 << 48;
