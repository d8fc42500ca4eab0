//! The binding of UDP connection requests: a STUN server and a gateway that
//! forgets, on a simulated wire.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use demarc::north::cwmp::binding::{Binding, Input, Output, Socket, Status};
use demarc::north::cwmp::settings::Stun;
use demarc::schema::cwmp::{self, Tr111StunStatus as State};
use demarc::schema::{Secret, Value};
use demarc::wire::host_port::HostPort;
use demarc::wire::stun::integrity::{Form, Key};
use demarc::wire::stun::{Attribute, Class, Id, Message};

use crate::cwmp::world::{World as Wire, acs, informed, notify, set as acs_sets, texts};

const LOCAL: &str = "10.0.0.2:7547";
const SERVER: &str = "192.0.2.9:3478";

/// What the server does beside answering.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Answers to RESPONSE-ADDRESS (RFC 3489).
    Old,
    /// Answers to RESPONSE-PORT, and refuses what it does not know (RFC 5780).
    New,
    /// Knows neither, and refuses.
    Plain,
    /// Knows neither, and ignores what it does not know.
    Deaf,
    Silent,
    /// Asks for credentials of a realm.
    Realm,
    /// Asks for a password in one of the two forms.
    Password(Form),
}

struct World {
    binding: Binding,
    now: Instant,
    start: Instant,
    kind: Kind,
    /// How long the gateway remembers; None: there is no gateway.
    gateway: Option<Duration>,
    /// The port outside of each socket, and when it was last used.
    doors: [(u16, Instant); 2],
    ports: u16,
    requests: Vec<(Duration, Socket, Message)>,
    status: Option<Status>,
    looked: Vec<String>,
}

impl World {
    fn new(kind: Kind, gateway: Option<u64>) -> Self {
        let mut state = 7_u64;
        let random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state
        };
        let now = Instant::now();
        Self {
            binding: Binding::new(Box::new(random)),
            now,
            start: now,
            kind,
            gateway: gateway.map(Duration::from_secs),
            doors: [(0, now); 2],
            ports: 40_000,
            requests: Vec::new(),
            status: None,
            looked: Vec::new(),
        }
    }

    fn begin(&mut self, stun: Stun) {
        let local = LOCAL.parse().expect("an address");
        self.give(Input::Terms(Some((stun, local))));
    }

    fn give(&mut self, input: Input) {
        self.binding.handle(self.now, input);
        while let Some(output) = self.binding.poll() {
            match output {
                Output::Resolve(host) => self.looked.push(host),
                Output::Publish(status) => self.status = Some(status),
                Output::Send { from, to, octets } => {
                    assert_eq!(to.to_string(), SERVER);
                    self.serve(from, &octets);
                }
            }
        }
    }

    /// The port of a socket outside, as a datagram goes through.
    fn outside(&mut self, socket: Socket) -> SocketAddr {
        let Some(life) = self.gateway else {
            let port = if socket == Socket::First { 7547 } else { 7548 };
            return SocketAddr::new([10, 0, 0, 2].into(), port);
        };
        let door = &mut self.doors[socket as usize];
        if door.0 == 0 || self.now - door.1 > life {
            self.ports += 1;
            door.0 = self.ports;
        }
        door.1 = self.now;
        SocketAddr::new([198, 51, 100, 1].into(), door.0)
    }

    fn serve(&mut self, socket: Socket, octets: &[u8]) {
        let request = Message::parse(octets).expect("a message");
        self.requests
            .push((self.now - self.start, socket, request.clone()));
        let seen = self.outside(socket);
        if self.kind == Kind::Silent {
            return;
        }
        let says = |is: fn(&Attribute) -> bool| request.attributes.iter().any(is);
        let by_address = says(|it| matches!(it, Attribute::ResponseAddress(_)));
        let by_port = says(|it| matches!(it, Attribute::ResponsePort(_)));
        let key = match self.kind {
            Kind::Realm => Key::long(b"user", b"realm", b"secret"),
            Kind::Password(form) => Some(Key::short(b"secret", form)),
            _ => None,
        };
        let knows = |it: &Key| it.proves(octets);
        let (class, attributes, back) = match self.kind {
            Kind::Realm if !key.as_ref().is_some_and(knows) => {
                let challenge = vec![
                    Attribute::ErrorCode(401, "Who?".to_owned()),
                    Attribute::Realm(b"realm".to_vec()),
                    Attribute::Nonce(b"nonce".to_vec()),
                ];
                (Class::Error, challenge, socket)
            }
            Kind::Password(_) if !key.as_ref().is_some_and(knows) => {
                let who = vec![Attribute::ErrorCode(401, "Who?".to_owned())];
                (Class::Error, who, socket)
            }
            Kind::New | Kind::Plain if by_address => {
                let unknown = vec![Attribute::ErrorCode(420, "Unknown".to_owned())];
                (Class::Error, unknown, socket)
            }
            Kind::Plain if by_port => {
                let unknown = vec![Attribute::ErrorCode(420, "Unknown".to_owned())];
                (Class::Error, unknown, socket)
            }
            kind => {
                let elsewhere = (kind == Kind::Old && by_address) || (kind == Kind::New && by_port);
                let back = if elsewhere { Socket::First } else { socket };
                (
                    Class::Success,
                    vec![Attribute::XorMappedAddress(seen)],
                    back,
                )
            }
        };
        // What the gateway has forgotten does not come through.
        if back != socket
            && let Some(life) = self.gateway
            && self.now - self.doors[0].1 > life
        {
            return;
        }
        let answer = Message {
            class,
            id: request.id,
            attributes,
        };
        let octets = answer.print(key.as_ref());
        let from = SERVER.parse().expect("an address");
        self.give(Input::Datagram {
            at: back,
            from,
            octets,
        });
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.binding.wake_at().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.give(Input::Wake);
        }
        self.now = end;
    }

    fn status(&self) -> &Status {
        self.status.as_ref().expect("something was published")
    }

    fn address(&self) -> String {
        let address = self.status().address;
        address.map_or_else(String::new, |address| address.to_string())
    }

    /// When the first socket was used, in seconds.
    fn kept_at(&self) -> Vec<u64> {
        let first = self.requests.iter().filter(|it| it.1 == Socket::First);
        first.map(|(at, ..)| at.as_secs()).collect()
    }
}

