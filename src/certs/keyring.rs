//! The certificates of a device as its TLS links use them, right now.
//!
//! The device puts host certificates, trust anchors and the time in; every
//! handshake takes what is there at that moment. What was replaced stays with
//! the links that began with it. A keyring is a value: each device has one.

#[cfg(test)]
mod bench;
mod wish;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use super::anchors::Anchors;
use super::bundle::HostBundle;
use super::certificate::Certificate;
use super::ocsp::{Cache, Responders};
use super::service::{Service, Services};
use super::time::{TlsClock, TlsTime};
use super::transfer::Clear;
use super::usage::Purpose;

pub use wish::NoHostCertificate;
pub(super) use wish::Wish;

/// What all TLS links of a device share.
pub struct Keyring {
    provider: Arc<CryptoProvider>,
    clock: Arc<TlsClock>,
    hosts: ArcSwap<Vec<HostCertificate>>,
    anchors: ArcSwap<Anchors>,
    responders: ArcSwap<Responders>,
    revocations: Mutex<Cache>,
    /// Whether files may be fetched without TLS now.
    clear: AtomicBool,
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
            clear: AtomicBool::new(false),
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

    /// The next second, since 1970, at which a host certificate becomes valid or
    /// is so no longer; none while the time is not known.
    #[must_use]
    pub fn turn(&self) -> Option<i64> {
        let TlsTime::Known(now) = self.clock.time() else {
            return None;
        };
        let hosts = self.hosts.load();
        hosts.iter().filter_map(|host| host.leaf().turn(now)).min()
    }

    /// Whether certificates may be fetched without TLS now.
    #[must_use]
    pub fn clear(&self) -> Clear {
        match self.clear.load(Ordering::Relaxed) {
            true => Clear::Allowed,
            false => Clear::Refused,
        }
    }

    pub(super) fn set_clear(&self, clear: Clear) {
        let allowed = clear == Clear::Allowed;
        self.clear.store(allowed, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::bench::Bench;
    use super::*;
    use crate::certs::date::DAY;
    use crate::certs::testing::{Leaf, NOW, YEAR};

    #[test]
    fn a_certificate_serves_as_soon_as_the_clock_says_so() {
        let mut bench = Bench::new();
        let leaf = Leaf::new("soon").dates(NOW + DAY, NOW + YEAR);
        bench.install(Services::ALL, leaf);
        let why = bench.why();
        let said = "the host certificate 1.pem is not yet valid: ";
        assert!(why.starts_with(said), "{why}");
        let host = || bench.keyring.host_for(Service::Sip, Purpose::SipServer);
        bench.keyring.clock().set(TlsTime::Known(NOW + DAY));
        assert!(host().is_ok());
        bench.keyring.clock().set(TlsTime::Floor(NOW));
        assert!(host().is_ok());
    }

    #[test]
    fn its_turns_are_the_first_and_the_second_after_the_last_of_each_certificate() {
        let mut bench = Bench::new();
        assert_eq!(bench.keyring.turn(), None);
        let leaf = Leaf::new("soon").dates(NOW + DAY, NOW + YEAR);
        bench.install(Services::ALL, leaf);
        for (now, turn) in [
            (NOW, Some(NOW + DAY)),
            (NOW + DAY, Some(NOW + YEAR + 1)),
            (NOW + YEAR + 1, None),
        ] {
            bench.keyring.clock().set(TlsTime::Known(now));
            assert_eq!(bench.keyring.turn(), turn);
        }
        bench.keyring.clock().set(TlsTime::Floor(NOW));
        assert_eq!(bench.keyring.turn(), None, "it cannot be said when");
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
