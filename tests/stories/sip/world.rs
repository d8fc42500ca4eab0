//! A stack, a network that delays and loses, name servers, and stub registrars.

mod network;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use demarc::sip::Stack;
use demarc::sip::event::{Connect, Input, SocketId, StreamFault, TimeOfDay};
use demarc::sip::hostport::HostPort;
use demarc::sip::message::Request;
use demarc::sip::message::framing::Framer;
use demarc::sip::resolve::{Records, Source};
use demarc::sip::rng::Rng;
use demarc::sip::session::Event;
use demarc::sip::settings::{
    Authentication, Gateway, Proxy, Registration, Settings, TransportConfig, UnitRegistration,
};
use demarc::sip::status::{RegistrationState, Status};
use demarc::sip::transport::Transport;

use super::registrar::{Manner, Registrar};

/// More steps than any story takes.
const MOST_STEPS: u32 = 200_000;

/// Something on its way.
#[derive(Debug)]
enum Parcel {
    ToStack(Input),
    Datagram {
        from: SocketId,
        peer: SocketAddr,
        bytes: Vec<u8>,
    },
    Stream {
        id: SocketId,
        bytes: Vec<u8>,
    },
    IdleCheck {
        id: SocketId,
    },
}

#[derive(Debug)]
struct Open {
    connect: Connect,
    framer: Framer,
    last: Instant,
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stack: Stack,
    pub(super) settings: Settings,
    pub(super) status: Status,
    pub(super) notices: Vec<String>,
    pub(super) registrars: Vec<Registrar>,
    pub(super) zone: BTreeMap<String, Records>,
    /// What the user of calls was told.
    pub(super) heard: Vec<Event>,
    /// Whether name servers or the device's own hosts know the zone.
    pub(super) source: Source,
    /// Of a hundred datagrams, so many get lost.
    pub(super) loss: u64,
    /// Servers to which streams never open.
    pub(super) silent: Vec<SocketAddr>,
    /// Local ports that somebody else holds.
    pub(super) busy: Vec<u16>,
    /// When and to whom anything was sent.
    pub(super) sent: Vec<(Duration, SocketAddr)>,
    /// What was written to streams, those of peers among them.
    pub(super) written: Vec<(SocketId, Vec<u8>)>,
    /// The ports that datagrams were sent from.
    pub(super) sources: Vec<u16>,
    /// Ports that were to be remembered.
    pub(super) remembered: Vec<u16>,
    /// What was sent as datagrams and into streams, octet for octet.
    pub(super) octets: Vec<Vec<u8>>,
    /// Streams that the stack closed.
    pub(super) closed: Vec<SocketId>,
    /// Questions to name servers.
    pub(super) asked: Vec<String>,
    /// Connections that were asked for.
    pub(super) connects: Vec<(Duration, Connect)>,
    pub(super) is_done: bool,
    now: Instant,
    start: Instant,
    rng: Rng,
    parcels: Vec<(Instant, u64, Parcel)>,
    order: u64,
    listeners: BTreeMap<SocketId, (Transport, SocketAddr)>,
    streams: BTreeMap<SocketId, Open>,
}

impl World {
    /// One gateway named `default` on 192.0.2.1 that registers user 100 nowhere yet.
    pub(super) fn new() -> Self {
        Self::of(Stack::new([5; 32]))
    }

    /// The same around another stack.
    pub(super) fn of(stack: Stack) -> Self {
        let now = Instant::now();
        let mut world = Self {
            stack,
            heard: Vec::new(),
            settings: Settings::default(),
            status: Status::default(),
            notices: Vec::new(),
            registrars: Vec::new(),
            zone: BTreeMap::new(),
            source: Source::NameServers,
            loss: 0,
            silent: Vec::new(),
            busy: Vec::new(),
            sent: Vec::new(),
            written: Vec::new(),
            sources: Vec::new(),
            remembered: Vec::new(),
            octets: Vec::new(),
            closed: Vec::new(),
            asked: Vec::new(),
            connects: Vec::new(),
            is_done: false,
            now,
            start: now,
            rng: Rng::new([6; 32]),
            parcels: Vec::new(),
            order: 0,
            listeners: BTreeMap::new(),
            streams: BTreeMap::new(),
        };
        let settings = &mut world.settings;
        settings
            .interfaces
            .insert("Lan1".into(), IpAddr::from([192, 0, 2, 1]));
        settings
            .gateways
            .insert("default".into(), Gateway::default());
        settings.proxy.home_domain_host = None;
        settings.unit_registrations.insert(
            1,
            UnitRegistration {
                username: "100".into(),
                gateway_name: "default".into(),
            },
        );
        settings.authentication.insert(
            1,
            Authentication {
                username: "100".into(),
                password: "secret".into(),
                ..Authentication::default()
            },
        );
        world.input(Input::Time(TimeOfDay::Known));
        world
    }

    /// A world whose gateway registers at a registrar of this manner at 198.51.100.1:5060.
    pub(super) fn with(manner: Manner) -> Self {
        let mut world = Self::new();
        world.add_registrar("198.51.100.1:5060", manner);
        world.settings.registration.server_host = host("198.51.100.1:5060");
        world
    }

    /// Puts a registrar on the network; its number.
    pub(super) fn add_registrar(&mut self, addr: &str, manner: Manner) -> usize {
        self.registrars.push(Registrar::new(socket(addr), manner));
        self.registrars.len() - 1
    }

