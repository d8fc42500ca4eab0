//! The doors that stand open for connection requests: TCP, and UDP where it
//! is switched on.
//!
//! Says where each is wanted, as settings and addresses change; the doors
//! themselves listen.

use super::super::settings::Settings;
use super::door::{self, Place};
use super::mail::{self, Address};
use super::{Around, Ports};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// See the head of the file.
pub(super) struct Doors {
    tcp: watch::Sender<door::Wanted>,
    /// Counts the wishes for a door that were seen to.
    seen_to: watch::Receiver<u64>,
    udp: watch::Sender<mail::Wanted>,
}

impl Doors {
    /// Doors that are closed, and who is welcome at them once they are not.
    pub(super) fn new(
        ports: &Ports,
        around: &Around,
        parts: &mut JoinSet<()>,
    ) -> (Self, mpsc::Receiver<()>) {
        let (tcp, wishes) = watch::channel(None);
        let (udp, addresses) = watch::channel(None);
        let (welcome, requests) = mpsc::channel(1);
        let (settled, seen_to) = watch::channel(0);
        let (tree, around) = (ports.tree.clone(), around.clone());
        let listening = door::listen(tree.clone(), wishes, welcome.clone(), settled);
        parts.spawn(listening);
        parts.spawn(mail::receive(tree, around, addresses, welcome));
        (Self { tcp, seen_to, udp }, requests)
    }

    /// Connection requests are heard only where there is an ACS to send them.
    /// The door is where it is wanted when this returns: the first Inform says where.
    pub(super) async fn place(&mut self, ports: &Ports, settings: Option<&Settings>) {
        let settings = settings.filter(|settings| settings.url.is_some());
        let wanted = settings.map(|settings| place(ports, settings));
        let stun = settings.and_then(|settings| settings.stun.clone());
        let mail = wanted.as_ref().zip(stun).map(|(place, stun)| Address {
            local: place.address.clone(),
            requests: place.requests.clone(),
            stun,
        });
        wish(&self.udp, mail);
        self.seen_to.borrow_and_update();
        if wish(&self.tcp, wanted) {
            // A door that takes longer is told of when it stands.
            let _ = tokio::time::timeout(DOOR, self.seen_to.changed()).await;
        }
    }
}

fn place(ports: &Ports, settings: &Settings) -> Place {
    let interface = match settings.interface.as_str() {
        "" => INTERFACE,
        named => named,
    };
    let address = ports.addresses.borrow().get(interface).copied();
    let address = address.map(|address| SocketAddr::new(address, settings.requests.port));
    Place {
        address: address.ok_or_else(|| {
            format!("the interface {interface} has no address; see Bni.NetworkInterfaces")
        }),
        requests: settings.requests.clone(),
    }
}

/// Says what is wanted; whether it is something else than before.
fn wish<T: PartialEq>(told: &watch::Sender<T>, wanted: T) -> bool {
    told.send_if_modified(|known| {
        let differs = *known != wanted;
        *known = wanted;
        differs
    })
}

/// How long a session waits for the door that it tells of.
const DOOR: Duration = Duration::from_secs(1);
/// The interface where none is named.
const INTERFACE: &str = "Uplink";
