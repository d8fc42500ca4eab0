//! TLS for the SIP stack, by the keyring.
//!
//! How a link or a listener does it, asked anew for each, and when what there
//! is of certificates has become another: by a change, or by the time alone.
//! It keeps nothing.

use super::super::settled::Follower;
use crate::certs::io::{Lookup, revocation};
use crate::certs::{
    self, Attempt, ExpectedServer, Host, Identity, Keyring, Purpose, Service, Standing, TrustLevel,
    server_config,
};
use crate::schema::Index;
use crate::schema::conf::service_version;
use crate::sip::event::Connect;
use crate::sip::io::{Handshake, Revocation, Tls};
use crate::sip::settings::Tls as TlsSettings;
use crate::tree::{Configured, Tree, messages};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How links and listeners do TLS, asked anew for each.
pub(super) fn tls(dialler: Dialler, settings: &Arc<ArcSwap<TlsSettings>>) -> Tls {
    let (ring, set) = (dialler.keyring.clone(), settings.clone());
    let accept = move |_gateway: &str| {
        let set = set.load();
        let host = ring.host_for(Service::Sip, Purpose::SipServer);
        host.map_err(|why| why.to_string())?;
        let config = server_config(&ring, Service::Sip, set.policy, set.client_authentication);
        config.map_err(|error| error.to_string())
    };
    let set = settings.clone();
    Tls {
        dial: Arc::new(move |connect| dialler.handshake(&set.load(), connect)),
        accept: Arc::new(accept),
    }
}

/// What a TLS link is made with.
pub(super) struct Dialler {
    pub(super) tree: Tree,
    pub(super) keyring: Arc<Keyring>,
    pub(super) lookup: Lookup,
}

impl Dialler {
    fn handshake(&self, settings: &TlsSettings, connect: &Connect) -> Result<Handshake, String> {
        let reference = &connect.reference;
        let host = Host::parse(&reference.host).map_err(|error| error.to_string())?;
        let server = ExpectedServer {
            level: settings.validation,
            identity: Identity::Sip(host),
            srv_target: Host::parse(&reference.srv_target).ok(),
        };
        let attempt = Attempt::new(&self.keyring, Service::Sip, settings.policy, server)
            .map_err(|error| error.to_string())?;
        let attempt = Arc::new(attempt);
        Ok(Handshake {
            revocation: self.revocation(attempt.clone(), settings.trust),
            attempt,
        })
    }

    fn revocation(&self, attempt: Arc<Attempt>, trust: TrustLevel) -> Revocation {
        let (tree, lookup) = (self.tree.clone(), self.lookup.clone());
        Box::pin(async move {
            let standing = revocation(&attempt, trust, &lookup).await?;
            if let Standing::Doubtful { subject, doubt } = standing {
                tree.notify(&messages::REVOCATION_UNKNOWN.with([&subject, &doubt]));
            }
            Ok(())
        })
    }
}

/// Waits until a host certificate becomes valid, or is so no longer.
pub(super) async fn host_turns(keyring: &Keyring) {
    let Some(turn) = keyring.turn() else {
        return std::future::pending().await;
    };
    loop {
        let left = turn.saturating_sub(keyring.clock().time().seconds());
        let Some(whole) = u64::try_from(left).ok().filter(|left| *left > 0) else {
            return;
        };
        // The clock tells whole seconds.
        let pause = Duration::from_secs(whole - 1).clamp(NEAR, LOOK);
        tokio::time::sleep(pause).await;
    }
}

/// Counts what makes new handshakes necessary: certificates and anchors.
pub(super) async fn count_generations(tree: &Tree, generation: watch::Sender<u64>) {
    let follower = Follower::new(tree, &certs::Settings::claims());
    let mut known = certs::Settings::read(&tree.snapshot()).files;
    loop {
        follower.next().await;
        let snapshot = tree.snapshot();
        let now = certs::Settings::read(&snapshot).files;
        if now != known {
            known = now;
            keyring_follows(tree, snapshot.version()).await;
            generation.send_modify(|generation| *generation += 1);
        }
    }
}

/// Waits until the keyring holds what this version says.
async fn keyring_follows(tree: &Tree, version: u64) {
    let name = crate::schema::Name {
        column: service_version::APPLIED_VERSION.id(),
        index: Index::text("Cert"),
    };
    let applied = || {
        let value = tree.instances().read(&name)?;
        let text = String::from_utf8_lossy(value.as_octets()?).into_owned();
        text.parse::<u64>().ok()
    };
    let wait = async {
        while applied().is_none_or(|applied| applied < version) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(KEYRING_PATIENCE, wait).await;
}

/// How long the keyring may take to follow the tree before SIP goes on.
const KEYRING_PATIENCE: Duration = Duration::from_secs(2);
/// From one look at the clock to the next while a certificate's turn is far,
/// since the system's clock may be set.
const LOOK: Duration = Duration::from_secs(30);
/// The same while its turn is near.
const NEAR: Duration = Duration::from_millis(100);