fn stun(least: u64, greatest: Option<u64>) -> Stun {
    Stun {
        server: HostPort::parse(SERVER).expect("a server"),
        least: Duration::from_secs(least),
        greatest: greatest.map(Duration::from_secs),
        username: String::new(),
        password: Secret::from(&b"secret"[..]),
        unproven: false,
    }
}

fn user(stun: Stun) -> Stun {
    Stun {
        username: "user".to_owned(),
        ..stun
    }
}

#[test]
fn without_a_gateway_the_address_is_the_units_own() {
    let mut world = World::new(Kind::Old, None);
    world.begin(stun(60, Some(60)));
    assert_eq!(world.address(), LOCAL);
    assert_eq!(
        (world.status().nat, world.status().state),
        (false, State::Connected)
    );
    world.pass(130);
    // The first, the announcement of it, and one each minute.
    assert_eq!(world.kept_at(), [0, 0, 60, 120]);
}

#[test]
fn a_gateway_is_seen_and_its_address_told_to_both_sides() {
    let mut world = World::new(Kind::Old, Some(300));
    world.begin(stun(60, Some(60)));
    assert_eq!(world.address(), "198.51.100.1:40001");
    assert!(world.status().nat);
    let said: Vec<_> = world
        .requests
        .iter()
        .map(|it| it.2.attributes.clone())
        .collect();
    assert_eq!(
        said,
        [
            vec![Attribute::ConnectionRequestBinding],
            vec![
                Attribute::ConnectionRequestBinding,
                Attribute::BindingChange
            ],
        ]
    );
    // The gateway starts again: the next request finds out and says so.
    world.doors[0].0 = 0;
    world.pass(61);
    assert_eq!(world.address(), "198.51.100.1:40002");
    assert_eq!(world.kept_at(), [0, 0, 60, 60]);
    assert!(
        world.requests[3]
            .2
            .attributes
            .contains(&Attribute::BindingChange)
    );
}

#[test]
fn the_time_of_the_binding_is_found_between_the_least_and_the_greatest() {
    for kind in [Kind::Old, Kind::New] {
        for (life, least, greatest, expected) in [
            (3600, 30, 300, 300..=300),
            (120, 30, 300, 108..=120),
            (47, 30, 300, 42..=47),
            (20, 30, 300, 30..=30),
        ] {
            let mut world = World::new(kind, Some(life));
            world.begin(stun(least, Some(greatest)));
            world.pass(3600);
            let period = world.status().period.expect("a period").as_secs();
            assert!(expected.contains(&period), "{life}: {period}");
            let last = world.kept_at();
            let gaps: Vec<u64> = last.windows(2).map(|two| two[1] - two[0]).collect();
            // A binding that is lost each time is announced each time.
            assert_eq!(gaps.last(), Some(&if period <= life { period } else { 0 }));
            let address = world.address();
            world.pass(600);
            // As found, the binding stays; only too short a greatest loses it.
            assert_eq!(world.address() == address, period <= life, "{life}");
        }
    }
}

