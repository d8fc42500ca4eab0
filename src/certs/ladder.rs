//! The validation ladder: how much of a peer's certificate is checked.
//!
//! Four levels, each asking for all that the one below asks. Plain logic: the
//! certificates, the anchors and the time come in, a trail or a refusal goes
//! out. It opens nothing and asks no network.

use std::fmt;

use thiserror::Error;

use super::anchors::Anchors;
use super::certificate::Certificate;
use super::failure::VerifyFailure;
use super::identity::{Host, Identity, target_named_by};
use super::time::TlsTime;
use super::trail::{Step, Trail};
use super::usage::Purpose;

/// How much is checked; numbered as the MIB numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Any certificate will do, but there must be one.
    NoValidation = 100,
    /// It must lead to an anchor, be in date and be for this use.
    TrustedCertificate = 200,
    /// It must also name the server or the SRV target.
    DnsSrvResponse = 300,
    /// It must also name the server.
    HostName = 400,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoValidation => "noValidation",
            Self::TrustedCertificate => "trustedCertificate",
            Self::DnsSrvResponse => "dnsSrvResponse",
            Self::HostName => "hostName",
        })
    }
}

/// The server that a client expects, and how sure it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedServer {
    /// How much is checked.
    pub level: Level,
    /// Who it is.
    pub identity: Identity,
    /// The host that DNS SRV gave for it, if that was asked.
    pub srv_target: Option<Host>,
}

/// What a peer's certificate is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is a server.
    Server(ExpectedServer),
    /// It is a client, of which only trust is asked, at level trustedCertificate.
    Client(Purpose),
}

impl Check {
    /// Checks the DER certificates that a peer presented, its own first.
    ///
    /// # Errors
    /// [`Refused`], with what is wrong and what was checked until then.
    pub fn examine(
        &self,
        presented: &[&[u8]],
        anchors: &Anchors,
        time: TlsTime,
    ) -> Result<Trail, Refused> {
        let mut trail = Trail::default();
        match self.climb(presented, anchors, time, &mut trail) {
            Ok(()) => Ok(trail),
            Err(failure) => Err(Refused { failure, trail }),
        }
    }

    fn climb(
        &self,
        presented: &[&[u8]],
        anchors: &Anchors,
        time: TlsTime,
        trail: &mut Trail,
    ) -> Result<(), VerifyFailure> {
        let presented = read(presented, trail)?;
        let leaf = presented.first().ok_or(VerifyFailure::NoCertificate)?;
        if self.level() == Level::NoValidation {
            trail.push(Step::Enough(Level::NoValidation));
            return Ok(());
        }
        let chain = anchors.chain(&presented, time)?;
        trail.push(Step::Chained {
            chain: chain.clone(),
            time,
        });
        self.check_usage(&chain)?;
        trail.push(Step::Usable);
        self.check_name(leaf, trail)
    }

    fn level(&self) -> Level {
        match self {
            Self::Server(expected) => expected.level,
            Self::Client(_) => Level::TrustedCertificate,
        }
    }

    fn purpose(&self) -> Purpose {
        match self {
            Self::Server(expected) => expected.identity.purpose(),
            Self::Client(purpose) => *purpose,
        }
    }

    /// The leaf and the authorities between; an anchor is trusted as it is.
    fn check_usage(&self, chain: &[Certificate]) -> Result<(), VerifyFailure> {
        let purpose = self.purpose();
        let (leaf, above) = chain.split_first().ok_or(VerifyFailure::NotChecked)?;
        let below_anchor = above.len().saturating_sub(1);
        let asked = std::iter::once(leaf).chain(&above[..below_anchor]);
        for certificate in asked {
            if !certificate.usage.allows(purpose) {
                return Err(VerifyFailure::WrongUsage {
                    subject: certificate.subject.to_string(),
                    purpose,
                    usage: certificate.usage,
                });
            }
        }
        // RFC 8446 §4.4.2.2; with TLS 1.2 the ECDHE suites ask the same.
        match leaf.signs {
            true => Ok(()),
            false => Err(VerifyFailure::CannotSign {
                subject: leaf.subject.to_string(),
            }),
        }
    }

