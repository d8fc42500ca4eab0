//! Trust anchors, and the chain from a peer's certificate to one of them.
//!
//! An anchor may be a root, an intermediate or the peer's very certificate:
//! whatever the operator installed is trusted as it is. Chains are built and
//! checked by the library (RFC 5280 §6), at the time that it is given.

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509StoreContext, X509StoreContextRef, X509VerifyResult};

use super::certificate::Certificate;
use super::failure::VerifyFailure;
use super::time::TlsTime;

/// The certificates that are trusted because they are installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(Vec<Certificate>);

impl Anchors {
    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The certificates.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter()
    }

    /// The chain from the first of `presented` up to an anchor, leaf first.
    pub(super) fn chain(
        &self,
        presented: &[Certificate],
        time: TlsTime,
    ) -> Result<Vec<Certificate>, VerifyFailure> {
        let (leaf, above) = presented
            .split_first()
            .ok_or(VerifyFailure::NoCertificate)?;
        let mut first_failure = None;
        for at in self.instants(presented, time) {
            match self.chain_at(leaf, above, at) {
                Ok(chain) => return Ok(chain),
                Err(failure) => first_failure = first_failure.or(Some(failure)),
            }
        }
        Err(first_failure.unwrap_or(VerifyFailure::NotChecked))
    }

    /// When the chain may be valid: now; or the floor, and each later instant
    /// at which a certificate begins to be valid. A chain that is valid at any
    /// time from the floor on is valid at one of these.
    fn instants(&self, presented: &[Certificate], time: TlsTime) -> Vec<i64> {
        let floor = match time {
            TlsTime::Known(now) => return vec![now],
            TlsTime::Floor(floor) => floor,
        };
        let all = presented.iter().chain(&self.0);
        let later = all.map(|one| one.not_before).filter(|at| *at > floor);
        let mut instants: Vec<_> = std::iter::once(floor).chain(later).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    fn chain_at(
        &self,
        leaf: &Certificate,
        above: &[Certificate],
        at: i64,
    ) -> Result<Vec<Certificate>, VerifyFailure> {
        let verdict = self
            .ask_library(leaf, above, at)
            .map_err(|_| VerifyFailure::NotChecked)?;
        match verdict.result {
            X509VerifyResult::OK => Ok(verdict.chain),
            wrong => Err(VerifyFailure::of_chain(
                wrong.as_raw(),
                wrong.error_string(),
                verdict.culprit.as_ref(),
                at,
            )),
        }
    }

    fn ask_library(
        &self,
        leaf: &Certificate,
        above: &[Certificate],
        at: i64,
    ) -> Result<Verdict, ErrorStack> {
        let mut untrusted = Stack::new()?;
        for certificate in above {
            untrusted.push(certificate.x509().clone())?;
        }
        let store = self.store(at)?;
        X509StoreContext::new()?.init(&store, leaf.x509(), &untrusted, Verdict::ask)
    }

    pub(super) fn store(&self, at: i64) -> Result<X509Store, ErrorStack> {
        let mut param = X509VerifyParam::new()?;
        param.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        param.set_time(at);
        param.set_depth(MAX_DEPTH);
        param.set_auth_level(AUTH_LEVEL);
        let mut store = X509StoreBuilder::new()?;
        store.set_param(&param)?;
        for anchor in &self.0 {
            store.add_cert(anchor.x509().clone())?;
        }
        Ok(store.build())
    }
}

impl FromIterator<Certificate> for Anchors {
    fn from_iter<I: IntoIterator<Item = Certificate>>(certificates: I) -> Self {
        Self(Vec::from_iter(certificates))
    }
}

struct Verdict {
    result: X509VerifyResult,
    culprit: Option<Certificate>,
    chain: Vec<Certificate>,
}

