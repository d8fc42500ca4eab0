//! One gateway at work: its listeners, links and registrations.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::core::Core;
use crate::sip::event::{ListenFault, Output, SocketId, TimeOfDay};
use crate::sip::hostport::HostPort;
use crate::sip::link::{Link, LinkId};
use crate::sip::plan::{GatewayPlan, Line, UdpSource};
use crate::sip::register::{Registration, RegistrationId};
use crate::sip::transaction::table::Hop;
use crate::sip::transport::Transport;

/// The pause before a listener that failed is tried again.
const LISTEN_RETRY: Duration = Duration::from_secs(5);

/// The pause before the first of these: a port that another gateway just let go is free by then.
const LET_GO: Duration = Duration::from_millis(200);

/// One listener that is wanted.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) id: SocketId,
    pub(super) wanted: SocketAddr,
    pub(super) bound: Option<SocketAddr>,
    pub(super) fault: Option<ListenFault>,
    /// How often it could not be bound.
    failures: u32,
    retry: Option<Instant>,
}

impl Listener {
    /// Why it has no certificate to show, where that is what it lacks.
    pub(super) fn uncertified(&self) -> Option<&str> {
        match &self.fault {
            Some(ListenFault::NoCertificate(why)) => Some(why),
            _ => None,
        }
    }
}

/// One gateway at work.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) name: String,
    pub(super) plan: GatewayPlan,
    pub(super) listeners: BTreeMap<Transport, Listener>,
    /// The UDP socket of requests, where that is not the listener's.
    pub(super) sender: Option<Listener>,
    /// The UDP sockets that draining links still use.
    pub(super) retired: Vec<SocketId>,
    pub(super) links: BTreeMap<HostPort, Link>,
    pub(super) draining: Vec<Link>,
    pub(super) registrations: BTreeMap<Line, Registration>,
    pub(super) leaving: Vec<Registration>,
    /// Registrations to be removed once their successor has settled.
    pub(super) replaced: Vec<(Line, Registration)>,
    /// Links of which it was told that their server's name leads nowhere.
    pub(super) unresolved: BTreeSet<LinkId>,
    /// Whether keep-alive OPTIONS go unanswered.
    pub(super) silent: bool,
    /// Whether the settings have it.
    pub(super) wanted: bool,
}

