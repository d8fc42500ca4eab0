//! Which host certificate a handshake gets, and why it gets none.

use rustls::SignatureScheme;
use thiserror::Error;

use super::HostCertificate;
use crate::certs::certificate::{Certificate, State};
use crate::certs::identity::{Host, Identity};
use crate::certs::service::Service;
use crate::certs::time::TlsTime;
use crate::certs::usage::Purpose;

/// What a handshake wants of a host certificate.
pub(in crate::certs) struct Wish<'a> {
    pub(in crate::certs) service: Service,
    pub(in crate::certs) purpose: Purpose,
    pub(in crate::certs) time: TlsTime,
    /// The name that the client asks for.
    pub(in crate::certs) name: Option<&'a str>,
    /// Issuers that the server asks for, in DER.
    pub(in crate::certs) issuers: &'a [&'a [u8]],
    /// What the peer can verify; `None` where that is not known.
    pub(in crate::certs) schemes: Option<&'a [SignatureScheme]>,
}

impl Wish<'_> {
    pub(super) fn any(service: Service, purpose: Purpose, time: TlsTime) -> Self {
        Self {
            service,
            purpose,
            time,
            name: None,
            issuers: &[],
            schemes: None,
        }
    }

    /// Of those that may be used: the one asked for by name, then the one
    /// whose issuer the peer knows, then the newest.
    pub(super) fn choose<'h>(&self, hosts: &'h [HostCertificate]) -> Option<&'h HostCertificate> {
        let usable = hosts.iter().filter(|host| self.may_use(host));
        usable.max_by_key(|host| {
            let leaf = host.leaf();
            (self.is_named(leaf), self.is_known(host), leaf.not_before)
        })
    }

    fn may_use(&self, host: &HostCertificate) -> bool {
        host.services.contains(self.service)
            && host.leaf().usage.allows(self.purpose)
            && is_in_date(host.leaf(), self.time)
            && self
                .schemes
                .is_none_or(|schemes| host.certified.key.choose_scheme(schemes).is_some())
    }

    fn is_named(&self, leaf: &Certificate) -> bool {
        let Some(host) = self.name.and_then(|name| Host::parse(name).ok()) else {
            return false;
        };
        let identity = match self.purpose {
            Purpose::SipServer | Purpose::SipClient => Identity::Sip(host),
            Purpose::TlsServer | Purpose::TlsClient => Identity::Https(host),
        };
        identity.named_by(leaf).is_some()
    }

    fn is_known(&self, host: &HostCertificate) -> bool {
        host.bundle.chain().iter().any(|certificate| {
            let issuer = certificate.x509().issuer_name().to_der();
            issuer.is_ok_and(|issuer| self.issuers.contains(&issuer.as_slice()))
        })
    }

    /// The nearest miss.
    pub(super) fn why_none(&self, hosts: &[HostCertificate]) -> NoHostCertificate {
        let (service, purpose) = (self.service, self.purpose);
        let bound = |host: &&HostCertificate| host.services.contains(service);
        let fit = |host: &&HostCertificate| bound(host) && host.leaf().usage.allows(purpose);
        if let Some(host) = hosts.iter().find(fit) {
            let file = host.file.clone();
            let state = host.leaf().state(self.time.seconds());
            return NoHostCertificate::OutOfDate { file, state };
        }
        if let Some(host) = hosts.iter().find(bound) {
            let file = host.file.clone();
            return NoHostCertificate::WrongUsage { file, purpose };
        }
        match hosts.is_empty() {
            true => NoHostCertificate::NoneInstalled,
            false => NoHostCertificate::NoneBound(service.association_object()),
        }
    }
}

fn is_in_date(leaf: &Certificate, time: TlsTime) -> bool {
    match time {
        TlsTime::Known(now) => (leaf.not_before..=leaf.not_after).contains(&now),
        TlsTime::Floor(floor) => floor <= leaf.not_after,
    }
}

/// Why a service has no host certificate to present.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoHostCertificate {
    /// The table is empty.
    #[error("no host certificate is installed: add one with demarc cert add --type host FILE")]
    NoneInstalled,
    /// All are bound to other services.
    #[error("no host certificate is bound to the service: set {0}=enable on one")]
    NoneBound(&'static str),
    /// Those that are bound are for other uses.
    #[error(
        "the host certificate {file} may not be used as {purpose}: install one that may with demarc cert add --type host FILE"
    )]
    WrongUsage {
        /// Its file name.
        file: String,
        /// What it was wanted for.
        purpose: Purpose,
    },
    /// Those that would do are not valid now.
    #[error(
        "the host certificate {file} is {state}: install another with demarc cert add --type host FILE"
    )]
    OutOfDate {
        /// Its file name.
        file: String,
        /// Where it stands in time.
        state: State,
    },
}