#[test]
fn a_server_that_cannot_answer_elsewhere_is_asked_at_the_least_period() {
    for kind in [Kind::Plain, Kind::Deaf] {
        let mut world = World::new(kind, Some(200));
        world.begin(stun(40, Some(300)));
        world.pass(125);
        assert_eq!(world.status().period, Some(Duration::from_secs(40)));
        let last = world.kept_at();
        assert_eq!(last[last.len() - 3..], [40, 80, 120]);
    }
}

#[test]
fn a_period_that_turns_out_too_long_is_shortened() {
    let mut world = World::new(Kind::Old, Some(1000));
    world.begin(stun(30, Some(300)));
    world.pass(3000);
    assert_eq!(world.status().period, Some(Duration::from_secs(300)));
    world.gateway = Some(Duration::from_secs(100));
    world.pass(6000);
    let period = world.status().period.expect("a period").as_secs();
    assert!((80..=100).contains(&period), "{period}");
}

#[test]
fn who_asks_for_credentials_gets_them_where_there_are_some() {
    for kind in [
        Kind::Realm,
        Kind::Password(Form::Padded),
        Kind::Password(Form::Plain),
    ] {
        let mut world = World::new(kind, None);
        world.begin(user(stun(60, Some(60))));
        assert_eq!(world.status().state, State::Connected);
        assert!(world.requests.iter().all(|it| it.2.attributes.len() < 6));
        let sent = world.requests.len();
        // What was asked once is known from then on.
        world.pass(61);
        assert_eq!(world.requests.len(), sent + 1);
        let mut world = World::new(kind, None);
        world.begin(stun(60, Some(60)));
        assert_eq!(world.status().state, State::ErrorOther);
        assert!(world.status().reason.contains("set Cwmp.Tr111StunUsername"));
        // TR-181 STUNUsername: none is sent where it is empty.
        let named = |it: &Attribute| matches!(it, Attribute::Username(_));
        assert!(
            !world
                .requests
                .iter()
                .any(|it| it.2.attributes.iter().any(named))
        );
    }
}

#[test]
fn wrong_credentials_are_tried_a_few_times_and_told() {
    for kind in [Kind::Realm, Kind::Password(Form::Plain)] {
        let mut world = World::new(kind, None);
        let password = Secret::from(&b"wrong"[..]);
        let stun = stun(60, Some(60));
        world.begin(user(Stun { password, ..stun }));
        assert!(world.status().reason.contains("refuses the credentials"));
        assert!(world.requests.len() <= 3);
        world.pass(3600);
        assert!(world.requests.len() < 200);
    }
}

#[test]
fn a_silent_server_is_asked_nine_times_and_again_later() {
    let mut world = World::new(Kind::Silent, None);
    world.begin(stun(60, Some(60)));
    assert_eq!(
        (world.status().state, world.address()),
        (State::Starting, LOCAL.to_owned())
    );
    world.pass(9);
    assert_eq!(world.requests.len(), 9);
    world.pass(1);
    assert_eq!(world.status().state, State::ErrorNotResponding);
    assert!(
        world
            .status()
            .reason
            .contains("see Cwmp.Tr111StunServerHost")
    );
    world.kind = Kind::Old;
    world.pass(60);
    assert_eq!(world.status().state, State::Connected);
    assert_eq!(world.status().reason, "");
}

#[test]
fn a_name_is_looked_up_and_one_without_an_address_is_told_of() {
    let mut world = World::new(Kind::Old, None);
    let server = HostPort::parse("stun.example").expect("a server");
    world.begin(Stun {
        server,
        ..stun(60, Some(60))
    });
    assert_eq!(world.looked, ["stun.example"]);
    let host = || "stun.example".to_owned();
    let six = vec!["2001:db8::9".parse().expect("an address")];
    world.give(Input::Resolved {
        host: host(),
        addresses: six,
    });
    assert_eq!(world.status().state, State::ErrorCannotResolve);
    world.pass(60);
    assert_eq!(world.looked.len(), 2);
    let addresses = vec![[192, 0, 2, 9].into()];
    world.give(Input::Resolved {
        host: host(),
        addresses,
    });
    assert_eq!(world.status().state, State::Connected);
}

