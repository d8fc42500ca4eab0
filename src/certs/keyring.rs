//! The certificates of a device as its TLS links use them, right now.
//!
//! The device puts host certificates, trust anchors and the time in; every
//! handshake takes what is there at that moment. What was replaced stays with
//! the links that began with it. A keyring is a value: each device has one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use thiserror::Error;

use super::anchors::Anchors;
use super::bundle::HostBundle;
use super::certificate::{Certificate, State};
use super::identity::{Host, Identity};
use super::ocsp::{Cache, Responders};
use super::service::{Service, Services};
use super::time::{TlsClock, TlsTime};
use super::usage::Purpose;

/// What all TLS links of a device share.
pub struct Keyring {
    provider: Arc<CryptoProvider>,
    clock: Arc<TlsClock>,
    hosts: ArcSwap<Vec<HostCertificate>>,
    anchors: ArcSwap<Anchors>,
    responders: ArcSwap<Responders>,
    revocations: Mutex<Cache>,
}

impl Keyring {
    /// An empty keyring; its clock stands at `time` until told otherwise.
    #[must_use]
    pub fn new(time: TlsTime) -> Self {
        Self {
            provider: Arc::new(rustls_openssl::default_provider()),
            clock: Arc::new(TlsClock::new(time)),
            hosts: ArcSwap::default(),
            anchors: ArcSwap::default(),
            responders: ArcSwap::default(),
            revocations: Mutex::default(),
        }
    }

    /// Replaces the host certificates; new handshakes choose among these.
    pub fn set_hosts(&self, hosts: Vec<HostCertificate>) {
        self.hosts.store(Arc::new(hosts));
    }

    /// Replaces the trust anchors; new handshakes trust these. Sessions are
    /// never resumed, so none outlives the anchor that it was trusted by.
    pub fn set_anchors(&self, anchors: Anchors) {
        self.anchors.store(Arc::new(anchors));
    }

    /// The clock that handshakes look at.
    #[must_use]
    pub fn clock(&self) -> &Arc<TlsClock> {
        &self.clock
    }

    /// The trust anchors.
    #[must_use]
    pub fn anchors(&self) -> Arc<Anchors> {
        self.anchors.load_full()
    }

    /// The host certificate that `service` would present as `purpose` now.
    ///
    /// # Errors
    /// [`NoHostCertificate`] says why there is none.
    pub fn host_for(
        &self,
        service: Service,
        purpose: Purpose,
    ) -> Result<Arc<HostBundle>, NoHostCertificate> {
        let hosts = self.hosts.load();
        let wish = Wish::any(service, purpose, self.clock.time());
        match wish.choose(&hosts) {
            Some(host) => Ok(Arc::clone(&host.bundle)),
            None => Err(wish.why_none(&hosts)),
        }
    }

    /// Replaces what is known of whom to ask for revocations.
    pub(super) fn set_responders(&self, responders: Responders) {
        self.responders.store(Arc::new(responders));
    }

    pub(super) fn responders(&self) -> Arc<Responders> {
        self.responders.load_full()
    }

    /// What authorities said of late. It is not held while anything waits.
    pub(super) fn revocations(&self) -> MutexGuard<'_, Cache> {
        let revocations = self.revocations.lock();
        // Whoever panicked left it whole: it is changed in single steps.
        revocations.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    pub(super) fn choose(&self, wish: &Wish<'_>) -> Option<Arc<CertifiedKey>> {
        let hosts = self.hosts.load();
        wish.choose(&hosts).map(|host| Arc::clone(&host.certified))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("hosts", &self.hosts.load())
            .field("anchors", &self.anchors.load())
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// An installed host certificate, ready for use.
#[derive(Clone)]
pub struct HostCertificate {
    file: String,
    services: Services,
    bundle: Arc<HostBundle>,
    certified: Arc<CertifiedKey>,
}

impl HostCertificate {
    /// Makes the bundle in `file` ready, for the services that it is bound to.
    ///
    /// # Errors
    /// What the TLS library says of the key.
    pub fn new(
        file: String,
        services: Services,
        bundle: HostBundle,
        keyring: &Keyring,
    ) -> Result<Self, rustls::Error> {
        let certified = Arc::new(bundle.certified(&keyring.provider)?);
        let bundle = Arc::new(bundle);
        Ok(Self {
            file,
            services,
            bundle,
            certified,
        })
    }

    fn leaf(&self) -> &Certificate {
        self.bundle.leaf()
    }
}

impl fmt::Debug for HostCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.file, self.bundle)
    }
}

