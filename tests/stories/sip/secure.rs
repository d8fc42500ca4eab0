//! What is told of TLS: what was agreed on, since when, why not, and when again.

use std::time::Duration;

use demarc::sip::event::{Session, TlsRefusal};
use demarc::sip::status::{LinkState, LinkStatus};
use demarc::sip::transport::Transport;
use demarc::wire::time::UnixTime;

use super::links::two_servers;
use super::registrar::Manner;
use super::world::{World, host, socket};

const SERVER: &str = "198.51.100.1:5061";

fn session() -> Session {
    Session {
        version: "TLS 1.3".into(),
        cipher_suite: "TLS_AES_256_GCM_SHA384".into(),
        subject: "CN=sip.example".into(),
        expiry: Some(UnixTime::from_secs(1_800_000_000)),
    }
}

fn refusal() -> TlsRefusal {
    TlsRefusal {
        reason: "sip.example: CN=sip.example expired".into(),
        steps: vec!["certificate 1 of 1: CN=sip.example".into()],
    }
}

fn world(manner: Manner) -> World {
    let mut world = World::new();
    world.add_registrar(SERVER, manner);
    world.settings.registration.server_host = host(SERVER);
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(1);
    world
}

fn link(world: &World) -> &LinkStatus {
    &world.status.links[0]
}

#[test]
fn a_link_that_is_up_shows_its_session_and_since_when() {
    let mut world = world(Manner {
        session: Some(session()),
        ..Manner::default()
    });
    let up = link(&world).clone();
    assert_eq!(up.session, Some(session()));
    assert_eq!((up.attempts, up.next_attempt), (1, None));
    let age = world.now() - up.since.expect("told");
    assert!(age > Duration::from_millis(900) && age < Duration::from_secs(1));
    world.seconds(100);
    assert_eq!(link(&world).since, up.since, "it did not change");
}

#[test]
fn a_link_that_is_down_shows_its_attempts_and_the_next() {
    let mut world = world(Manner {
        session: Some(session()),
        ..Manner::default()
    });
    world.registrars[0].manner.is_dead = true;
    world.close_streams(SERVER);
    world.seconds(200);
    let down = link(&world).clone();
    assert_eq!((down.state, down.session), (LinkState::Down, None));
    let tried = world.connects.len() - 1;
    assert_eq!(down.attempts as usize, tried);
    let next = down.next_attempt.expect("it is tried again");
    world.run(next - world.now());
    assert_eq!(link(&world).state, LinkState::WaitingUp);
    world.registrars[0].manner.is_dead = false;
    world.seconds(100);
    let up = link(&world);
    assert_eq!(
        (up.state, up.attempts as usize),
        (LinkState::Up, world.connects.len() - 1)
    );
}

#[test]
fn a_refused_handshake_is_told_step_by_step_and_once() {
    let world = world(Manner {
        refuses_tls: Some(refusal()),
        ..Manner::default()
    });
    let at = "gateway default: TLS with 198.51.100.1:5061 (TLS 198.51.100.1:5061)";
    let step = format!("{at}: certificate 1 of 1: CN=sip.example");
    let refused = format!("{at} refused: sip.example: CN=sip.example expired");
    let told: Vec<&String> = { world.notices.iter() }
        .filter(|it| it.contains("TLS with"))
        .collect();
    assert_eq!(told, [&step, &refused]);
    assert!(!world.notices.iter().any(|it| it.contains("is down")));
    assert!(link(&world).reason.contains("expired"));
}

#[test]
fn a_primary_that_refuses_tls_is_told_at_each_attempt_to_return_to_it() {
    let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
    world.registrars[0].manner.refuses_tls = Some(refusal());
    world.apply();
    world.seconds(40);
    assert!(world.is_registered());
    let attempts = { world.connects.iter() }
        .filter(|it| it.1.peer == socket("198.51.100.1:5071"))
        .count();
    let told = { world.notices.iter() }
        .filter(|it| it.contains("refused: "))
        .count();
    assert_eq!((attempts, told), (3, 3));
}