#[test]
fn nobody_else_can_say_where_the_binding_is() {
    let mut world = World::new(Kind::Silent, None);
    world.begin(stun(60, Some(60)));
    let id = world.requests[0].2.id;
    let forge = |id: Id, from: &str| {
        let message = Message {
            class: Class::Success,
            id,
            attributes: vec![Attribute::MappedAddress(([6, 6, 6, 6], 6).into())],
        };
        Input::Datagram {
            at: Socket::First,
            from: from.parse().expect("an address"),
            octets: message.print(None),
        }
    };
    world.give(forge(id, "6.6.6.6:3478"));
    world.give(forge(Id([0; 12]), SERVER));
    assert_eq!(world.address(), LOCAL);
    world.give(forge(id, SERVER));
    assert_eq!(world.address(), "6.6.6.6:6");
}

#[test]
fn switched_off_it_is_silent_and_shows_nothing() {
    let mut world = World::new(Kind::Old, Some(100));
    world.begin(stun(60, Some(60)));
    let sent = world.requests.len();
    world.give(Input::Terms(None));
    assert_eq!(*world.status(), Status::off(""));
    world.pass(600);
    assert_eq!(world.requests.len(), sent);
    assert_eq!(world.binding.wake_at(), None);
}

#[test]
fn the_acs_sets_each_end_of_the_period_and_reads_what_counts() {
    let mut world = Wire::bootstrapped();
    let path = |end: &str| format!("Device.ManagementServer.STUN{end}KeepAlivePeriod");
    let set = |world: &mut Wire, values: &[(&str, &str)]| {
        let values: Vec<(String, &str)> = values.iter().map(|it| (path(it.0), it.1)).collect();
        let values: Vec<(&str, &str)> = values.iter().map(|it| (it.0.as_str(), it.1)).collect();
        world.posts.clear();
        world.answers([informed(), acs_sets(&values, "k")]);
        world.ask_for_a_session();
        assert_eq!(texts(&world.posts[2], "Status"), ["0"], "{values:?}");
        world.read("Cwmp.Tr111StunKeepAlivePeriod")
    };
    assert_eq!(set(&mut world, &[("Maximum", "300")]), "60-300".into());
    assert_eq!(set(&mut world, &[("Minimum", "30")]), "30-300".into());
    assert_eq!(set(&mut world, &[("Maximum", "-1")]), "30-".into());
    let both = [("Minimum", "400"), ("Maximum", "500")];
    assert_eq!(set(&mut world, &both), "400-500".into());
    let both = [("Maximum", "20"), ("Minimum", "10")];
    assert_eq!(set(&mut world, &both), "10-20".into());
    let body = "<C:GetParameterValues><ParameterNames><string>Device.ManagementServer.</string>\
                </ParameterNames></C:GetParameterValues>";
    world.posts.clear();
    world.answers([informed(), acs("g", body)]);
    world.ask_for_a_session();
    let (names, values) = (texts(&world.posts[2], "Name"), &world.posts[2]);
    for (end, value) in [("Minimum", "unsignedInt\">10<"), ("Maximum", "int\">20<")] {
        assert!(names.contains(&path(end)));
        assert!(values.contains(value), "{values}");
    }
    // The other parameters of annex G are there, and the password is nowhere.
    for name in [
        "STUNServerPort",
        "NATDetected",
        "UDPConnectionRequestAddress",
    ] {
        assert!(names.contains(&format!("Device.ManagementServer.{name}")));
    }
    assert!(values.contains(">HTTP,STUN<"));
}

/// The limit between notifications of an address that changes is that of all active ones.
#[test]
fn a_new_address_is_told_to_an_acs_that_asked_and_not_more_often_than_allowed() {
    let mut world = Wire::bootstrapped();
    world.change("Cwmp.ActiveNotificationThrottle", Value::Unsigned(300));
    let path = "Device.ManagementServer.UDPConnectionRequestAddress";
    world.answers([informed(), notify(path, 2)]);
    world.ask_for_a_session();
    world.posts.clear();
    let mut moves = |address: &str| {
        world.tree.live().publish(|live| {
            live.scalar(cwmp::UDP_CONNECTION_REQUEST_ADDRESS, address);
        });
        world.answers([informed()]);
        world.look();
    };
    moves("192.0.2.1:1");
    moves("192.0.2.1:2");
    assert!(world.posts.is_empty());
    world.pass(Duration::from_secs(300));
    world.look();
    assert_eq!(texts(&world.posts[0], "EventCode"), ["4 VALUE CHANGE"]);
    assert!(world.posts[0].contains(">192.0.2.1:2<") && !world.posts[0].contains(">192.0.2.1:1<"));
    assert_eq!(world.posts.len(), 2);
}
