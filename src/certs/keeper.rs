//! Keeps the keyring as the settings have it.
//!
//! Files are read again only where they changed. One that cannot be read,
//! because an earlier release took it and this one does not, is listed with
//! its reason and used for nothing. What changed is told, so that it can be
//! logged.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::anchors::Anchors;
use super::bundle::{BundleError, HostBundle, OthersBundle};
use super::certificate::Certificate;
use super::install::Store;
use super::keyring::{HostCertificate, Keyring, NoHostCertificate};
use super::ocsp::{Responder, Responders};
use super::service::{Service, Services};
use super::settings::{FileSetting, Settings};
use super::usage::Purpose;
use crate::schema::{Index, Secret};

/// An installed file as the tables list it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Which kind it is.
    pub store: Store,
    /// The key of its rows.
    pub index: Index,
    /// Its certificates, the most important one first; or why it cannot be used.
    pub certificates: Result<Vec<Certificate>, Unusable>,
}

/// Why an installed file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error(transparent)]
    Content(#[from] BundleError),
    /// The TLS library does not take its key.
    #[error("the TLS library does not take the private key")]
    Key,
}

/// What a change of the settings did.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// A file is there that was not, or not so.
    Installed(Arc<Listed>),
    /// A file is there no longer.
    Deleted(Index),
    /// A service had a host certificate and has none now.
    Lacking(Lacking),
    /// There was an authority and is none now.
    NobodyTrusted,
}

impl Change {
    /// Whether it is a file that cannot be used.
    pub(super) fn is_fault(&self) -> bool {
        matches!(self, Self::Installed(file) if file.certificates.is_err())
    }
}

/// A service without a host certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lacking {
    /// The service.
    pub service: Service,
    /// What it wants one for.
    pub purpose: Purpose,
    /// Why there is none.
    pub why: NoHostCertificate,
}

/// The installed files, read.
#[derive(Default)]
pub(super) struct Keeper {
    files: BTreeMap<(Store, Index), Kept>,
}

struct Kept {
    content: Secret,
    services: Services,
    responder: Option<Responder>,
    listed: Arc<Listed>,
    ready: Option<Ready>,
}

#[derive(Clone)]
enum Ready {
    Host(HostCertificate),
    Others(Vec<Certificate>),
}

impl Keeper {
    /// Brings the keyring to what the settings say.
    pub(super) fn settle(&mut self, settings: &Settings, keyring: &Keyring) -> Vec<Change> {
        let needs = Needs::of(keyring);
        let mut changes = Vec::new();
        let gone = |key: &(Store, Index)| !settings.files.contains_key(key);
        for (_, index) in self.files.keys().filter(|key| gone(key)) {
            changes.push(Change::Deleted(index.clone()));
        }
        self.files.retain(|key, _| !gone(key));
        for (key, setting) in &settings.files {
            if let Some(listed) = self.keep(key, setting, keyring) {
                changes.push(Change::Installed(listed));
            }
        }
        self.hand_over(keyring);
        changes.extend(needs.lost(keyring));
        changes
    }

    /// Every file, in order of kind and name.
    pub(super) fn listed(&self) -> Vec<Arc<Listed>> {
        self.files
            .values()
            .map(|kept| kept.listed.clone())
            .collect()
    }

    /// Reads a file where it is new or has changed; tells where it has other content.
    fn keep(
        &mut self,
        key: &(Store, Index),
        setting: &FileSetting,
        keyring: &Keyring,
    ) -> Option<Arc<Listed>> {
        let was = self.files.get(key);
        let same = was.is_some_and(|was| was.content == setting.content);
        let serves = |was: &Kept| was.services == setting.services;
        let asks = |was: &Kept| was.responder == setting.responder;
        if same && was.is_some_and(|was| serves(was) && asks(was)) {
            return None;
        }
        let kept = read(key, setting, keyring);
        let listed = kept.listed.clone();
        self.files.insert(key.clone(), kept);
        (!same).then_some(listed)
    }

    fn hand_over(&self, keyring: &Keyring) {
        let mut hosts = Vec::new();
        let mut anchors = Vec::new();
        let mut responders = Responders::default();
        for ((_, index), kept) in &self.files {
            match kept.ready.clone() {
                Some(Ready::Host(host)) => hosts.push(host),
                Some(Ready::Others(certificates)) => {
                    responders.add(&index.name(), kept.responder.as_ref(), &certificates);
                    anchors.extend(certificates);
                }
                None => {}
            }
        }
        keyring.set_responders(responders);
        keyring.set_hosts(hosts);
        keyring.set_anchors(Anchors::from_iter(anchors));
    }
}

fn read(key: &(Store, Index), setting: &FileSetting, keyring: &Keyring) -> Kept {
    let (store, index) = key;
    let content = setting.content.expose();
    let read = match store {
        Store::Host => read_host(index, setting, keyring),
        Store::Others => OthersBundle::read(content)
            .map(|bundle| bundle.certificates().to_vec())
            .map(|certificates| (certificates.clone(), Ready::Others(certificates)))
            .map_err(Unusable::from),
    };
    let (certificates, ready) = match read {
        Ok((certificates, ready)) => (Ok(certificates), Some(ready)),
        Err(why) => (Err(why), None),
    };
    Kept {
        content: setting.content.clone(),
        services: setting.services,
        responder: setting.responder.clone(),
        listed: Arc::new(Listed {
            store: *store,
            index: index.clone(),
            certificates,
        }),
        ready,
    }
}