/// What a handshake wants of a host certificate.
pub(super) struct Wish<'a> {
    pub(super) service: Service,
    pub(super) purpose: Purpose,
    pub(super) time: TlsTime,
    /// The name that the client asks for.
    pub(super) name: Option<&'a str>,
    /// Issuers that the server asks for, in DER.
    pub(super) issuers: &'a [&'a [u8]],
    /// What the peer can verify; `None` where that is not known.
    pub(super) schemes: Option<&'a [SignatureScheme]>,
}

impl Wish<'_> {
    fn any(service: Service, purpose: Purpose, time: TlsTime) -> Self {
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
    fn choose<'h>(&self, hosts: &'h [HostCertificate]) -> Option<&'h HostCertificate> {
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
    fn why_none(&self, hosts: &[HostCertificate]) -> NoHostCertificate {
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
    #[error("the host certificate {file} may not be used as {purpose}")]
    WrongUsage {
        /// Its file name.
        file: String,
        /// What it was wanted for.
        purpose: Purpose,
    },
    /// Those that would do are not valid now.
    #[error("the host certificate {file} is {state}")]
    OutOfDate {
        /// Its file name.
        file: String,
        /// Where it stands in time.
        state: State,
    },
}

#[cfg(test)]
mod tests {
    use super::super::date::DAY;
    use super::super::testing::{Authority, Leaf, NOW, YEAR, rsa};
    use super::*;

    struct Bench {
        keyring: Keyring,
        root: Authority,
        hosts: Vec<HostCertificate>,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                keyring: Keyring::new(TlsTime::Known(NOW)),
                root: Authority::new("Root"),
                hosts: Vec::new(),
            }
        }

        fn install(&mut self, services: Services, leaf: Leaf) {
            let bundle = self.root.issue(leaf).host(&[]);
            let file = format!("{}.pem", self.hosts.len() + 1);
            let host = HostCertificate::new(file, services, bundle, &self.keyring);
            self.hosts.push(host.expect("a key that fits"));
            self.keyring.set_hosts(self.hosts.clone());
        }

        fn chosen(&self, name: Option<&str>) -> String {
            let mut wish = Wish::any(Service::Sip, Purpose::SipServer, TlsTime::Known(NOW));
            wish.name = name;
            let chosen = wish.choose(&self.hosts).expect("one");
            chosen.leaf().subject.to_string()
        }

        fn why(&self) -> String {
            self.keyring
                .host_for(Service::Sip, Purpose::SipServer)
                .expect_err("none fits")
                .to_string()
        }
    }

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
        bench.install(Services::from_iter([Service::Web]), Leaf::new("web"));
        assert_eq!(
            bench.why(),
            "no host certificate is bound to the service: set Cert.HostCertificateAssociation.Sip=enable on one"
        );
        bench.install(Services::ALL, Leaf::new("client").client_only());
        assert_eq!(
            bench.why(),
            "the host certificate 2.pem may not be used as a TLS server"
        );
        bench.install(Services::ALL, Leaf::new("late").expired());
        assert_eq!(bench.why(), "the host certificate 3.pem is expired");
        bench.install(Services::ALL, Leaf::new("good"));
        let host = bench.keyring.host_for(Service::Sip, Purpose::SipServer);
        let host = host.expect("good");
        assert_eq!(host.leaf().subject.to_string(), "CN=good");
    }

    #[test]
    fn a_certificate_serves_as_soon_as_the_clock_says_so() {
        let mut bench = Bench::new();
        let leaf = Leaf::new("soon").dates(NOW + DAY, NOW + YEAR);
        bench.install(Services::ALL, leaf);
        assert_eq!(bench.why(), "the host certificate 1.pem is not yet valid");
        let host = || bench.keyring.host_for(Service::Sip, Purpose::SipServer);
        bench.keyring.clock().set(TlsTime::Known(NOW + DAY));
        assert!(host().is_ok());
        bench.keyring.clock().set(TlsTime::Floor(NOW));
        assert!(host().is_ok());
    }

    #[test]
    fn no_key_is_in_the_debug_output() {
        let mut bench = Bench::new();
        bench.install(Services::ALL, Leaf::new("good"));
        let said = format!("{:?}", bench.keyring);
        assert!(
            said.contains("1.pem") && said.contains("key withheld"),
            "{said}"
        );
    }
}