    fn check_name(&self, leaf: &Certificate, trail: &mut Trail) -> Result<(), VerifyFailure> {
        let expected = match self {
            Self::Server(expected) if expected.level >= Level::DnsSrvResponse => expected,
            Self::Server(_) | Self::Client(_) => {
                trail.push(Step::Enough(self.level()));
                return Ok(());
            }
        };
        let identity = &expected.identity;
        let srv_target = expected.srv_target.as_ref();
        let target = srv_target.filter(|_| expected.level == Level::DnsSrvResponse);
        let by_host = identity
            .named_by(leaf)
            .map(|found| (identity.host(), found));
        let named = by_host.or_else(|| {
            let target = target?;
            Some((target, target_named_by(target, leaf)?))
        });
        let (wanted, found) = named.ok_or_else(|| wrong_name(identity, target, leaf))?;
        let wanted = wanted.to_string();
        trail.push(Step::Named { wanted, found });
        Ok(())
    }
}

fn wrong_name(identity: &Identity, target: Option<&Host>, leaf: &Certificate) -> VerifyFailure {
    let host = identity.host();
    let wanted = match target {
        Some(target) => format!("{host} (SRV target {target})"),
        None => host.to_string(),
    };
    VerifyFailure::WrongName {
        wanted,
        names: identity.names_in(leaf),
    }
}

fn read(presented: &[&[u8]], trail: &mut Trail) -> Result<Vec<Certificate>, VerifyFailure> {
    let count = presented.len();
    if count > MAX_PRESENTED {
        return Err(VerifyFailure::TooManyCertificates {
            count,
            max: MAX_PRESENTED,
        });
    }
    let mut certificates = Vec::with_capacity(count);
    for (place, der) in (1..).zip(presented) {
        let certificate =
            Certificate::from_der(der).map_err(|_| VerifyFailure::Unreadable { place, count })?;
        trail.push(Step::Presented {
            place,
            count,
            certificate: Box::new(certificate.clone()),
        });
        certificates.push(certificate);
    }
    Ok(certificates)
}

/// A peer's certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{failure}")]
pub struct Refused {
    /// What is wrong.
    pub failure: VerifyFailure,
    /// What was checked before.
    pub trail: Trail,
}