    /// A second gateway, `other`, on 192.0.2.2, with a registration of its own at `registrar`.
    pub(super) fn add_other_gateway(&mut self, registrar: &str) {
        let settings = &mut self.settings;
        settings
            .interfaces
            .insert("Lan2".into(), IpAddr::from([192, 0, 2, 2]));
        let gateway = Gateway {
            network_interface: "Lan2".into(),
            ..Gateway::default()
        };
        settings.gateways.insert("other".into(), gateway);
        settings.unit_registrations.insert(
            2,
            UnitRegistration {
                username: "200".into(),
                gateway_name: "other".into(),
            },
        );
        let registration = Registration {
            server_host: host(registrar),
            ..Registration::default()
        };
        settings
            .gw_specific_registration
            .insert("other".into(), registration);
        let proxy = Proxy {
            home_domain_host: None,
            ..Proxy::default()
        };
        settings.gw_specific_proxy.insert("other".into(), proxy);
    }

    /// The transports of a gateway.
    pub(super) fn transports(
        &mut self,
        gateway: &str,
        enabled: &[Transport],
    ) -> &mut TransportConfig {
        let config = self
            .settings
            .transport_config
            .entry(gateway.into())
            .or_default();
        config.udp_enable = enabled.contains(&Transport::Udp);
        config.tcp_enable = enabled.contains(&Transport::Tcp);
        config.tls_enable = enabled.contains(&Transport::Tls);
        config
    }

    /// Tells the stack its settings as they are now.
    pub(super) fn apply(&mut self) {
        let settings = Box::new(self.settings.clone());
        self.input(Input::Settings(settings));
    }

    /// Hands the stack one fact.
    pub(super) fn input(&mut self, input: Input) {
        self.stack.handle(self.now, input);
        self.drain();
    }

    /// A datagram arrives at the gateway's UDP port.
    pub(super) fn datagram(&mut self, peer: SocketAddr, bytes: Vec<u8>) {
        let udp = self.listeners.iter().find(|(_, it)| it.0 == Transport::Udp);
        let id = *udp.expect("a UDP socket").0;
        self.input(Input::Datagram { id, peer, bytes });
    }

    /// The newest socket that listens for this transport.
    pub(super) fn listener(&self, transport: Transport) -> (SocketId, SocketAddr) {
        let listeners = self.listeners.iter().rev();
        let found = { listeners }.find(|(_, it)| it.0 == transport);
        let (id, (_, local)) = found.expect("a listener");
        (*id, *local)
    }

    /// A peer opens a stream to the gateway's port of this transport.
    pub(super) fn accept(&mut self, transport: Transport, peer: SocketAddr) -> SocketId {
        let (listener, local) = self.listener(transport);
        let id = self.stack.accept_id();
        self.input(Input::Accepted {
            id,
            listener,
            local,
            peer,
        });
        id
    }

    /// Octets arrive on a stream.
    pub(super) fn data(&mut self, id: SocketId, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.input(Input::Data { id, bytes });
    }

    /// Nobody listens where the gateway's UDP socket sent to.
    pub(super) fn undelivered(&mut self, peer: SocketAddr) {
        let udp = self.listeners.iter().find(|(_, it)| it.0 == Transport::Udp);
        let id = *udp.expect("a UDP socket").0;
        self.input(Input::Undelivered { id, peer });
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..MOST_STEPS {
            let parcel = self.parcels.iter().map(|it| it.0).min();
            let due = parcel.into_iter().chain(self.stack.next_deadline()).min();
            let Some(at) = due.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            self.step();
        }
        panic!("the stack never rests");
    }

    /// Lets so many seconds pass.
    pub(super) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// The present.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// The state and reason of the first registration of a gateway.
    pub(super) fn registration(&self, gateway: &str) -> (RegistrationState, String) {
        let row = self
            .status
            .registrations
            .iter()
            .find(|it| it.gateway == gateway);
        let row = row.expect("a registration");
        (row.state, row.reason.clone())
    }

    /// Whether the gateway `default` is registered without a remark.
    pub(super) fn is_registered(&self) -> bool {
        self.registration("default") == (RegistrationState::Registered, String::new())
    }

    /// The listeners as `transport:port`.
    pub(super) fn listens(&self) -> Vec<String> {
        self.listeners
            .values()
            .map(|(transport, at)| format!("{}:{}", transport.parameter(), at.port()))
            .collect()
    }

    /// The REGISTERs that a registrar was sent.
    pub(super) fn registers(&self, registrar: usize) -> Vec<&Request> {
        self.registrars[registrar].registers()
    }

    /// Closes every stream to `addr` from the far end.
    pub(super) fn close_streams(&mut self, addr: &str) {
        let peer = socket(addr);
        let ids: Vec<SocketId> = self
            .streams
            .iter()
            .filter(|(_, it)| it.connect.peer == peer)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.streams.remove(&id);
            self.input(Input::Closed { id });
        }
    }

    /// Resets every stream from the far end.
    pub(super) fn reset_streams(&mut self) {
        for id in std::mem::take(&mut self.streams).into_keys() {
            let fault = StreamFault::Reset;
            self.input(Input::Failed { id, fault });
        }
    }

    /// The local ports of the open streams to `addr`.
    pub(super) fn stream_ports(&self, addr: &str) -> Vec<u16> {
        let peer = socket(addr);
        let streams = self.streams.values().map(|it| &it.connect);
        streams
            .filter(|it| it.peer == peer)
            .map(|it| it.local.port())
            .collect()
    }
}

/// A socket address.
pub(super) fn socket(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A configured server.
pub(super) fn host(text: &str) -> Option<HostPort> {
    HostPort::parse(text).expect("host and port")
}
