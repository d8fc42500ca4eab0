//! Keys in the description itself (RFC 4568): making and choosing them.
//!
//! One key a crypto attribute. An attribute that would leave packets
//! unencrypted or unauthenticated is not used, nor is one with a parameter
//! that is not known and must be.

use thiserror::Error;
use zeroize::Zeroizing;

use super::{Fresh, Material, length};
use crate::media::srtp::Suite;
use crate::wire::sdp::{Crypto, InlineKey, SessionParameter};

/// A key under the tag of its crypto attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// The attribute's tag.
    pub tag: u32,
    /// Its key.
    pub material: Material,
}

/// Why no key was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SdesFault {
    /// None of the suites is allowed here.
    #[error("none of the cipher suites of the crypto attributes is allowed here")]
    Suite,
    /// A suite would do, but what goes with it would not.
    #[error("the crypto attributes ask for what is not supported: {0}")]
    Parameter(Unusable),
    /// An answer must hold exactly one attribute (RFC 4568 §5.1.3).
    #[error("the answer holds {0} crypto attributes instead of one")]
    Several(usize),
    /// The answer's tag and suite are none that were offered (RFC 4568 §5.1.3).
    #[error("the answer takes crypto attribute {0}, which was not offered")]
    Tag(u32),
    /// Each end must have a key of its own (RFC 4568 §6.1).
    #[error("the peer sent our own key back")]
    Reflected,
}

/// What makes a crypto attribute unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unusable {
    /// The key is not of the suite's length.
    #[error("a key of another length than the suite's")]
    Length,
    /// More than one key.
    #[error("several keys")]
    Keys,
    /// UNENCRYPTED_SRTP, UNENCRYPTED_SRTCP or UNAUTHENTICATED_SRTP.
    #[error("packets without encryption or authentication")]
    Unprotected,
    /// A parameter that is not known and must be (RFC 4568 §6.3.7).
    #[error("an unknown session parameter")]
    Parameter,
}

/// A key for each suite, the most preferred first (RFC 4568 §5.1.1).
#[must_use]
pub fn offer(suites: &[Suite], fresh: &mut Fresh<'_>) -> Vec<Tagged> {
    let usable = suites.iter().filter(|suite| encrypts(**suite));
    usable
        .zip(1..)
        .map(|(suite, tag)| Tagged {
            tag,
            material: Material::fresh(*suite, fresh),
        })
        .collect()
}

/// The first attribute of an offer that can be used; its key is the peer's (RFC 4568 §5.1.2).
///
/// # Errors
/// [`SdesFault::Parameter`] where a suite would do, else [`SdesFault::Suite`].
pub fn choose(offered: &[&Crypto], suites: &[Suite]) -> Result<Tagged, SdesFault> {
    let mut fault = SdesFault::Suite;
    for crypto in offered {
        let known = Suite::named(&crypto.suite);
        let Some(suite) = known.filter(|suite| encrypts(*suite) && suites.contains(suite)) else {
            continue;
        };
        match material(crypto, suite) {
            Ok(material) => {
                let tag = crypto.tag;
                return Ok(Tagged { tag, material });
            }
            Err(unusable) => fault = SdesFault::Parameter(unusable),
        }
    }
    Err(fault)
}

/// Our key that an answer takes, and the peer's.
///
/// # Errors
/// Whatever RFC 4568 §5.1.3 lets an answer be refused for.
pub fn accept(ours: &[Tagged], answer: &[&Crypto]) -> Result<(Tagged, Material), SdesFault> {
    let [crypto] = answer else {
        return Err(SdesFault::Several(answer.len()));
    };
    let own = ours
        .iter()
        .find(|own| own.tag == crypto.tag && own.material.suite.name() == crypto.suite)
        .ok_or(SdesFault::Tag(crypto.tag))?;
    let peer = material(crypto, own.material.suite).map_err(SdesFault::Parameter)?;
    distinct(&own.material, &peer)?;
    Ok((own.clone(), peer))
}

/// That two ends do not share a key.
///
/// # Errors
/// [`SdesFault::Reflected`] where they do.
pub fn distinct(own: &Material, peer: &Material) -> Result<(), SdesFault> {
    match own.octets == peer.octets {
        true => Err(SdesFault::Reflected),
        false => Ok(()),
    }
}

/// The attribute that tells a key.
#[must_use]
pub fn attribute(own: &Tagged) -> Crypto {
    let rate = own.material.rate.map(SessionParameter::KeyDerivationRate);
    Crypto {
        tag: own.tag,
        suite: own.material.suite.name().to_owned(),
        keys: vec![InlineKey {
            material: own.material.octets.clone(),
            lifetime: own.material.lifetime,
            mki: own.material.mki.clone(),
        }],
        parameters: rate.into_iter().collect(),
    }
}

/// NULL is for MIKEY alone: a description would promise security and give none.
fn encrypts(suite: Suite) -> bool {
    suite != Suite::NullHmacSha1_80
}