impl Gateway {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            plan: GatewayPlan::default(),
            listeners: BTreeMap::new(),
            sender: None,
            retired: Vec::new(),
            links: BTreeMap::new(),
            draining: Vec::new(),
            registrations: BTreeMap::new(),
            leaving: Vec::new(),
            replaced: Vec::new(),
            unresolved: BTreeSet::new(),
            silent: false,
            wanted: true,
        }
    }

    /// The link of this name, in use or draining.
    pub(super) fn link(&mut self, id: LinkId) -> Option<&mut Link> {
        self.links
            .values_mut()
            .chain(&mut self.draining)
            .find(|it| it.id == id)
    }

    /// The registration of this name, wanted or not.
    pub(super) fn registration(&mut self, id: RegistrationId) -> Option<&mut Registration> {
        self.registrations
            .values_mut()
            .chain(&mut self.leaving)
            .chain(self.replaced.iter_mut().map(|(_, it)| it))
            .find(|it| it.id == id)
    }

    /// The UDP socket of requests, and where answers to them may come.
    pub(super) fn datagram_socket(&self) -> Option<(SocketId, SocketAddr)> {
        let listener = self.listeners.get(&Transport::Udp)?;
        let local = listener.bound?;
        let socket = self.sender.as_ref().unwrap_or(listener);
        socket.bound.map(|_| (socket.id, local))
    }

    /// Where peers may reach the gateway: what is bound, and what is about to be.
    pub(super) fn reachable(&self) -> BTreeMap<Transport, SocketAddr> {
        self.listeners
            .iter()
            .filter(|(_, it)| it.fault.is_none())
            .map(|(transport, it)| (*transport, it.bound.unwrap_or(it.wanted)))
            .filter(|(_, at)| at.port() != 0)
            .collect()
    }

    /// The Contact of messages through `hop`; `ContactEnable` says whether it names the transport.
    pub(super) fn contact(&self, hop: Hop) -> Option<String> {
        let links = self.links.values().chain(&self.draining);
        let stream = { links }.find_map(|it| it.stream(hop.socket));
        let local = match stream {
            Some(flow) => flow.local,
            None => *self.reachable().get(&hop.transport)?,
        };
        let transport = match self.plan.contact_transport {
            true => format!(";transport={}", hop.transport.parameter()),
            false => String::new(),
        };
        Some(format!("<sip:{local}{transport}>"))
    }

    /// Where the gateway listens now.
    pub(super) fn bound(&self) -> BTreeMap<Transport, SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|(transport, it)| Some((*transport, it.bound?)))
            .collect()
    }

    /// Whether `id` is one of its listeners, and of which transport.
    pub(super) fn listens_on(&self, id: SocketId) -> Option<Transport> {
        let listener = self.listeners.iter().find(|(_, it)| it.id == id);
        listener
            .map(|(transport, _)| *transport)
            .or(
                (self.sender.as_ref().map(|it| it.id) == Some(id) || self.retired.contains(&id))
                    .then_some(Transport::Udp),
            )
    }

    /// Opens and closes listeners until they are those of the plan; TLS waits for the time of day.
    pub(super) fn settle_listeners(&mut self, core: &mut Core) {
        let mut wanted = self.plan.listeners.clone();
        if core.time == TimeOfDay::Unknown {
            wanted.remove(&Transport::Tls);
        }
        let gone: Vec<Transport> = self
            .listeners
            .iter()
            .filter(|(transport, it)| wanted.get(transport) != Some(&it.wanted))
            .map(|(transport, _)| *transport)
            .collect();
        for transport in gone {
            self.unlisten(core, transport);
        }
        for (transport, local) in wanted {
            if !self.listeners.contains_key(&transport) {
                self.listen(core, transport, local);
            }
        }
        self.settle_sender(core);
    }

    fn settle_sender(&mut self, core: &mut Core) {
        let listener = self.listeners.get(&Transport::Udp);
        let wanted = match self.plan.udp_source {
            UdpSource::Ephemeral => listener.map(|it| SocketAddr::new(it.wanted.ip(), 0)),
            UdpSource::Listener => None,
        };
        if self.sender.as_ref().map(|it| it.wanted) == wanted {
            return;
        }
        if let Some(sender) = self.sender.take() {
            self.let_go(core, Transport::Udp, &sender);
        }
        self.sender = wanted.map(|local| self.bind(core, Transport::Udp, local));
    }

    /// A listener was bound.
    pub(super) fn listening(&mut self, id: SocketId, local: SocketAddr) -> bool {
        let Some(listener) = self.socket(id) else {
            return false;
        };
        listener.bound = Some(local);
        listener.fault = None;
        true
    }

    /// A listener could not be bound: it is tried again after a while.
    pub(super) fn listen_failed(
        &mut self,
        now: Instant,
        id: SocketId,
        fault: &ListenFault,
    ) -> bool {
        let Some(listener) = self.socket(id) else {
            return false;
        };
        listener.bound = None;
        listener.failures = listener.failures.saturating_add(1);
        let passing = *fault == ListenFault::PortInUse && listener.failures == 1;
        listener.fault = (!passing).then(|| fault.clone());
        let pause = if passing { LET_GO } else { LISTEN_RETRY };
        listener.retry = Some(now + pause);
        true
    }

    /// A listener that had no certificate may have one now.
    pub(super) fn certificates_changed(&mut self, now: Instant) {
        let listeners = self.listeners.values_mut();
        for listener in listeners.filter(|it| it.uncertified().is_some()) {
            listener.retry = Some(now);
        }
    }

    /// Tries failed listeners again when their pause is over.
    pub(super) fn retry_listeners(&mut self, core: &mut Core, now: Instant) {
        let due: Vec<(Transport, SocketAddr)> = self
            .listeners
            .iter()
            .filter(|(_, it)| it.retry.is_some_and(|at| at <= now))
            .map(|(transport, it)| (*transport, it.wanted))
            .collect();
        for (transport, local) in due {
            let failed = self.listeners.remove(&transport);
            self.listen(core, transport, local);
            if let (Some(listener), Some(failed)) = (self.listeners.get_mut(&transport), failed) {
                listener.fault = failed.fault;
                listener.failures = failed.failures;
            }
        }
        let failed = { &mut self.sender }.take_if(|it| it.retry.is_some_and(|at| at <= now));
        if failed.is_some() {
            self.settle_sender(core);
        }
    }

    /// The time of the next deadline of anything in it.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let links = self.links.values().chain(&self.draining);
        let registrations = self.registrations.values().chain(&self.leaving);
        links
            .filter_map(Link::next_deadline)
            .chain(registrations.filter_map(Registration::next_deadline))
            .chain({ self.listeners.values() }.filter_map(|it| it.retry))
            .chain(self.sender.as_ref().and_then(|it| it.retry))
            .min()
    }

    fn socket(&mut self, id: SocketId) -> Option<&mut Listener> {
        let mut sockets = self.listeners.values_mut().chain(&mut self.sender);
        sockets.find(|it| it.id == id)
    }

    fn listen(&mut self, core: &mut Core, transport: Transport, local: SocketAddr) {
        let listener = self.bind(core, transport, local);
        self.listeners.insert(transport, listener);
    }

    fn bind(&self, core: &mut Core, transport: Transport, local: SocketAddr) -> Listener {
        let id = core.ids.socket();
        core.out.push_back(Output::Listen {
            id,
            gateway: self.name.clone(),
            transport,
            local,
        });
        Listener {
            id,
            wanted: local,
            bound: None,
            fault: None,
            failures: 0,
            retry: None,
        }
    }

    fn unlisten(&mut self, core: &mut Core, transport: Transport) {
        if let Some(listener) = self.listeners.remove(&transport) {
            self.let_go(core, transport, &listener);
        }
    }

    /// Closes a socket, unless draining links still use it.
    fn let_go(&mut self, core: &mut Core, transport: Transport, listener: &Listener) {
        let lingers = transport == Transport::Udp && !self.draining.is_empty();
        if lingers && listener.bound.is_some() {
            self.retired.push(listener.id);
        } else {
            core.out.push_back(Output::Unlisten { id: listener.id });
        }
    }
}
