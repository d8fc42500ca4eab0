//! Links: up, down, over, back.

use std::time::Duration;

use demarc::sip::event::{Input, TimeOfDay};
use demarc::sip::message::{HeaderName, Method};
use demarc::sip::resolve::{Records, Srv};
use demarc::sip::settings::{DnsFailureConcealment, KeepAliveMethod};
use demarc::sip::status::{GatewayState, LinkState, RegistrationState};
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host};

const SERVER: &str = "198.51.100.1:5061";

fn tls_world(manner: Manner) -> World {
    let mut world = World::new();
    world.add_registrar(SERVER, manner);
    world.settings.registration.server_host = host(SERVER);
    world.transports("default", &[Transport::Tls]);
    world
}

fn srv(priority: u16, port: u16, target: &str) -> Srv {
    Srv {
        priority,
        weight: 0,
        port,
        target: target.into(),
    }
}

/// `sip.example` is two servers; the first has the higher priority.
pub(super) fn two_servers(transports: &[Transport], service: &str) -> World {
    let mut world = World::new();
    world.add_registrar("198.51.100.1:5071", Manner::default());
    world.add_registrar("198.51.100.2:5072", Manner::default());
    let servers = vec![srv(1, 5071, "one.example"), srv(2, 5072, "two.example")];
    world
        .zone
        .insert(format!("SRV {service}.sip.example"), Records::Srv(servers));
    for (name, ip) in [("one", [198, 51, 100, 1]), ("two", [198, 51, 100, 2])] {
        let address = Records::Addresses(vec![ip.into()]);
        world.zone.insert(format!("A {name}.example"), address);
    }
    world.settings.registration.server_host = host("sip.example");
    world.transports("default", transports);
    world
}

#[test]
fn a_tls_link_leaves_from_port_16000_and_its_contact_says_so() {
    let mut world = tls_world(Manner::default());
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
    let link = &world.status.links[0];
    assert_eq!((link.state, link.local_port), (LinkState::Up, 16000));
    assert_eq!(link.remote_host, SERVER);
    assert!(
        world.registrars[0]
            .bindings
            .contains_key("sip:100@192.0.2.1:16000")
    );
    assert!(world.status.ready);
    let establishing = "establishing persistent connection";
    assert!(world.notices.iter().any(|it| it.contains(establishing)));
    let via = world.registers(0)[0].headers.via().expect("a Via");
    assert_eq!((&*via.transport, via.port), ("TLS", Some(16000)));
}

#[test]
fn a_local_port_in_use_is_passed_over() {
    let mut world = tls_world(Manner::default());
    world.busy = vec![16000, 16001];
    world.apply();
    world.seconds(2);
    assert_eq!(world.stream_ports(SERVER), [16002]);
    assert!(world.is_registered());
}

#[test]
fn tls_waits_until_the_time_is_known_and_says_so() {
    let mut world = tls_world(Manner::default());
    world.input(Input::Time(TimeOfDay::Unknown));
    world.apply();
    world.seconds(60);
    assert!(world.connects.is_empty());
    let gateway = &world.status.gateways[0];
    assert_eq!(gateway.state, GatewayState::WaitingForTime);
    assert_eq!(gateway.state.text(), "Waiting for time synchronization");
    assert!(
        world.status.links[0]
            .reason
            .contains("Waiting for time synchronization")
    );
    assert!(world.listens().is_empty());
    world.input(Input::Time(TimeOfDay::Known));
    world.seconds(2);
    assert!(world.is_registered());
    assert_eq!(world.listens(), ["tls:5061"]);
}

#[test]
fn a_link_closed_by_its_peer_comes_back_and_registers_again() {
    let mut world = tls_world(Manner::default());
    world.apply();
    world.seconds(2);
    world.close_streams(SERVER);
    assert_eq!(
        world.registration("default").0,
        RegistrationState::Unreachable
    );
    assert!(!world.status.ready);
    world.seconds(3);
    assert!(world.is_registered(), "{:?}", world.status);
    assert_eq!(world.registers(0).len(), 2);
}