impl Verdict {
    fn ask(context: &mut X509StoreContextRef) -> Result<Self, ErrorStack> {
        let good = context.verify_cert()?;
        // The library always sets an error where it refuses; trust is never assumed.
        let result = match (good, context.error()) {
            (false, X509VerifyResult::OK) => X509VerifyResult::APPLICATION_VERIFICATION,
            (_, result) => result,
        };
        let culprit = context.current_cert().map(|one| one.to_owned());
        let chain = context.chain().into_iter().flatten();
        Ok(Self {
            result,
            culprit: culprit.map(Certificate::inspect).transpose()?,
            chain: chain
                .map(|one| Certificate::inspect(one.to_owned()))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Authorities between a leaf and its anchor.
const MAX_DEPTH: i32 = 8;
/// 112 bits: RSA from 2048, no SHA-1.
const AUTH_LEVEL: i32 = 2;

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;

    use super::super::date::DAY;
    use super::super::testing::{Authority, Leaf, NOW, Pair, YEAR, rsa};
    use super::*;

    fn trust(authorities: &[&Authority]) -> Anchors {
        let anchors = authorities.iter();
        anchors.map(|one| one.certificate().clone()).collect()
    }

    fn check(
        anchors: &Anchors,
        leaf: &Pair,
        above: &[&Authority],
        time: TlsTime,
    ) -> Result<usize, VerifyFailure> {
        let mut presented = vec![leaf.certificate().clone()];
        presented.extend(above.iter().map(|one| one.certificate().clone()));
        anchors.chain(&presented, time).map(|chain| chain.len())
    }

    const NOW_KNOWN: TlsTime = TlsTime::Known(NOW);

    #[test]
    fn a_chain_leads_to_a_root_or_to_an_installed_intermediate() {
        let root = Authority::new("Root");
        let middle = root.intermediate("Middle");
        let leaf = middle.issue(Leaf::new("leaf"));
        assert_eq!(check(&trust(&[&root]), &leaf, &[&middle], NOW_KNOWN), Ok(3));
        assert_eq!(check(&trust(&[&middle]), &leaf, &[], NOW_KNOWN), Ok(2));
        assert_eq!(
            check(&trust(&[&root, &middle]), &leaf, &[], NOW_KNOWN),
            Ok(2)
        );
    }

    #[test]
    fn a_missing_issuer_is_named() {
        let root = Authority::new("Root");
        let middle = root.intermediate("Middle");
        let leaf = middle.issue(Leaf::new("leaf"));
        assert_eq!(
            check(&trust(&[&root]), &leaf, &[], NOW_KNOWN),
            Err(VerifyFailure::UnknownIssuer {
                subject: "CN=leaf".into(),
                issuer: "CN=Middle".into()
            })
        );
        assert_eq!(
            check(&Anchors::default(), &leaf, &[&middle], NOW_KNOWN),
            Err(VerifyFailure::UnknownIssuer {
                subject: "CN=Middle".into(),
                issuer: "CN=Root".into()
            })
        );
    }

    #[test]
    fn another_authority_of_the_same_name_is_not_trusted() {
        let (root, impostor) = (Authority::new("Root"), Authority::new("Root"));
        let leaf = impostor.issue(Leaf::new("leaf"));
        assert_eq!(
            check(&trust(&[&root]), &leaf, &[], NOW_KNOWN),
            Err(VerifyFailure::BadSignature {
                subject: "CN=leaf".into()
            })
        );
    }

    #[test]
    fn a_self_signed_peer_is_trusted_only_once_installed() {
        let leaf = Leaf::new("leaf").self_signed();
        let none = trust(&[&Authority::new("Root")]);
        let failure = VerifyFailure::SelfSigned {
            subject: "CN=leaf".into(),
        };
        assert_eq!(check(&none, &leaf, &[], NOW_KNOWN), Err(failure));
        let anchors = Anchors::from_iter([leaf.certificate().clone()]);
        assert_eq!(check(&anchors, &leaf, &[], NOW_KNOWN), Ok(1));
    }

    #[test]
    fn dates_are_checked_all_the_way_up() {
        let root = Authority::dated("Root", NOW - YEAR, NOW - DAY);
        let leaf = root.issue(Leaf::new("leaf"));
        assert_eq!(
            check(&trust(&[&root]), &leaf, &[], NOW_KNOWN),
            Err(VerifyFailure::Expired {
                subject: "CN=Root".into(),
                not_after: NOW - DAY
            })
        );
        let root = Authority::new("Root");
        let late = root.issue(Leaf::new("leaf").dates(NOW + DAY, NOW + YEAR));
        assert_eq!(
            check(&trust(&[&root]), &late, &[], NOW_KNOWN),
            Err(VerifyFailure::NotYetValid {
                subject: "CN=leaf".into(),
                not_before: NOW + DAY,
                now: NOW
            })
        );
    }

    #[test]
    fn before_the_time_is_known_only_what_expired_before_the_floor_is_refused() {
        let root = Authority::dated("Root", NOW - YEAR, NOW + 9 * YEAR);
        let anchors = trust(&[&root]);
        let at = |floor, leaf: &Pair| check(&anchors, leaf, &[], TlsTime::Floor(floor));
        let later = root.issue(Leaf::new("leaf").dates(NOW + YEAR, NOW + 2 * YEAR));
        assert_eq!(at(NOW, &later), Ok(2));
        assert_eq!(at(NOW - 2 * YEAR, &later), Ok(2));
        let expired = root.issue(Leaf::new("leaf").expired());
        assert!(matches!(
            at(NOW, &expired),
            Err(VerifyFailure::Expired { .. })
        ));
    }

    #[test]
    fn a_chain_that_is_valid_at_no_time_is_refused_even_before_the_time_is_known() {
        let root = Authority::dated("Root", NOW - YEAR, NOW + DAY);
        let leaf = root.issue(Leaf::new("leaf").dates(NOW + 2 * DAY, NOW + YEAR));
        let verdict = check(&trust(&[&root]), &leaf, &[], TlsTime::Floor(NOW));
        assert!(verdict.is_err());
    }

    #[test]
    fn only_an_authority_may_issue() {
        let root = Authority::new("Root");
        let middle = root.issue(Leaf::new("Middle"));
        let leaf = Leaf::new("leaf").sign(
            middle.key(),
            middle.certificate().x509().subject_name(),
            middle.key(),
        );
        let presented = [leaf.certificate().clone(), middle.certificate().clone()];
        assert_eq!(
            trust(&[&root]).chain(&presented, NOW_KNOWN),
            Err(VerifyFailure::NotAnAuthority {
                subject: "CN=Middle".into()
            })
        );
    }

    #[test]
    fn weak_keys_and_digests_are_refused() {
        let root = Authority::new("Root");
        let anchors = trust(&[&root]);
        let small = root.issue_for(Leaf::new("leaf"), &rsa(1024));
        let sha1 = root.issue(Leaf::new("leaf").digest(MessageDigest::sha1()));
        for leaf in [small, sha1] {
            let failure = VerifyFailure::TooWeak {
                subject: "CN=leaf".into(),
            };
            assert_eq!(check(&anchors, &leaf, &[], NOW_KNOWN), Err(failure));
        }
    }

    #[test]
    fn a_certificate_of_version_1_is_as_good_as_its_chain() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("leaf").version_1());
        assert_eq!(check(&trust(&[&root]), &leaf, &[], NOW_KNOWN), Ok(2));
    }
}
