//! Where UDP connection requests are heard, and how their way is kept open
//! (TR-069 annex G).
//!
//! Two sockets: one for requests and for the binding, one from which only the
//! time of the binding is found out. Nothing is ever answered. What cannot be
//! had is tried again, and shown.

use super::super::binding::{Binding, Input, Output, Socket, Status};
use super::super::letterbox::{Letterbox, Verdict};
use super::super::settings::{Requests, Stun};
use super::Around;
use crate::certs::io::Looking;
use crate::schema::cwmp::{self, Tr111StunStatus as State};
use crate::schema::{Index, Name, Value};
use crate::tree::{Actor, Transaction, Tree, messages};
use openssl::rand::rand_bytes;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep_until;

/// Where to hear, and from whom; None: nowhere.
pub(super) type Wanted = Option<Address>;

/// Where to hear, and from whom.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Address {
    /// Or why there is none.
    pub(super) local: Result<SocketAddr, String>,
    pub(super) requests: Requests,
    pub(super) stun: Stun,
}

/// Hears until it is dropped; each welcome is one message.
pub(super) async fn receive(
    tree: Tree,
    around: Around,
    mut wanted: watch::Receiver<Wanted>,
    welcome: mpsc::Sender<()>,
) {
    let last = last_taken(&tree);
    let mut mail = Mail {
        tree,
        around,
        binding: Binding::new(Box::new(random)),
        letters: Letterbox::new(last),
        address: None,
        first: None,
        second: None,
        looking: None,
        again: None,
        shown: State::Disabled,
        welcome,
    };
    loop {
        let address = wanted.borrow_and_update().clone();
        mail.settle(address).await;
        loop {
            tokio::select! {
                changed = wanted.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                input = mail.next() => match input {
                    Some(input) => mail.give(input).await,
                    None => break,
                },
            }
        }
    }
}

struct Mail {
    tree: Tree,
    around: Around,
    binding: Binding,
    letters: Letterbox,
    address: Wanted,
    first: Option<(SocketAddr, UdpSocket)>,
    second: Option<UdpSocket>,
    looking: Option<(String, Looking)>,
    /// When a port that could not be had is tried again.
    again: Option<Instant>,
    shown: State,
    welcome: mpsc::Sender<()>,
}

/// What comes next.
enum Next {
    Letter(SocketAddr, Vec<u8>),
    Input(Input),
}

impl Mail {
    async fn settle(&mut self, address: Wanted) {
        self.address = address;
        self.again = None;
        let terms = match self.listen().await {
            Ok(terms) => terms,
            Err(why) => {
                (self.first, self.second) = (None, None);
                self.again = Some(Instant::now() + TRY_AGAIN);
                self.give(Next::Input(Input::Terms(None))).await;
                let state = State::ErrorOther;
                return self.show(&Status {
                    state,
                    ..Status::off(&why)
                });
            }
        };
        self.give(Next::Input(Input::Terms(terms))).await;
    }

    /// Binds where it is wanted.
    async fn listen(&mut self) -> Result<Option<(Stun, SocketAddr)>, String> {
        let Some(address) = &self.address else {
            (self.first, self.second) = (None, None);
            return Ok(None);
        };
        let local = address.local.clone()?;
        if self.first.as_ref().map(|(known, _)| *known) != Some(local) {
            (self.first, self.second) = (None, None);
            let bound = UdpSocket::bind(local).await.map_err(|error| {
                format!("cannot hear on UDP {local}: {error}: change Cwmp.ListeningPort or Cwmp.NetworkInterface")
            })?;
            self.first = Some((local, bound));
        }
        Ok(Some((address.stun.clone(), local)))
    }

    /// What comes next; None: it is time to try again.
    async fn next(&mut self) -> Option<Next> {
        let first = self.first.as_ref().map(|(_, socket)| socket);
        tokio::select! {
            (from, octets) = heard(first) => Some(match octets.first() {
                // RFC 5389 §6: the first two bits of STUN are zero; those of no text are.
                Some(0x00..=0x08) => datagram(Socket::First, from, octets),
                _ => Next::Letter(from, octets),
            }),
            (from, octets) = heard(self.second.as_ref()) => {
                Some(datagram(Socket::Second, from, octets))
            }
            input = looked(&mut self.looking) => Some(Next::Input(input)),
            () = until(self.binding.wake_at()) => Some(Next::Input(Input::Wake)),
            () = until(self.again) => None,
        }
    }