/// Certificates that a peer may present.
pub const MAX_PRESENTED: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf, NOW, Pair};
    use super::*;

    fn identity() -> Identity {
        Identity::Sip(Host::parse("sip.example.com").expect("a host"))
    }

    fn server(level: Level) -> Check {
        Check::Server(ExpectedServer {
            level,
            identity: identity(),
            srv_target: None,
        })
    }

    fn examine(check: &Check, root: &Authority, leaf: &Pair) -> Result<Trail, VerifyFailure> {
        let anchors = Anchors::from_iter([root.certificate().clone()]);
        check
            .examine(&[leaf.der()], &anchors, TlsTime::Known(NOW))
            .map_err(|refused| refused.failure)
    }

    #[test]
    fn each_rung_asks_for_more_than_the_one_below() {
        let (root, other) = (Authority::new("Root"), Authority::new("Other"));
        let leaf = |ca: &Authority, name| ca.issue(Leaf::new("x").dns(name));
        let untrusted = leaf(&other, "sip.example.com");
        let foreign = leaf(&root, "a.example.com");
        let target = leaf(&root, "p1.example.net");
        let right = leaf(&root, "sip.example.com");
        // Accepted: untrusted, trusted of another name, of the SRV target, of the host.
        for (level, accepted) in [
            (Level::NoValidation, [true, true, true, true]),
            (Level::TrustedCertificate, [false, true, true, true]),
            (Level::DnsSrvResponse, [false, false, true, true]),
            (Level::HostName, [false, false, false, true]),
        ] {
            let check = Check::Server(ExpectedServer {
                level,
                identity: identity(),
                srv_target: Host::parse("p1.example.net").ok(),
            });
            let verdicts = [&untrusted, &foreign, &target, &right]
                .map(|leaf| examine(&check, &root, leaf).is_ok());
            assert_eq!(verdicts, accepted, "{level}");
        }
    }

    #[test]
    fn even_without_validation_a_certificate_must_come_and_be_readable() {
        let check = server(Level::NoValidation);
        let refusal = |presented: &[&[u8]]| {
            check
                .examine(presented, &Anchors::default(), TlsTime::Known(NOW))
                .expect_err("refused")
                .failure
        };
        assert_eq!(refusal(&[]), VerifyFailure::NoCertificate);
        assert_eq!(
            refusal(&[b"junk"]),
            VerifyFailure::Unreadable { place: 1, count: 1 }
        );
        let many = [b"".as_slice(); MAX_PRESENTED + 1];
        assert!(matches!(
            refusal(&many),
            VerifyFailure::TooManyCertificates { .. }
        ));
    }

    #[test]
    fn a_wrong_name_is_refused_with_the_names_there_are() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("x").dns("a.example.com"));
        let failure = examine(&server(Level::HostName), &root, &leaf).expect_err("another name");
        assert_eq!(
            failure.to_string(),
            "the certificate of sip.example.com names only a.example.com (SAN DNS)"
        );
    }

    #[test]
    fn usage_is_checked_from_the_first_trusted_rung_on() {
        let root = Authority::new("Root");
        let client = root.issue(Leaf::new("x").client_only());
        let cannot = root.issue(Leaf::new("x").cannot_sign());
        let check = server;
        assert!(examine(&check(Level::NoValidation), &root, &client).is_ok());
        let trusted = check(Level::TrustedCertificate);
        assert_eq!(
            examine(&trusted, &root, &client)
                .expect_err("usage")
                .to_string(),
            "CN=x may not be used as a TLS server (its usage: TlsClient)"
        );
        assert!(matches!(
            examine(&trusted, &root, &cannot),
            Err(VerifyFailure::CannotSign { .. })
        ));
    }

    #[test]
    fn a_certificate_of_sip_domain_usage_is_for_sip_only() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("x").purpose("1.3.6.1.5.5.7.3.20"));
        let sip = server(Level::TrustedCertificate);
        assert!(examine(&sip, &root, &leaf).is_ok());
        assert!(examine(&Check::Client(Purpose::SipClient), &root, &leaf).is_ok());
        let https = Check::Server(ExpectedServer {
            level: Level::TrustedCertificate,
            identity: Identity::Https(identity().host().clone()),
            srv_target: None,
        });
        assert!(examine(&https, &root, &leaf).is_err());
    }

    #[test]
    fn of_a_client_no_name_is_asked() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("anybody").client_only());
        assert!(examine(&Check::Client(Purpose::TlsClient), &root, &leaf).is_ok());
    }

    #[test]
    fn the_trail_tells_each_step() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("x").dns("sip.example.com"));
        let trail = examine(&server(Level::HostName), &root, &leaf);
        let trail = trail.expect("right");
        let lines: Vec<_> = trail.steps().map(ToString::to_string).collect();
        assert!(lines[0].starts_with("certificate 1 of 1: CN=x issued by CN=Root, serial "));
        assert_eq!(
            lines[1..],
            [
                "chain CN=x < CN=Root, valid at 2026-01-01 00:00:00",
                "usage allows it",
                "sip.example.com is named by sip.example.com (SAN DNS)"
            ]
        );
    }

    #[test]
    fn a_refusal_keeps_the_steps_before_it() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("x").expired());
        let anchors = Anchors::from_iter([root.certificate().clone()]);
        let refused = server(Level::HostName)
            .examine(&[leaf.der()], &anchors, TlsTime::Known(NOW))
            .expect_err("expired");
        assert_eq!(refused.to_string(), "CN=x expired on 2025-12-31 00:00:00");
        assert_eq!(refused.trail.steps().count(), 1);
    }
}
