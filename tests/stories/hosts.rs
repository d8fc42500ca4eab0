//! The device's own hosts, as a gateway goes by them.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use demarc::sip::message::{HeaderName, Message, Response, StatusCode};

use crate::services::{Folder, World, eventually};

/// A registrar over UDP that grants everything, until its port is asked for no more.
struct Registrar {
    port: u16,
    heard: Arc<AtomicU32>,
}

impl Registrar {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("bound").port();
        let patience = Some(Duration::from_secs(60));
        socket.set_read_timeout(patience).expect("a timeout");
        let heard = Arc::new(AtomicU32::new(0));
        let count = heard.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::Relaxed);
                let _ = socket.send_to(&granted(&buffer[..length]), peer);
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> u32 {
        self.heard.load(Ordering::Relaxed)
    }
}

fn granted(request: &[u8]) -> Vec<u8> {
    let Ok(Message::Request(request)) = Message::parse(request) else {
        return Vec::new();
    };
    let mut response = Response::answering(&request, StatusCode::OK, Some("tag"));
    let contact = HeaderName::Contact;
    response.headers.copy(&contact, &request.headers);
    response.to_bytes()
}

#[test]
fn a_gateway_leaves_an_address_whose_row_is_deleted_and_takes_the_one_of_a_new_row() {
    let registrar = Registrar::new();
    let server = format!(
        "SipEp.DefaultStaticRegistrarServerHost=sip.example:{}",
        registrar.port
    );
    let settings = [
        "Hoc.DnsServersConfigSource=static",
        "Hoc.StaticHosts[Index=1].Name=sip.example",
        "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
        "SipEp.UserAgent[EpId=Port01].Username=1000",
        "SipEp.UserAgent[EpId=Port01].Register=enable",
        &server,
    ];
    let folder = Folder::new();
    let world = World::boot(&folder, &settings);
    let ready = |state: &str| eventually(state, || world.read("SipEp.ReadyLed") == state);
    ready("on");
    world
        .set("Hoc.StaticHosts[Index=1].Delete", "delete")
        .expect("granted");
    ready("off");
    let heard = registrar.heard();
    world
        .set("SipEp.UserAgent[EpId=Port01].FriendlyName", "another")
        .expect("granted");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(registrar.heard(), heard, "it was deleted");
    world
        .set("Hoc.StaticHosts[Index=2].Name", "sip.example")
        .expect("granted");
    world
        .set("Hoc.StaticHosts[Index=2].IpAddresses", "127.0.0.1")
        .expect("granted");
    ready("on");
    assert!(registrar.heard() > heard);
    world.end();
}
