//! A responder's answer, and whether it is believed.
//!
//! It must be signed by the authority that issued the certificate or by a
//! responder that this authority named (RFC 6960 §4.2.2.2), answer what was
//! asked, and be of now. The library checks the shape and the signature; what
//! was signed is read here.

use openssl::error::ErrorStack;
use openssl::ocsp::{OcspBasicResponse, OcspFlag, OcspResponse, OcspResponseStatus};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use thiserror::Error;

use super::request::{CertificateId, NONCE};
use super::single::Single;
use super::verdict::{Verdict, Word};
use crate::certs::certificate::Certificate;
use crate::certs::date::utc;
use crate::certs::der::{self, ENUMERATED, GENERALIZED_TIME, OBJECT, OCTETS, Reader, SEQUENCE};

/// Why the answer of a responder is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadAnswer {
    /// Not OCSP, or not the kind that everybody speaks.
    #[error("its answer is no OCSP response")]
    NotOcsp,
    /// It says so.
    #[error("it answers {0}")]
    Refused(&'static str),
    /// Signed by nobody who may.
    #[error("its answer is signed neither by the authority nor by its delegate")]
    NotEntitled,
    /// An answer to somebody else, played again.
    #[error("its answer has another nonce than the question")]
    OtherNonce,
    /// Not about the certificate that was asked for.
    #[error("its answer is about another certificate")]
    OtherCertificate,
    /// From the future.
    #[error("its answer is of {}, which is to come", utc(*.0))]
    NotYet(i64),
    /// Of the past.
    #[error("its answer held until {}", utc(*.0))]
    Stale(i64),
}

/// What a stapled answer says about the first of the two certificates, which
/// the second issued, at `now` in seconds since 1970.
///
/// # Errors
/// See [`BadAnswer`]; among others a signature of nobody who may.
pub fn stapled(
    der: &[u8],
    of: (&Certificate, &Certificate),
    now: i64,
) -> Result<Verdict, BadAnswer> {
    Ok(read(der, of, now, None)?.verdict)
}

/// Reads the answer about `subject`, which `issuer` issued. What was stapled
/// has no nonce to compare.
pub(super) fn read(
    der: &[u8],
    (subject, issuer): (&Certificate, &Certificate),
    now: i64,
    nonce: Option<&[u8]>,
) -> Result<Word, BadAnswer> {
    if der.len() > MAX_RESPONSE {
        return Err(BadAnswer::NotOcsp);
    }
    let response = OcspResponse::from_der(der).map_err(|_| BadAnswer::NotOcsp)?;
    succeeded(response.status())?;
    let signed = response.basic().map_err(|_| BadAnswer::NotOcsp)?;
    let answer = Answer::read(der).ok_or(BadAnswer::NotOcsp)?;
    if !answer.is_entitled(&signed, issuer, now) {
        return Err(BadAnswer::NotEntitled);
    }
    // A responder that prepares its answers has none (RFC 5019 §4).
    match (nonce, answer.nonce) {
        (Some(asked), Some(told)) if asked != told => return Err(BadAnswer::OtherNonce),
        _ => {}
    }
    let id = CertificateId::new(subject, issuer).ok_or(BadAnswer::OtherCertificate)?;
    let single = answer.singles.iter().find(|single| id.is(single.id));
    single.ok_or(BadAnswer::OtherCertificate)?.at(now)
}

fn succeeded(status: OcspResponseStatus) -> Result<(), BadAnswer> {
    Err(BadAnswer::Refused(match status {
        OcspResponseStatus::SUCCESSFUL => return Ok(()),
        OcspResponseStatus::MALFORMED_REQUEST => "malformedRequest",
        OcspResponseStatus::INTERNAL_ERROR => "internalError",
        OcspResponseStatus::TRY_LATER => "tryLater",
        OcspResponseStatus::SIG_REQUIRED => "sigRequired",
        OcspResponseStatus::UNAUTHORIZED => "unauthorized",
        _ => "a status that does not exist",
    }))
}

/// What is read of a BasicOCSPResponse (RFC 6960 §4.2.1).
struct Answer<'a> {
    singles: Vec<Single<'a>>,
    nonce: Option<&'a [u8]>,
    certificates: Vec<Certificate>,
}

