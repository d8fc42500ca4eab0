//! What each object of UDP connection requests changes.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use demarc::north::cwmp::letterbox::{Letterbox, Verdict};
use demarc::north::cwmp::settings::Settings;
use demarc::schema::Value;
use demarc::tree::Configured;
use demarc::wire::stun::integrity::{Form, Key};
use demarc::wire::stun::{Attribute, Class, Message};

use crate::cwmp::world::World as Wire;
use crate::services::{Folder, World, eventually, free_port};

/// A STUN server on the wire that wants a short-term password where it has one.
struct Server {
    socket: UdpSocket,
    password: Option<&'static [u8]>,
}

impl Server {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let patience = Some(Duration::from_secs(20));
        socket.set_read_timeout(patience).expect("a timeout");
        Self {
            socket,
            password: None,
        }
    }

    fn host(&self) -> String {
        self.socket.local_addr().expect("bound").to_string()
    }

    /// Answers the next request: what was in it, and from whom.
    fn serves(&self) -> (Message, SocketAddr) {
        let mut octets = [0; 2048];
        let (length, from) = self.socket.recv_from(&mut octets).expect("a request");
        let octets = &octets[..length];
        let request = Message::parse(octets).expect("a message");
        let key = self
            .password
            .map(|password| Key::short(password, Form::Padded));
        let proven = key.as_ref().is_none_or(|key| key.proves(octets));
        let answer = Message {
            class: if proven { Class::Success } else { Class::Error },
            id: request.id,
            attributes: match proven {
                true => vec![Attribute::MappedAddress(([192, 0, 2, 7], 4000).into())],
                false => vec![Attribute::ErrorCode(401, "Who?".to_owned())],
            },
        };
        let answer = answer.print(key.as_ref());
        self.socket.send_to(&answer, from).expect("sent");
        (request, from)
    }

    /// Until a request that is so.
    fn serves_until(&self, is: impl Fn(&Message) -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !is(&self.serves().0) {
            assert!(Instant::now() < until, "it never came");
        }
    }
}

#[test]
pub(crate) fn a_binding_is_kept_at_the_server_and_as_often_as_set() {
    let (one, mut two) = (Server::new(), Server::new());
    let folder = Folder::new();
    let port = free_port();
    let world = World::boot(
        &folder,
        &[
            "Cwmp.AcsUrlConfigSource=static",
            "Cwmp.AcsStaticUrl=http://127.0.0.1:1/",
            &format!("Cwmp.ListeningPort={port}"),
        ],
    );
    let address = || world.read("Cwmp.UdpConnectionRequestAddress");
    eventually("the service runs", || {
        world.read("Cwmp.Tr111StunStatus") == "disabled"
    });
    assert_eq!(address(), "");
    let set = |name: &str, value: &str| world.set(name, value).expect("granted");
    set("Cwmp.Tr111StunServerHost", &one.host());
    set("Cwmp.Tr111StunEnable", "enable");
    let (request, from) = one.serves();
    assert_eq!(from.to_string(), format!("127.0.0.1:{port}"));
    assert_eq!(request.attributes, [Attribute::ConnectionRequestBinding]);
    eventually("it is shown", || address() == "192.0.2.7:4000");
    assert_eq!(world.read("Cwmp.Tr111NatDetected"), "yes");
    one.serves_until(|it| it.attributes.contains(&Attribute::BindingChange));
    eventually("it is told how often", || {
        world.read("Cwmp.StunBindingPeriod") == "60"
    });
    // Every second now, at another server, which asks who this is.
    set("Cwmp.Tr111StunKeepAlivePeriod", "1-1");
    let before = Instant::now();
    for _ in 0..3 {
        one.serves();
    }
    assert!(before.elapsed() < Duration::from_secs(10));
    two.password = Some(b"secret");
    set("Cwmp.Tr111StunServerHost", &two.host());
    two.serves();
    eventually("it says what is missing", || {
        let reason = world.read("Cwmp.StunStatusReason");
        reason.contains("set Cwmp.Tr111StunUsername and Cwmp.StunPassword")
    });
    set("Cwmp.StunPassword", "secret");
    two.serves();
    set("Cwmp.Tr111StunUsername", "unit");
    let named = Attribute::Username(b"unit".to_vec());
    two.serves_until(|it| it.attributes.contains(&named));
    eventually("it is taken", || {
        world.read("Cwmp.Tr111StunStatus") == "connected"
    });
    set("Cwmp.StunPassword", "another");
    two.serves_until(|it| it.attributes.contains(&named));
    two.serves_until(|it| it.attributes.contains(&named));
    eventually("it is not taken", || {
        let reason = world.read("Cwmp.StunStatusReason");
        reason.contains("refuses the credentials")
    });
    set("Cwmp.Tr111StunEnable", "disable");
    eventually("it is off", || address().is_empty());
    world.end();
}

#[test]
pub(crate) fn a_udp_connection_request_proves_something_unless_that_is_set() {
    let mut wire = Wire::new();
    wire.assign("Cwmp.Tr111StunEnable", Value::Integer(1));
    wire.assign("Cwmp.ConnectionRequestUsername", "acs".into());
    let taken = |wire: &Wire| {
        let settings = Settings::read(&wire.tree.snapshot());
        let sig = "0".repeat(40);
        let letter = format!("GET http://h?ts=1&id=1&un=x&cn=c&sig={sig} HTTP/1.1\r\n\r\n");
        let stun = settings.stun.expect("on");
        let from = ([127, 0, 0, 1], 9).into();
        let verdict = Letterbox::new(0).judge(
            Instant::now(),
            &settings.requests,
            &stun,
            from,
            letter.as_bytes(),
        );
        matches!(verdict, Verdict::Welcome(_))
    };
    assert!(!taken(&wire));
    let name = "Cwmp.InteropAllowUnauthenticatedUDPConnectionRequests";
    wire.assign(name, Value::Integer(1));
    assert!(taken(&wire));
}