fn material(crypto: &Crypto, suite: Suite) -> Result<Material, Unusable> {
    let [key] = &crypto.keys[..] else {
        return Err(Unusable::Keys);
    };
    if key.material.len() != length(suite) {
        return Err(Unusable::Length);
    }
    let mut rate = None;
    for parameter in &crypto.parameters {
        match parameter {
            SessionParameter::KeyDerivationRate(exponent) => rate = Some(*exponent),
            // How large a window the receiver keeps is a hint (RFC 4568 §6.3.6).
            SessionParameter::WindowSize(_) => {}
            SessionParameter::Other(text) if text.starts_with('-') => {}
            SessionParameter::Other(_) => return Err(Unusable::Parameter),
            SessionParameter::UnencryptedSrtp
            | SessionParameter::UnencryptedSrtcp
            | SessionParameter::UnauthenticatedSrtp => return Err(Unusable::Unprotected),
        }
    }
    Ok(Material {
        lifetime: key.lifetime,
        mki: key.mki.clone(),
        rate,
        ..Material::of(suite, Zeroizing::new(key.material.to_vec()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm];

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |octets| {
            for octet in octets {
                next = next.wrapping_add(1);
                *octet = next;
            }
        }
    }

    fn offered(suites: &[Suite]) -> (Vec<Tagged>, Vec<Crypto>) {
        let mut draw = counting();
        let mut fresh = Fresh {
            ntp: 0,
            draw: &mut draw,
        };
        let own = offer(suites, &mut fresh);
        let lines = own.iter().map(attribute).collect();
        (own, lines)
    }

    /// A usable attribute of AES_CM_128_HMAC_SHA1_80 with these parameters.
    fn with(parameters: &str) -> Crypto {
        let key = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
        Crypto::parse(&format!(
            "7 AES_CM_128_HMAC_SHA1_80 inline:{key} {parameters}"
        ))
        .expect("an attribute")
    }

    #[test]
    fn every_attribute_of_an_offer_has_a_key_of_its_own() {
        let (own, lines) = offered(&Suite::ALL);
        assert_eq!(own.len(), 6, "all but NULL");
        assert_eq!(lines[5].tag, 6);
        assert_ne!(own[0].material.octets, own[1].material.octets);
        assert_eq!(own[3].material.octets.len(), 46);
    }

    #[test]
    fn the_offerer_says_what_is_preferred() {
        let (own, lines) = offered(&ALL);
        let lines: Vec<_> = lines.iter().collect();
        let both = [ALL[1], ALL[0]];
        assert_eq!(choose(&lines, &both).as_ref(), Ok(&own[0]));
        assert_eq!(choose(&lines, &ALL[1..]).as_ref(), Ok(&own[1]));
        assert_eq!(
            choose(&lines, &[Suite::AeadAes128Gcm]),
            Err(SdesFault::Suite)
        );
    }

    #[test]
    fn what_would_leave_packets_open_is_not_chosen() {
        let of = |parameters| choose(&[&with(parameters)], &ALL).err();
        let fault = |unusable| Some(SdesFault::Parameter(unusable));
        for open in [
            "UNENCRYPTED_SRTP",
            "UNENCRYPTED_SRTCP",
            "UNAUTHENTICATED_SRTP",
        ] {
            assert_eq!(of(open), fault(Unusable::Unprotected), "{open}");
        }
        assert_eq!(of("FEC_ORDER=FEC_SRTP"), fault(Unusable::Parameter));
        assert_eq!(of("-FEC_ORDER=FEC_SRTP WSH=64"), None);
    }

    #[test]
    fn a_key_of_another_suite_s_length_is_not_chosen() {
        let mut crypto = with("");
        crypto.suite = "AES_256_CM_HMAC_SHA1_80".to_owned();
        let chosen = choose(&[&crypto], &Suite::ALL);
        assert_eq!(chosen, Err(SdesFault::Parameter(Unusable::Length)));
    }

    #[test]
    fn lifetime_name_and_rate_go_with_the_key() {
        let text = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 KDR=5";
        let crypto = Crypto::parse(text).expect("an attribute");
        let peer = choose(&[&crypto], &ALL).expect("a choice");
        assert_eq!(peer.material.lifetime, Some(1 << 20));
        assert_eq!(peer.material.rate, Some(5));
        assert_eq!(peer.material.master().expect("a key").mki(), [0, 0, 0, 1]);
        assert_eq!(attribute(&peer), crypto);
    }

    #[test]
    fn an_answer_takes_one_attribute_by_its_tag() {
        let (own, lines) = offered(&ALL);
        let mut answer = with("");
        answer.tag = 1;
        let (taken, _) = accept(&own, &[&answer]).expect("an answer");
        assert_eq!(taken, own[0]);
        assert_eq!(
            accept(&own, &[&answer, &answer]),
            Err(SdesFault::Several(2))
        );
        assert_eq!(accept(&own, &[]), Err(SdesFault::Several(0)));
        assert_eq!(accept(&own, &[&lines[0]]), Err(SdesFault::Reflected));
        answer.tag = 2;
        assert_eq!(accept(&own, &[&answer]), Err(SdesFault::Tag(2)));
    }
}
