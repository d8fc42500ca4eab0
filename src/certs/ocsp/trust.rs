//! How much it matters whether a certificate was revoked.

use std::fmt;

use super::doubt::Doubt;
use super::verdict::Verdict;
use crate::certs::failure::VerifyFailure;

/// Whether revocation is asked for; numbered as the MIB numbers them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrustLevel {
    /// What leads to an anchor is trusted; nobody is asked.
    #[default]
    LocallyTrusted = 100,
    /// Refused where it was revoked; trusted where that cannot be found out.
    OcspOptional = 200,
    /// Trusted only where its authority says that it was not revoked.
    OcspMandatory = 300,
}

/// What was found out of a certificate that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The trust level asks for nothing.
    NotAsked,
    /// Its authority says that it was not revoked.
    Good,
    /// It is not known, and need not be.
    Doubtful {
        /// Whose certificate it is.
        subject: String,
        /// Why it is not known.
        doubt: Doubt,
    },
}

impl TrustLevel {
    /// What follows from what was found out of `subject`; `file` is the
    /// authority's, where that is installed.
    pub(in crate::certs) fn judge(
        self,
        subject: String,
        file: Option<String>,
        found: Result<Verdict, Doubt>,
    ) -> Result<Standing, VerifyFailure> {
        let doubt = match found {
            Ok(Verdict::Good) => return Ok(Standing::Good),
            Ok(Verdict::Revoked { since, cause }) => {
                return Err(VerifyFailure::Revoked {
                    subject,
                    since,
                    cause,
                });
            }
            Ok(Verdict::Unknown) => Doubt::Unknown,
            Err(doubt) => doubt,
        };
        match self {
            Self::OcspMandatory => Err(VerifyFailure::NotVouchedFor {
                subject,
                file,
                doubt,
            }),
            Self::OcspOptional | Self::LocallyTrusted => Ok(Standing::Doubtful { subject, doubt }),
        }
    }
}

impl fmt::Display for TrustLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocallyTrusted => "locallyTrusted",
            Self::OcspOptional => "ocspOptional",
            Self::OcspMandatory => "ocspMandatory",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_revoked_is_refused_and_what_is_not_known_only_where_it_must_be() {
        use TrustLevel::{OcspMandatory, OcspOptional};
        let judge = |level: TrustLevel, found| level.judge("CN=x".into(), None, found);
        let revoked = Verdict::Revoked {
            since: 0,
            cause: None,
        };
        for level in [OcspOptional, OcspMandatory] {
            assert_eq!(judge(level, Ok(Verdict::Good)), Ok(Standing::Good));
            assert!(judge(level, Ok(revoked)).is_err());
        }
        for doubt in [Ok(Verdict::Unknown), Err(Doubt::NoResponder)] {
            let optional = judge(OcspOptional, doubt.clone());
            assert!(matches!(optional, Ok(Standing::Doubtful { .. })));
            assert!(judge(OcspMandatory, doubt).is_err());
        }
    }
}