fn read_host(
    index: &Index,
    setting: &FileSetting,
    keyring: &Keyring,
) -> Result<(Vec<Certificate>, Ready), Unusable> {
    let bundle = HostBundle::read(setting.content.expose())?;
    let chain = bundle.chain().to_vec();
    let host = HostCertificate::new(index.name(), setting.services, bundle, keyring);
    Ok((chain, Ready::Host(host.map_err(|_| Unusable::Key)?)))
}

/// What the keyring could give before a change.
struct Needs {
    met: Vec<(Service, Purpose)>,
    trusts: bool,
}

impl Needs {
    fn of(keyring: &Keyring) -> Self {
        let met = WANTED.into_iter();
        let met = met.filter(|(service, purpose)| keyring.host_for(*service, *purpose).is_ok());
        Self {
            met: met.collect(),
            trusts: !keyring.anchors().is_empty(),
        }
    }

    fn lost(self, keyring: &Keyring) -> impl Iterator<Item = Change> {
        let nobody = (self.trusts && keyring.anchors().is_empty()).then_some(Change::NobodyTrusted);
        let lacking = self.met.into_iter().filter_map(|(service, purpose)| {
            let why = keyring.host_for(service, purpose).err()?;
            Some(Change::Lacking(Lacking {
                service,
                purpose,
                why,
            }))
        });
        lacking.collect::<Vec<_>>().into_iter().chain(nobody)
    }
}

const WANTED: [(Service, Purpose); 4] = [
    (Service::Sip, Purpose::SipServer),
    (Service::Sip, Purpose::SipClient),
    (Service::Cert, Purpose::TlsClient),
    (Service::Cwmp, Purpose::TlsClient),
];

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf, NOW};
    use super::super::time::TlsTime;
    use super::*;
    use crate::certs::settings::TransferTls;
    use crate::schema::cert::{TransferHttpsCipherSuite, TransferHttpsTlsVersion};

    struct Bench {
        keyring: Keyring,
        keeper: Keeper,
        settings: Settings,
        root: Authority,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                keyring: Keyring::new(TlsTime::Known(NOW)),
                keeper: Keeper::default(),
                settings: Settings {
                    files: BTreeMap::new(),
                    transfers: BTreeMap::new(),
                    tls: TransferTls {
                        cipher_suite: TransferHttpsCipherSuite::CS3,
                        version: TransferHttpsTlsVersion::TLSv1_2,
                    },
                },
                root: Authority::new("Root"),
            }
        }

        fn put(&mut self, store: Store, name: &str, content: &str) -> Vec<Change> {
            let setting = FileSetting {
                content: Secret::from(content.as_bytes()),
                services: Services::ALL,
                responder: None,
            };
            let key = (store, Index::text(name));
            self.settings.files.insert(key, setting);
            self.settle()
        }

        fn settle(&mut self) -> Vec<Change> {
            self.keeper.settle(&self.settings, &self.keyring)
        }

        fn host(&self, common: &str) -> String {
            let leaf = self.root.issue(Leaf::new(common));
            leaf.pem() + &leaf.key_pem()
        }

        fn shown(&self) -> String {
            let host = self.keyring.host_for(Service::Sip, Purpose::SipServer);
            host.map_or_else(
                |why| why.to_string(),
                |host| host.leaf().subject.to_string(),
            )
        }
    }

    #[test]
    fn a_file_serves_from_the_moment_it_is_set_and_is_replaced_by_its_name() {
        let mut bench = Bench::new();
        let one = bench.host("one");
        assert!(matches!(
            bench.put(Store::Host, "a", &one)[..],
            [Change::Installed(_)]
        ));
        assert_eq!(bench.shown(), "CN=one");
        assert_eq!(bench.settle(), []);
        let two = bench.host("two");
        assert!(matches!(
            bench.put(Store::Host, "a", &two)[..],
            [Change::Installed(_)]
        ));
        assert_eq!(bench.shown(), "CN=two");
        assert_eq!(bench.keeper.listed().len(), 1);
    }

    #[test]
    fn a_change_of_services_is_obeyed_and_is_no_installation() {
        let mut bench = Bench::new();
        let one = bench.host("one");
        bench.put(Store::Host, "a", &one);
        for file in bench.settings.files.values_mut() {
            file.services = Services::from_iter([Service::Cert, Service::Cwmp]);
        }
        let changes = bench.settle();
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(changes.iter().all(|change| matches!(
            change,
            Change::Lacking(Lacking {
                service: Service::Sip,
                ..
            })
        )));
    }

    #[test]
    fn what_is_missing_after_a_deletion_is_told() {
        let mut bench = Bench::new();
        let (one, root) = (bench.host("one"), bench.root.pem());
        bench.put(Store::Host, "a", &one);
        bench.put(Store::Others, "root", &root);
        assert!(!bench.keyring.anchors().is_empty());
        bench.settings.files.clear();
        let changes = bench.settle();
        let lacking = changes
            .iter()
            .filter(|change| matches!(change, Change::Lacking(_)));
        assert_eq!(lacking.count(), WANTED.len());
        assert!(changes.contains(&Change::Deleted(Index::text("a"))));
        assert!(changes.contains(&Change::NobodyTrusted));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_listed_and_spoils_nothing() {
        let mut bench = Bench::new();
        let one = bench.host("one");
        bench.put(Store::Host, "a", &one);
        bench.put(Store::Host, "b", "garbage");
        assert_eq!(bench.shown(), "CN=one");
        let listed = bench.keeper.listed();
        let why = Unusable::Content(BundleError::NotText);
        assert_eq!(listed[1].certificates, Err(why));
    }
}