    async fn give(&mut self, next: Next) {
        let input = match next {
            Next::Letter(from, octets) => return self.judge(from, &octets).await,
            Next::Input(input) => input,
        };
        self.binding.handle(Instant::now(), input);
        while let Some(output) = self.binding.poll() {
            match output {
                Output::Resolve(host) => {
                    self.looking = Some((host.clone(), (self.around.lookup)(host)));
                }
                Output::Send { from, to, octets } => self.send(from, to, &octets).await,
                Output::Publish(status) => self.show(&status),
            }
        }
    }

    /// What cannot be sent now is sent again, or is not answered.
    async fn send(&mut self, from: Socket, to: SocketAddr, octets: &[u8]) {
        let Some((local, first)) = &self.first else {
            return;
        };
        if from == Socket::First {
            let _ = first.send_to(octets, to).await;
            return;
        }
        if self.second.is_none() {
            self.second = UdpSocket::bind((local.ip(), 0)).await.ok();
        }
        if let Some(second) = &self.second {
            let _ = second.send_to(octets, to).await;
        }
    }

    async fn judge(&mut self, from: SocketAddr, octets: &[u8]) {
        let Some(address) = &self.address else {
            return;
        };
        let (requests, stun) = (&address.requests, &address.stun);
        let verdict = self
            .letters
            .judge(Instant::now(), requests, stun, from, octets);
        match verdict {
            Verdict::Welcome(stamp) => {
                if let Some(stamp) = stamp {
                    keep(&self.tree, &self.around, stamp).await;
                }
                // One that waits is enough: the session is the same for all of them.
                let _ = self.welcome.try_send(());
            }
            Verdict::Refused(Some(notice)) => self.tree.notify(&notice),
            Verdict::Refused(None) | Verdict::Nothing => {}
        }
    }

    fn show(&mut self, status: &Status) {
        self.tree.live().publish(|live| status.publish(live));
        if self.shown != status.state {
            self.shown = status.state;
            let said = match status.state {
                State::Connected => {
                    format!("UDP connection requests come to {}", status.address())
                }
                State::Disabled => "no UDP connection requests are heard".to_owned(),
                State::Starting => "asking for the address of UDP connection requests".to_owned(),
                State::ErrorCannotResolve | State::ErrorNotResponding | State::ErrorOther => {
                    status.reason.clone()
                }
            };
            self.tree.notify(&messages::STUN_STATE.with([&said]));
        }
    }
}

/// The time stamp is on disk before the session begins.
async fn keep(tree: &Tree, around: &Around, stamp: u64) {
    let mut keep = Transaction::new(Actor::device());
    let name = Name {
        column: cwmp::LAST_UDP_CONNECTION_REQUEST.id(),
        index: Index::scalar(),
    };
    keep.assign(name, Value::from(stamp.to_string()));
    let time = around.keyring.clock().time().known();
    let (send, receive) = oneshot::channel();
    let at = time.map_or(0, |time| time.secs());
    tree.commit(keep, at, move |outcome| {
        // Whoever waits below is there until it has come.
        let _ = send.send(outcome.is_ok());
    });
    // Where it cannot be kept, the tree has said why.
    let _ = receive.await;
}

fn datagram(at: Socket, from: SocketAddr, octets: Vec<u8>) -> Next {
    Next::Input(Input::Datagram { at, from, octets })
}

async fn heard(socket: Option<&UdpSocket>) -> (SocketAddr, Vec<u8>) {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    let mut octets = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut octets).await {
            Ok((length, from)) => {
                octets.truncate(length);
                return (from, octets);
            }
            // Something that was sent did not arrive; what is not answered is sent again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => tokio::time::sleep(TRY_AGAIN).await,
        }
    }
}

async fn looked(looking: &mut Option<(String, Looking)>) -> Input {
    let Some((host, future)) = looking else {
        return std::future::pending().await;
    };
    let addresses = future.await;
    let host = std::mem::take(host);
    *looking = None;
    Input::Resolved { host, addresses }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn random() -> u64 {
    let mut octets = [0; 8];
    // Without randomness an answer could be forged, which the address of the server guards too.
    let _ = rand_bytes(&mut octets);
    u64::from_ne_bytes(octets)
}

/// `lastUdpConnectionRequest`
fn last_taken(tree: &Tree) -> u64 {
    let name = Name {
        column: cwmp::LAST_UDP_CONNECTION_REQUEST.id(),
        index: Index::scalar(),
    };
    let value = tree.instances().read(&name);
    let text = value.as_ref().and_then(Value::as_octets);
    let text = text.and_then(|octets| std::str::from_utf8(octets).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// How long until a port that could not be had is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Octets of the longest datagram that is looked at; what is longer is cut, and refused.
const DATAGRAM: usize = 2048;
