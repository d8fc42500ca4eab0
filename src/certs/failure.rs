//! Why a peer's certificate was not accepted.
//!
//! One variant for each thing that can be wrong, with whose certificate it
//! is. The text says what is wrong; what to change is said by `reason`.

use thiserror::Error;

use super::certificate::Certificate;
use super::date::utc;
use super::ocsp::{Cause, Doubt};
use super::usage::{Purpose, Usage};

/// Why a peer's certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyFailure {
    /// Every level asks for one.
    #[error("it presents no certificate")]
    NoCertificate,
    /// More than a chain has.
    #[error("it presents {count} certificates, {max} are allowed")]
    TooManyCertificates {
        /// Certificates presented.
        count: usize,
        /// Certificates allowed.
        max: usize,
    },
    /// Not X.509.
    #[error("certificate {place} of {count} is not readable")]
    Unreadable {
        /// Counted from 1.
        place: usize,
        /// Certificates presented.
        count: usize,
    },
    /// The chain ends at an issuer that is not installed.
    #[error("{subject} is issued by {issuer}, which is not among the installed authorities")]
    UnknownIssuer {
        /// The last certificate of the chain.
        subject: String,
        /// Who is missing.
        issuer: String,
    },
    /// Its own issuer, and not installed.
    #[error("{subject} is self-signed and not installed here")]
    SelfSigned {
        /// Whose certificate it is.
        subject: String,
    },
    /// Past its last day.
    #[error("{subject} expired on {}", utc(*.not_after))]
    Expired {
        /// Whose certificate it is.
        subject: String,
        /// Last second of validity, since 1970.
        not_after: i64,
    },
    /// Before its first day.
    #[error("{subject} is valid from {} and it is {} here", utc(*.not_before), utc(*.now))]
    NotYetValid {
        /// Whose certificate it is.
        subject: String,
        /// First second of validity, since 1970.
        not_before: i64,
        /// The time here, since 1970.
        now: i64,
    },
    /// It signed another one and must not.
    #[error("{subject} signed a certificate but is no authority")]
    NotAnAuthority {
        /// Whose certificate it is.
        subject: String,
    },
    /// The extended key usage is for other things.
    #[error("{subject} may not be used as {purpose} (its usage: {usage})")]
    WrongUsage {
        /// Whose certificate it is.
        subject: String,
        /// What it was used as.
        purpose: Purpose,
        /// What it may be used for.
        usage: Usage,
    },
    /// The key usage lacks digitalSignature.
    #[error("{subject} has a key usage without digitalSignature")]
    CannotSign {
        /// Whose certificate it is.
        subject: String,
    },
    /// Signed by another key than its issuer's.
    #[error("the signature on {subject} is wrong")]
    BadSignature {
        /// Whose certificate it is.
        subject: String,
    },
    /// A key or a digest that no longer protects.
    #[error("{subject} has a key or a signature that is too weak")]
    TooWeak {
        /// Whose certificate it is.
        subject: String,
    },
    /// Valid, but another one's.
    #[error("the certificate of {wanted} names {}", listed(.names))]
    WrongName {
        /// The name it should have.
        wanted: String,
        /// The names it has.
        names: Vec<String>,
    },
    /// Anything else that RFC 5280 §6 asks, by the library's words.
    #[error("{subject} is not valid: {why}")]
    Invalid {
        /// Whose certificate it is.
        subject: String,
        /// What the library found.
        why: &'static str,
    },
    /// Its authority took it back.
    #[error("{subject} was revoked on {}: {}", utc(*.since), told(.cause.as_ref()))]
    Revoked {
        /// Whose certificate it is.
        subject: String,
        /// When, in seconds since 1970.
        since: i64,
        /// Why, where that is told.
        cause: Option<Cause>,
    },
    /// It is not known whether its authority took it back, and must be.
    #[error("it is not known whether {subject} was revoked: {doubt}")]
    NotVouchedFor {
        /// Whose certificate it is.
        subject: String,
        /// The file of the authority that it is trusted by.
        file: Option<String>,
        /// Why it is not known.
        doubt: Doubt,
    },
    /// The library failed, not the certificate.
    #[error("the certificate could not be checked")]
    NotChecked,
}

impl VerifyFailure {
    /// From what chain building says (the codes of `x509_vfy.h`).
    pub(super) fn of_chain(
        code: i32,
        why: &'static str,
        culprit: Option<&Certificate>,
        now: i64,
    ) -> Self {
        let Some(culprit) = culprit else {
            return Self::NotChecked;
        };
        let subject = culprit.subject.to_string();
        match code {
            NO_ISSUER | NO_LOCAL_ISSUER | NO_LEAF_ISSUER => Self::UnknownIssuer {
                subject,
                issuer: culprit.issuer.to_string(),
            },
            SELF_SIGNED_LEAF | SELF_SIGNED_IN_CHAIN => Self::SelfSigned { subject },
            EXPIRED => Self::Expired {
                subject,
                not_after: culprit.not_after,
            },
            NOT_YET_VALID => Self::NotYetValid {
                subject,
                not_before: culprit.not_before,
                now,
            },
            INVALID_CA | NO_CERTIFICATE_SIGN => Self::NotAnAuthority { subject },
            SIGNATURE_FAILURE => Self::BadSignature { subject },
            WEAK_LEAF_KEY | WEAK_AUTHORITY_KEY | WEAK_DIGEST => Self::TooWeak { subject },
            _ => Self::Invalid { subject, why },
        }
    }
}

fn told(cause: Option<&Cause>) -> String {
    cause.map_or_else(|| "no reason is told".to_owned(), Cause::to_string)
}

/// The first few, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>();
    match (names.len(), names.len().saturating_sub(MAX_LISTED)) {
        (0, _) => "nobody".to_owned(),
        (_, 0) => format!("only {}", shown.join(", ")),
        (_, more) => format!("only {} and {more} more", shown.join(", ")),
    }
}

const MAX_LISTED: usize = 4;

const NO_ISSUER: i32 = 2;
const SIGNATURE_FAILURE: i32 = 7;
const NOT_YET_VALID: i32 = 9;
const EXPIRED: i32 = 10;
const SELF_SIGNED_LEAF: i32 = 18;
const SELF_SIGNED_IN_CHAIN: i32 = 19;
const NO_LOCAL_ISSUER: i32 = 20;
const NO_LEAF_ISSUER: i32 = 21;
const NO_CERTIFICATE_SIGN: i32 = 32;
const WEAK_LEAF_KEY: i32 = 66;
const WEAK_AUTHORITY_KEY: i32 = 67;
const WEAK_DIGEST: i32 = 68;
const INVALID_CA: i32 = 79;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        let names: Vec<_> = (1..=6)
            .map(|n| format!("{n}.example.com (SAN DNS)"))
            .collect();
        assert_eq!(listed(&names[..1]), "only 1.example.com (SAN DNS)");
        assert!(listed(&names).ends_with("4.example.com (SAN DNS) and 2 more"));
        assert_eq!(listed(&[]), "nobody");
    }
}