impl<'a> Answer<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(Reader(der).expect(SEQUENCE)?);
        outer.value(ENUMERATED)?;
        let mut bytes = Reader(Reader(outer.value(CONTEXT_0)?).expect(SEQUENCE)?);
        bytes.value(OBJECT)?;
        let mut basic = Reader(Reader(bytes.value(OCTETS)?).expect(SEQUENCE)?);
        let data = Reader(basic.value(SEQUENCE)?);
        let certificates = basic.find(|(tag, _)| *tag == CONTEXT_0);
        let certificates = certificates.map_or(Some(Vec::new()), |(_, list)| sent(list))?;
        // Before it stand the version and who answers, of which one is `[1]` too.
        let mut data = data.skip_while(|(tag, _)| *tag != GENERALIZED_TIME).skip(1);
        let (_, singles) = data.next().filter(|(tag, _)| *tag == SEQUENCE)?;
        let nonce = data.find(|(tag, _)| *tag == CONTEXT_1);
        let singles = Reader(singles).take(MAX_SINGLES);
        Some(Self {
            singles: singles
                .map(|(_, single)| Single::read(single))
                .collect::<Option<_>>()?,
            nonce: nonce.and_then(|(_, extensions)| nonce_of(extensions)),
            certificates,
        })
    }

    /// RFC 6960 §4.2.2.2: the issuer itself, or whom it named a responder.
    fn is_entitled(&self, signed: &OcspBasicResponse, issuer: &Certificate, now: i64) -> bool {
        let delegates = self.certificates.iter();
        let delegates = delegates.filter(|one| is_delegate(one, issuer, now));
        let mut entitled = std::iter::once(issuer).chain(delegates);
        entitled.any(|signer| is_signed_by(signed, signer).is_ok())
    }
}

/// The certificates sent with an answer.
fn sent(list: &[u8]) -> Option<Vec<Certificate>> {
    let each = Reader(Reader(list).expect(SEQUENCE)?).take(MAX_CERTIFICATES);
    let each = each.map(|(tag, value)| der::encode(tag, &[value]));
    each.map(|der| Certificate::from_der(&der).ok()).collect()
}

fn nonce_of(extensions: &[u8]) -> Option<&[u8]> {
    let mut each = Reader(Reader(extensions).expect(SEQUENCE)?);
    each.find_map(|(_, extension)| {
        let mut parts = Reader(extension);
        let named = parts.value(OBJECT)? == NONCE;
        let (_, value) = parts.find(|(tag, _)| *tag == OCTETS)?;
        // Some old responders do not wrap it twice.
        named.then(|| Reader(value).expect(OCTETS).unwrap_or(value))
    })
}

/// Its own revocation is not asked for: it would be a question to itself.
fn is_delegate(one: &Certificate, issuer: &Certificate, now: i64) -> bool {
    let usage = der::extension(one.der(), der::EXTENDED_KEY_USAGE);
    let usage = usage.and_then(der::purposes).unwrap_or_default();
    usage.contains(&der::OCSP_SIGNING)
        && one.signs
        && (one.not_before..=one.not_after).contains(&now)
        && issuer.issued(one)
}

fn is_signed_by(signed: &OcspBasicResponse, signer: &Certificate) -> Result<(), ErrorStack> {
    let mut signers = Stack::new()?;
    signers.push(signer.x509().clone())?;
    // Who may sign is decided here; nothing but the signature is left.
    let flags = OcspFlag::NO_INTERN | OcspFlag::NO_VERIFY;
    signed.verify(&signers, &X509StoreBuilder::new()?.build(), flags)
}

/// Octets of an answer.
pub(in crate::certs) const MAX_RESPONSE: usize = 65_536;
/// Certificates read from one answer.
const MAX_CERTIFICATES: usize = 8;
/// Verdicts read from one answer.
const MAX_SINGLES: usize = 64;
pub(super) const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

#[cfg(test)]
mod tests {
    use super::super::testing::Saying;
    use super::super::verdict::Cause;
    use super::*;
    use crate::certs::date::DAY;
    use crate::certs::testing::{Authority, Leaf, NOW};

    /// An authority, a server of its, and what a responder says of it.
    struct Bench {
        root: Authority,
        leaf: Certificate,
    }

    impl Bench {
        fn new() -> Self {
            let root = Authority::new("Root");
            let leaf = root.issue(Leaf::new("leaf")).certificate().clone();
            Self { root, leaf }
        }

        fn saying(&self) -> Saying {
            Saying::new(&self.leaf, &self.root)
        }

        fn read(&self, answer: &[u8], nonce: Option<&[u8]>) -> Result<Word, BadAnswer> {
            let of = (&self.leaf, self.root.certificate());
            read(answer, of, NOW, nonce)
        }
    }