#[test]
fn a_server_that_is_down_is_tried_at_growing_pauses() {
    let mut world = tls_world(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.apply();
    world.seconds(300);
    let times: Vec<Duration> = world.connects.iter().map(|it| it.0).collect();
    assert!((6..20).contains(&times.len()), "{times:?}");
    let pauses: Vec<Duration> = times.windows(2).map(|it| it[1] - it[0]).collect();
    assert!(pauses[0] <= Duration::from_secs(3), "{pauses:?}");
    let last = pauses.last().expect("some");
    assert!(*last >= Duration::from_secs(30), "{pauses:?}");
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(reason.contains("refused"), "{reason}");
    world.registrars[0].manner.is_dead = false;
    world.seconds(61);
    assert!(world.is_registered(), "found again");
}

#[test]
fn a_dead_first_target_leaves_the_second_over_udp() {
    let mut world = two_servers(&[Transport::Udp], "_sip._udp");
    world.registrars[0].manner.is_dead = true;
    world.apply();
    world.seconds(34);
    assert!(world.is_registered(), "{:?}", world.status);
    let first = world.sent.iter().filter(|it| it.1.port() == 5071).count();
    assert_eq!(first, 11, "timer F came before the second target");
    assert_eq!(world.registers(1).len(), 1);
}

#[test]
fn a_dead_first_target_leaves_the_second_over_tls_at_once() {
    let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
    world.registrars[0].manner.is_dead = true;
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    assert_eq!(world.registers(1).len(), 1);
    let references: Vec<_> = world
        .connects
        .iter()
        .map(|it| it.1.reference.clone())
        .collect();
    assert!(
        references.iter().all(|it| it.host == "sip.example"),
        "the name before SRV"
    );
    assert_eq!(references[1].srv_target, "two.example");
}

#[test]
fn a_503_moves_to_the_next_target() {
    let mut world = two_servers(&[Transport::Udp], "_sip._udp");
    world.registrars[0].manner.refuses = Some((503, Some(600)));
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    let branch = |registrar: usize| {
        let via = world.registers(registrar)[0].headers.via().expect("a Via");
        via.branch().map(str::to_owned)
    };
    assert_ne!(branch(0), branch(1), "RFC 3263 section 4.3: a new branch");
}

#[test]
fn a_500_moves_on_only_while_the_failover_conditions_say_so() {
    let mut world = two_servers(&[Transport::Udp], "_sip._udp");
    world.registrars[0].manner.refuses = Some((500, None));
    world.settings.sip_failover_conditions = demarc::sip::settings::FailoverConditions::parse("");
    world.apply();
    world.seconds(1);
    assert_eq!(world.registration("default").0, RegistrationState::Rejected);
    world.settings.sip_failover_conditions = Default::default();
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
}

#[test]
fn a_link_returns_to_its_first_target_once_that_is_back_and_lets_the_second_go_after_that() {
    let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
    world.registrars[0].manner.is_dead = true;
    world.apply();
    world.seconds(10);
    world.registrars[0].manner.is_dead = false;
    world.seconds(20);
    assert_eq!(world.registers(0).len(), 1, "registered there");
    assert_eq!(world.stream_ports("198.51.100.1:5071").len(), 1);
    assert!(
        world.stream_ports("198.51.100.2:5072").is_empty(),
        "the old stream went"
    );
    assert!(world.is_registered());
    let back = "back to sip.example:0 (TLS 198.51.100.1:5071)";
    assert!(
        world.notices.iter().any(|it| it.contains(back)),
        "{:?}",
        world.notices
    );
}

#[test]
fn the_fail_back_interval_says_when_the_first_target_is_tried_again() {
    for seconds in [15, 60] {
        let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
        world.settings.transport.failback_interval = seconds;
        world.registrars[0].manner.is_dead = true;
        world.apply();
        world.seconds(10);
        world.registrars[0].manner.is_dead = false;
        world.seconds(200);
        let tried: Vec<u64> = { world.connects.iter() }.map(|it| it.0.as_secs()).collect();
        assert_eq!(tried, [0, 0, u64::from(seconds)]);
        assert_eq!(world.registers(0).len(), 1);
    }
}

#[test]
fn over_udp_the_first_request_after_the_fail_back_interval_returns_to_the_first_target() {
    let mut world = two_servers(&[Transport::Udp], "_sip._udp");
    world.registrars[0].manner.is_dead = true;
    world.registrars[1].manner.grants = 100;
    world.apply();
    world.seconds(34);
    assert!(world.is_registered());
    world.registrars[0].manner.is_dead = false;
    world.seconds(50);
    assert_eq!(world.registers(0).len(), 1);
    assert!(world.notices.iter().any(|it| it.contains("back to sip")));
}

#[test]
fn the_penalty_box_keeps_a_failed_address_out() {
    let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
    world.settings.penalty_box.enable = true;
    world.registrars[0].manner.is_dead = true;
    world.apply();
    world.seconds(10);
    world.registrars[0].manner.is_dead = false;
    world.seconds(200);
    assert!(world.registers(0).is_empty(), "300 s are not over");
    world.seconds(150);
    assert_eq!(world.registers(0).len(), 1);
}

#[test]
fn an_unanswered_ping_ends_the_link_after_ten_seconds() {
    let mut world = tls_world(Manner::default());
    world.settings.keep_alive.method = KeepAliveMethod::Ping;
    world.apply();
    world.seconds(120);
    assert!(world.is_registered(), "pongs keep it");
    assert_eq!(world.connects.len(), 1);
    world.registrars[0].manner.is_dead = true;
    world.seconds(42);
    let told = { world.notices.iter() }.any(|it| it.contains("ping"));
    assert!(told, "{:?}", world.notices);
    let state = |world: &World| world.status.gateways[0].state;
    assert_eq!(state(&world), GatewayState::ServerUnreachable);
    world.registrars[0].manner.is_dead = false;
    world.seconds(60);
    assert_eq!(state(&world), GatewayState::Ready);
}

#[test]
fn keep_alive_options_find_out_that_a_server_is_gone_and_that_it_is_back() {
    let mut world = World::with(Manner::default());
    world.settings.keep_alive.method = KeepAliveMethod::SipOptions;
    world.settings.keep_alive.interval = 20;
    world.apply();
    world.seconds(61);
    let options = |world: &World| {
        let seen = &world.registrars[0].seen;
        seen.iter()
            .filter(|(_, it)| it.method == Method::Options)
            .count()
    };
    assert_eq!(options(&world), 3);
    world.registrars[0].manner.is_dead = true;
    world.seconds(60);
    let gateway = &world.status.gateways[0];
    assert_eq!(gateway.state.text(), "Server unreachable");
    assert!(
        gateway.reason.contains("SipKeepAliveMethod"),
        "{}",
        gateway.reason
    );
    world.registrars[0].manner.is_dead = false;
    world.seconds(25);
    assert_eq!(world.status.gateways[0].state, GatewayState::Ready);
}

#[test]
fn links_ask_the_system_for_tcp_keep_alive_and_a_change_opens_a_new_one_first() {
    let mut world = tls_world(Manner::default());
    world.settings.keep_alive.method = KeepAliveMethod::TcpKeepAlive;
    world.apply();
    world.seconds(2);
    world.settings.keep_alive.interval = 45;
    world.settings.keep_alive.retry = 5;
    world.apply();
    world.seconds(2);
    assert!(world.is_registered());
    let orders: Vec<_> = { world.connects.iter() }
        .map(|it| it.1.tcp_keep_alive.expect("wanted"))
        .map(|it| (it.interval.as_secs(), it.retry))
        .collect();
    assert_eq!(orders, [(30, 3), (45, 5)]);
    assert_eq!(world.stream_ports(SERVER), [16001], "the old one went");
}

#[test]
fn an_unresolvable_name_is_told() {
    let mut world = World::new();
    world.settings.registration.server_host = host("nowhere.example");
    world.apply();
    world.seconds(5);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(reason.contains("could not be resolved"), "{reason}");
}

#[test]
fn a_name_that_no_longer_resolves_is_concealed_where_the_settings_say_so() {
    for (concealment, comes_back) in [
        (DnsFailureConcealment::None, false),
        (DnsFailureConcealment::OnNoResolution, true),
    ] {
        let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
        world.settings.dns.failure_concealment = concealment;
        world.apply();
        world.seconds(1);
        assert!(world.is_registered());
        world.zone.clear();
        world.close_streams("198.51.100.1:5071");
        world.seconds(30);
        assert_eq!(world.status.ready, comes_back);
    }
}

#[test]
fn contact_enable_writes_the_transport_into_the_contacts_of_other_requests() {
    let mut world = tls_world(Manner::default());
    world.settings.keep_alive.method = KeepAliveMethod::SipOptions;
    let contact = |world: &World| {
        let (_, options) = world.registrars[0].seen.last().expect("some");
        assert_eq!(options.method, Method::Options);
        options
            .headers
            .text(&HeaderName::Contact)
            .unwrap_or_default()
    };
    world.apply();
    world.seconds(31);
    assert_eq!(contact(&world), "<sip:192.0.2.1:16000>");
    let config = world.transports("default", &[Transport::Tls]);
    config.contact_enable = true;
    world.apply();
    world.seconds(30);
    assert_eq!(contact(&world), "<sip:192.0.2.1:16000;transport=tls>");
}

#[test]
fn a_request_too_large_for_a_datagram_goes_by_tcp() {
    let mut world = World::with(Manner::default());
    world.transports("default", &[Transport::Udp, Transport::Tcp]);
    world.settings.unit.product = "x".repeat(1300);
    world.apply();
    world.seconds(1);
    assert!(world.is_registered(), "{:?}", world.status);
    let by: Vec<Transport> = world.registrars[0].seen.iter().map(|it| it.0).collect();
    assert_eq!(by, [Transport::Tcp]);
}
