//! A keyring with the host certificates of a test.

use super::{HostCertificate, Keyring, Wish};
use crate::certs::service::{Service, Services};
use crate::certs::testing::{Authority, Leaf, NOW};
use crate::certs::time::TlsTime;
use crate::certs::usage::Purpose;

pub(super) struct Bench {
    pub(super) keyring: Keyring,
    pub(super) root: Authority,
    pub(super) hosts: Vec<HostCertificate>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            keyring: Keyring::new(TlsTime::Known(NOW)),
            root: Authority::new("Root"),
            hosts: Vec::new(),
        }
    }

    pub(super) fn install(&mut self, services: Services, leaf: Leaf) {
        let bundle = self.root.issue(leaf).host(&[]);
        let file = format!("{}.pem", self.hosts.len() + 1);
        let host = HostCertificate::new(file, services, bundle, &self.keyring);
        self.hosts.push(host.expect("a key that fits"));
        self.keyring.set_hosts(self.hosts.clone());
    }

    pub(super) fn chosen(&self, name: Option<&str>) -> String {
        let mut wish = Wish::any(Service::Sip, Purpose::SipServer, TlsTime::Known(NOW));
        wish.name = name;
        let chosen = wish.choose(&self.hosts).expect("one");
        chosen.leaf().subject.to_string()
    }

    pub(super) fn why(&self) -> String {
        self.keyring
            .host_for(Service::Sip, Purpose::SipServer)
            .expect_err("none fits")
            .to_string()
    }
}