    #[test]
    fn each_verdict_is_read_with_how_long_it_holds() {
        let bench = Bench::new();
        let revoked = Verdict::Revoked {
            since: NOW - DAY,
            cause: Some(Cause(1)),
        };
        for verdict in [Verdict::Good, revoked, Verdict::Unknown] {
            let answer = bench.saying().verdict(verdict).signed_by(bench.root.pair());
            let until = Some(NOW + DAY);
            assert_eq!(bench.read(&answer, None), Ok(Word { verdict, until }));
        }
    }

    #[test]
    fn only_the_authority_and_its_delegate_are_believed() {
        let bench = Bench::new();
        let other = Authority::new("Root");
        let delegate = bench.root.issue(Leaf::new("ocsp").purpose("OCSPSigning"));
        let plain = bench.root.issue(Leaf::new("ocsp"));
        let expired = bench
            .root
            .issue(Leaf::new("ocsp").purpose("OCSPSigning").expired());
        let foreign = other.issue(Leaf::new("ocsp").purpose("OCSPSigning"));
        let mute = bench.saying().signed_by(&delegate);
        assert_eq!(bench.read(&mute, None), Err(BadAnswer::NotEntitled));
        let answer = bench.saying().sending(&delegate).signed_by(&delegate);
        assert_eq!(
            bench.read(&answer, None).map(|word| word.verdict),
            Ok(Verdict::Good)
        );
        for signer in [&plain, &expired, &foreign, other.pair()] {
            let answer = bench.saying().sending(signer).signed_by(signer);
            assert_eq!(bench.read(&answer, None), Err(BadAnswer::NotEntitled));
        }
    }

    #[test]
    fn a_changed_answer_is_not_believed() {
        let bench = Bench::new();
        let mut answer = bench
            .saying()
            .verdict(Verdict::Unknown)
            .signed_by(bench.root.pair());
        let at = answer.windows(2).position(|pair| pair == [0x82, 0]);
        answer[at.expect("unknown")] = 0x80;
        assert_eq!(bench.read(&answer, None), Err(BadAnswer::NotEntitled));
    }

    #[test]
    fn an_answer_to_another_question_is_not_believed() {
        let bench = Bench::new();
        let answer = bench.saying().nonce(&[1; 32]).signed_by(bench.root.pair());
        assert!(bench.read(&answer, Some(&[1; 32])).is_ok());
        assert_eq!(
            bench.read(&answer, Some(&[2; 32])),
            Err(BadAnswer::OtherNonce)
        );
        assert!(bench.read(&answer, None).is_ok());
        let without = bench.saying().signed_by(bench.root.pair());
        assert!(bench.read(&without, Some(&[2; 32])).is_ok());
        let neighbour = bench.root.issue(Leaf::new("leaf"));
        let about = Saying::new(neighbour.certificate(), &bench.root);
        let answer = about.signed_by(bench.root.pair());
        assert_eq!(bench.read(&answer, None), Err(BadAnswer::OtherCertificate));
    }

    #[test]
    fn an_answer_is_of_now() {
        let bench = Bench::new();
        let at = |this: i64, next: Option<i64>| {
            let answer = bench.saying().dates(this, next);
            bench.read(&answer.signed_by(bench.root.pair()), None)
        };
        assert!(at(NOW - 9 * DAY, Some(NOW - 300)).is_ok());
        assert_eq!(
            at(NOW - 9 * DAY, Some(NOW - 301)),
            Err(BadAnswer::Stale(NOW - 301))
        );
        assert_eq!(at(NOW + 301, None), Err(BadAnswer::NotYet(NOW + 301)));
        assert_eq!(at(NOW, None).map(|word| word.until), Ok(None));
        assert_eq!(at(NOW - DAY, None), Err(BadAnswer::Stale(NOW - DAY + 3600)));
    }

    #[test]
    fn garbage_and_every_shortening_are_refused_without_panic() {
        let bench = Bench::new();
        let answer = bench
            .saying()
            .sending(bench.root.pair())
            .signed_by(bench.root.pair());
        for end in 0..answer.len() {
            assert!(bench.read(&answer[..end], None).is_err());
        }
        for at in 0..answer.len() {
            let mut changed = answer.clone();
            changed[at] ^= 0x55;
            let _ = bench.read(&changed, None);
        }
        assert_eq!(
            bench.read(&vec![0x30; MAX_RESPONSE + 1], None),
            Err(BadAnswer::NotOcsp)
        );
        let unauthorized = [0x30, 3, 0x0a, 1, 6];
        assert_eq!(
            bench.read(&unauthorized, None),
            Err(BadAnswer::Refused("unauthorized"))
        );
    }
}
