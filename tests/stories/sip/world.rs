//! A stack, a network that delays and loses, name servers, and stub registrars.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use demarc::sip::Stack;
use demarc::sip::event::{Connect, Input, Output, SocketId, StreamFault, TimeOfDay};
use demarc::sip::hostport::HostPort;
use demarc::sip::message::framing::{Frame, Framer};
use demarc::sip::message::{Message, Request};
use demarc::sip::resolve::{Answer, LookupFault, Query, Records};
use demarc::sip::rng::Rng;
use demarc::sip::settings::{
    Authentication, Gateway, Proxy, Registration, Settings, TransportConfig, UnitRegistration,
};
use demarc::sip::status::{RegistrationState, Status};
use demarc::sip::transport::Transport;

use super::registrar::{Manner, Registrar};

/// The way between two hosts.
const DELAY: Duration = Duration::from_millis(10);
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
    /// Of a hundred datagrams, so many get lost.
    pub(super) loss: u64,
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
        let now = Instant::now();
        let mut world = Self {
            stack: Stack::new([5; 32]),
            settings: Settings::default(),
            status: Status::default(),
            notices: Vec::new(),
            registrars: Vec::new(),
            zone: BTreeMap::new(),
            loss: 0,
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

    /// A peer opens a stream to the gateway's port of this transport.
    pub(super) fn accept(&mut self, transport: Transport, peer: SocketAddr) -> SocketId {
        let listeners = self.listeners.iter();
        let found = { listeners }.find(|(_, it)| it.0 == transport);
        let (listener, (_, local)) = found.expect("a listener");
        let (listener, local) = (*listener, *local);
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

    fn step(&mut self) {
        let due = self
            .parcels
            .iter()
            .enumerate()
            .filter(|(_, it)| it.0 <= self.now)
            .min_by_key(|(_, it)| (it.0, it.1));
        match due.map(|(place, _)| place) {
            Some(place) => {
                let (_, _, parcel) = self.parcels.remove(place);
                self.deliver(parcel);
            }
            None => self.input(Input::Tick),
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToStack(input) => self.input(input),
            Parcel::Datagram { from, peer, bytes } => self.datagram_at(from, peer, &bytes),
            Parcel::Stream { id, bytes } => self.stream_data_at(id, &bytes),
            Parcel::IdleCheck { id } => self.check_idle(id),
        }
    }

    fn send(&mut self, after: Duration, parcel: Parcel) {
        self.order += 1;
        self.parcels.push((self.now + after, self.order, parcel));
    }

    fn drain(&mut self) {
        while let Some(output) = self.stack.poll() {
            self.obey(output);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Listen {
                id,
                transport,
                local,
                ..
            } => {
                let local = match local.port() {
                    0 => SocketAddr::new(local.ip(), 40_000),
                    _ => local,
                };
                self.listeners.insert(id, (transport, local));
                self.send(
                    Duration::ZERO,
                    Parcel::ToStack(Input::Listening { id, local }),
                );
            }
            Output::Unlisten { id } => {
                self.listeners.remove(&id);
            }
            Output::Datagram { id, peer, bytes } => {
                self.sent.push((self.elapsed(), peer));
                self.octets.push(bytes.clone());
                let local = self.listeners.get(&id).expect("a bound socket");
                assert_eq!(local.0, Transport::Udp);
                self.sources.push(local.1.port());
                if !self.is_lost() {
                    let delay = self.jitter();
                    self.send(
                        delay,
                        Parcel::Datagram {
                            from: id,
                            peer,
                            bytes,
                        },
                    );
                }
            }
            Output::Connect(connect) => self.connect(connect),
            Output::Write { id, bytes } => {
                self.octets.push(bytes.clone());
                let peer = self.streams.get(&id).map(|it| it.connect.peer);
                self.sent.extend(peer.map(|it| (self.elapsed(), it)));
                self.written.push((id, bytes.clone()));
                self.send(DELAY, Parcel::Stream { id, bytes });
            }
            Output::Close { id } => {
                self.streams.remove(&id);
                self.closed.push(id);
            }
            Output::Resolve { id, query } => {
                let answer = self.look_up(&query);
                self.send(DELAY, Parcel::ToStack(Input::Resolved { id, answer }));
            }
            Output::Publish(status) => self.status = *status,
            Output::Notice(notice) => self.notices.push(notice.logged().text),
            Output::RememberPort(port) => self.remembered.push(port),
            Output::Done => self.is_done = true,
        }
    }

    fn look_up(&mut self, query: &Query) -> Result<Answer, LookupFault> {
        let name = match query {
            Query::Naptr(name) => format!("NAPTR {name}"),
            Query::Srv(name) => format!("SRV {name}"),
            Query::A(name) => format!("A {name}"),
            Query::Aaaa(name) => format!("AAAA {name}"),
        };
        self.asked.push(name.clone());
        let records = self.zone.get(&name).cloned().ok_or(LookupFault::Nothing)?;
        Ok(Answer {
            records,
            ttl: Duration::from_secs(3600),
        })
    }

    fn connect(&mut self, connect: Connect) {
        self.connects.push((self.elapsed(), connect.clone()));
        let id = connect.id;
        let refused = |fault| Parcel::ToStack(Input::Failed { id, fault });
        if self.busy.contains(&connect.local.port()) {
            return self.send(Duration::ZERO, refused(StreamFault::PortBusy));
        }
        let there = self
            .registrars
            .iter()
            .find(|it| it.addr == connect.peer && !it.manner.is_dead);
        let Some(there) = there else {
            return self.send(DELAY, refused(StreamFault::Refused));
        };
        if connect.transport == Transport::Tls && !there.manner.transports.contains(&Transport::Tls)
        {
            let refusal = String::from("the peer does not speak TLS").into();
            let fault = StreamFault::Handshake(refusal);
            return self.send(DELAY, refused(fault));
        }
        if let Some(refusal) = there.manner.refuses_tls.clone()
            && connect.transport == Transport::Tls
        {
            let fault = StreamFault::Handshake(refusal);
            return self.send(DELAY, refused(fault));
        }
        let idle = there.manner.closes_idle;
        let (local, transport) = (connect.local, connect.transport);
        let open = Open {
            connect,
            framer: Framer::new(),
            last: self.now,
        };
        let session = there.manner.session.clone().map(Box::new);
        let session = session.filter(|_| transport == Transport::Tls);
        self.streams.insert(id, open);
        let opened = Input::Opened { id, local, session };
        self.send(DELAY, Parcel::ToStack(opened));
        if let Some(idle) = idle {
            self.send(idle, Parcel::IdleCheck { id });
        }
    }

    fn check_idle(&mut self, id: SocketId) {
        let Some(open) = self.streams.get(&id) else {
            return;
        };
        let peer = open.connect.peer;
        let there = self.registrars.iter().find(|it| it.addr == peer);
        let Some(idle) = there.and_then(|it| it.manner.closes_idle) else {
            return;
        };
        let end = open.last + idle;
        if end > self.now {
            let rest = end - self.now;
            return self.send(rest, Parcel::IdleCheck { id });
        }
        self.streams.remove(&id);
        self.input(Input::Closed { id });
    }

    fn datagram_at(&mut self, from: SocketId, peer: SocketAddr, bytes: &[u8]) {
        let Ok(Message::Request(request)) = Message::parse(bytes) else {
            return;
        };
        let there = self
            .registrars
            .iter_mut()
            .find(|it| it.addr == peer && !it.manner.is_dead);
        let Some(there) = there.filter(|it| it.manner.transports.contains(&Transport::Udp)) else {
            return;
        };
        let Some(response) = there.answer(Transport::Udp, &request) else {
            return;
        };
        if self.is_lost() {
            return;
        }
        let delay = self.jitter();
        let input = Input::Datagram {
            id: from,
            peer,
            bytes: response.to_bytes(),
        };
        self.send(delay, Parcel::ToStack(input));
    }

    fn stream_data_at(&mut self, id: SocketId, bytes: &[u8]) {
        let Some(open) = self.streams.get_mut(&id) else {
            return;
        };
        open.last = self.now;
        open.framer.push(bytes);
        let (peer, transport) = (open.connect.peer, open.connect.transport);
        let mut frames = Vec::new();
        while let Some(frame) = open.framer.next().expect("a stream of messages") {
            frames.push(frame);
        }
        let there = self
            .registrars
            .iter_mut()
            .find(|it| it.addr == peer && !it.manner.is_dead);
        let Some(there) = there else { return };
        if !there.manner.transports.contains(&transport) {
            // What a TLS server makes of clear text: an alert, and the end.
            let alert = vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a];
            self.send(DELAY, Parcel::ToStack(Input::Data { id, bytes: alert }));
            return;
        }
        let mut answers = Vec::new();
        for frame in frames {
            match frame {
                Frame::Message(Message::Response(response)) => there.responses.push(response),
                Frame::Ping => answers.push(b"\r\n".to_vec()),
                Frame::Message(Message::Request(request)) => {
                    answers.extend(there.answer(transport, &request).map(|it| it.to_bytes()));
                }
                _ => {}
            }
        }
        for bytes in answers {
            self.send(DELAY, Parcel::ToStack(Input::Data { id, bytes }));
        }
    }

    fn is_lost(&mut self) -> bool {
        self.rng.up_to(99) < self.loss
    }

    /// Datagrams overtake each other.
    fn jitter(&mut self) -> Duration {
        DELAY + Duration::from_millis(self.rng.up_to(30))
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