#[cfg(test)]
mod tests {
    use super::super::bench::Bench;
    use super::*;
    use crate::certs::date::DAY;
    use crate::certs::service::Services;
    use crate::certs::testing::{Authority, Leaf, NOW, YEAR, rsa};

    #[test]
    fn the_name_asked_for_comes_first_then_the_newest() {
        let mut bench = Bench::new();
        bench.install(Services::ALL, Leaf::new("old").dns("a.example.com"));
        let dates = (NOW - DAY, NOW + YEAR);
        bench.install(
            Services::ALL,
            Leaf::new("new")
                .dns("b.example.com")
                .dates(dates.0, dates.1),
        );
        assert_eq!(bench.chosen(None), "CN=new");
        assert_eq!(bench.chosen(Some("a.example.com")), "CN=old");
        assert_eq!(bench.chosen(Some("c.example.com")), "CN=new");
    }

    #[test]
    fn an_issuer_that_the_peer_knows_is_preferred() {
        let mut bench = Bench::new();
        bench.install(Services::ALL, Leaf::new("known"));
        bench.root = Authority::new("Other");
        let leaf = Leaf::new("newer").dates(NOW - DAY, NOW + YEAR);
        bench.install(Services::ALL, leaf);
        let issuer = bench.hosts[0].leaf().x509().issuer_name().to_der();
        let issuer = issuer.expect("a name");
        let issuers = [issuer.as_slice()];
        let mut wish = Wish::any(Service::Sip, Purpose::SipClient, TlsTime::Known(NOW));
        wish.issuers = &issuers;
        let chosen = wish.choose(&bench.hosts).expect("one");
        assert_eq!(chosen.leaf().subject.to_string(), "CN=known");
    }

    #[test]
    fn a_key_that_the_peer_cannot_verify_is_not_chosen() {
        let mut bench = Bench::new();
        bench.install(Services::ALL, Leaf::new("ec"));
        let pair = bench.root.issue_for(Leaf::new("rsa"), &rsa(2048));
        let host = HostCertificate::new(
            "rsa.pem".into(),
            Services::ALL,
            pair.host(&[]),
            &bench.keyring,
        );
        bench.hosts.push(host.expect("a key that fits"));
        for (scheme, subject) in [
            (SignatureScheme::RSA_PSS_SHA256, "CN=rsa"),
            (SignatureScheme::ECDSA_NISTP256_SHA256, "CN=ec"),
        ] {
            let schemes = [scheme];
            let mut wish = Wish::any(Service::Sip, Purpose::SipServer, TlsTime::Known(NOW));
            wish.schemes = Some(&schemes);
            let chosen = wish.choose(&bench.hosts).expect("one");
            assert_eq!(chosen.leaf().subject.to_string(), subject);
        }
    }

    #[test]
    fn where_none_fits_the_nearest_miss_is_told() {
        let mut bench = Bench::new();
        assert_eq!(
            bench.why(),
            "no host certificate is installed: add one with demarc cert add --type host FILE"
        );
        bench.install(Services::from_iter([Service::Cert]), Leaf::new("other"));
        assert_eq!(
            bench.why(),
            "no host certificate is bound to the service: set Cert.HostCertificateAssociation.Sip=enable on one"
        );
        bench.install(Services::ALL, Leaf::new("client").client_only());
        assert_eq!(
            bench.why(),
            "the host certificate 2.pem may not be used as a TLS server: install one that may with demarc cert add --type host FILE"
        );
        bench.install(Services::ALL, Leaf::new("late").expired());
        assert_eq!(
            bench.why(),
            "the host certificate 3.pem is expired: install another with demarc cert add --type host FILE"
        );
        bench.install(Services::ALL, Leaf::new("good"));
        let host = bench.keyring.host_for(Service::Sip, Purpose::SipServer);
        let host = host.expect("good");
        assert_eq!(host.leaf().subject.to_string(), "CN=good");
    }
}
