//! BIND as the name server: what it was asked, in which order and how often,
//! and where that led.

use crate::bench::{Device, Folder, Kamailio, LINKS, REGISTRATIONS, Running, Stub, eventually};
use crate::bench::{free_tcp_port, grant, run};
use std::collections::HashMap;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A name server for the zone `sip.test`, on an address of its own.
struct Named<'a> {
    folder: &'a Folder,
    address: String,
    process: Running,
    ended: Arc<AtomicBool>,
}

impl<'a> Named<'a> {
    fn start(folder: &'a Folder, last: u8, records: &str) -> Self {
        let address = format!("127.0.53.{last}");
        let path = folder.path().display().to_string();
        let port = free_tcp_port();
        write_zone(folder, 1, records);
        let config = format!(
            r#"options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; querylog yes; }};
controls {{ }};
zone "sip.test" {{ type primary; file "{path}/zone"; }};
"#
        );
        let file = folder.file("named.conf", &config);
        let mut command = Command::new("named");
        command.args(["-g", "-n", "1", "-c"]).arg(file);
        let process = Running::start(&mut command, folder.path().join("named.log"));
        let ended = Arc::new(AtomicBool::new(false));
        relay(&address, port, Arc::clone(&ended));
        let named = Self {
            folder,
            address,
            process,
            ended,
        };
        eventually("named runs", LIMIT, || {
            named.process.said().contains(" running").then_some(())
        });
        named
    }

    /// Other records from now on.
    fn changes(&self, records: &str) {
        write_zone(self.folder, 2, records);
        run(Command::new("kill").args(["-HUP", &self.process.pid().to_string()]));
        eventually("named has the new zone", LIMIT, || {
            self.process
                .said()
                .contains("loaded serial 2")
                .then_some(())
        });
    }

    /// The questions so far: seconds of the day, name and type.
    fn asked(&self) -> Vec<(f64, String)> {
        let said = self.process.said();
        let questions = said.lines().filter_map(|line| {
            let (before, after) = line.split_once(" query: ")?;
            let mut time = before.split_whitespace().nth(1)?.split(':');
            let mut part = || time.next()?.parse::<f64>().ok();
            let at = part()? * 3600.0 + part()? * 60.0 + part()?;
            let mut words = after.split_whitespace();
            let name = words.next()?.to_lowercase();
            Some((at, format!("{} {name}", words.nth(1)?)))
        });
        questions.collect()
    }

    /// Whether the first of these questions were asked in this order.
    fn was_asked_in_order(&self, questions: &[&str]) {
        let asked = self.asked();
        let places = questions.iter().map(|it| {
            let place = asked.iter().position(|(_, question)| question == it);
            place.unwrap_or_else(|| panic!("not asked: {it}; asked: {asked:?}"))
        });
        let places: Vec<usize> = places.collect();
        assert!(places.is_sorted(), "{questions:?} in {asked:?}");
    }

    /// A device that asks here and registers at `server`.
    fn device(&self, server: &str, more: &[&str]) -> Device {
        let address = format!(
            "Hoc.StaticDnsServers[Priority=1].IpAddress={}",
            self.address
        );
        let own = [
            "Hoc.DnsServersConfigSource=static",
            &address,
            "Hoc.StaticHosts[Index=1].Name=unused.test",
        ];
        Device::registering(self.folder, server, &[&own, more].concat())
    }
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// A device asks at port 53, and BIND listens only on addresses that an
/// interface has: octets are carried between the two, unread.
fn relay(address: &str, port: u16, ended: Arc<AtomicBool>) {
    let front = UdpSocket::bind((address, 53)).expect("port 53 of a loopback address");
    let back = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    back.connect(("127.0.0.1", port)).expect("connected");
    let tick = Some(Duration::from_millis(20));
    front.set_read_timeout(tick).expect("a timeout");
    back.set_read_timeout(tick).expect("a timeout");
    thread::spawn(move || {
        let mut octets = [0; 4096];
        // Who asked, by the id of the question.
        let mut asking = HashMap::new();
        while !ended.load(Ordering::Relaxed) {
            if let Ok((length, peer)) = front.recv_from(&mut octets) {
                asking.insert([octets[0], octets[1]], peer);
                let _ = back.send(&octets[..length]);
            }
            if let Ok(length) = back.recv(&mut octets)
                && let Some(peer) = asking.get(&[octets[0], octets[1]])
            {
                let _ = front.send_to(&octets[..length], peer);
            }
        }
    });
}

fn write_zone(folder: &Folder, serial: u32, records: &str) {
    let head =
        format!("$ORIGIN sip.test.\n@ 6 SOA ns hostmaster {serial} 60 60 600 5\n@ 6 NS ns\n");
    folder.file("zone", &format!("{head}ns 6 A 127.0.0.1\n{records}"));
}

/// NAPTR to SRV, whose first target is dead and whose second is `port`.
fn two_targets(service: &str, labels: &str, port: u16) -> String {
    records(service, labels, free_tcp_port(), port)
}

fn records(service: &str, labels: &str, dead: u16, port: u16) -> String {
    format!(
        r#"@ 60 NAPTR 10 10 "s" "{service}" "" {labels}.sip.test.
{labels} 60 SRV 1 0 {dead} dead.sip.test.
{labels} 60 SRV 2 0 {port} live.sip.test.
dead 60 A 127.0.0.1
live 60 A 127.0.0.1
"#
    )
}

#[test]
fn naptr_leads_to_srv_and_past_a_dead_target_over_tcp() {
    let folder = Folder::new("dns-tcp");
    let kamailio = Kamailio::start(&folder);
    let tcp = two_targets("SIP+D2T", "_sip._tcp", kamailio.clear);
    let udp = "@ 60 NAPTR 20 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.sip.test.\n";
    let named = Named::start(&folder, 1, &(tcp + udp));
    let both = ["SipEp.TransportConfig[GatewayName=default].TcpEnable=enable"];
    let _device = named.device("sip.test:0", &both);
    kamailio.registered_by("tcp", LIMIT);
    named.was_asked_in_order(&[
        "NAPTR sip.test",
        "SRV _sip._tcp.sip.test",
        "A dead.sip.test",
        "A live.sip.test",
    ]);
}

#[test]
fn the_first_target_is_gone_back_to_once_it_is_there() {
    let folder = Folder::new("dns-back");
    let kamailio = Kamailio::start(&folder);
    let first = free_tcp_port();
    let zone = records("SIP+D2T", "_sip._tcp", first, kamailio.clear);
    let named = Named::start(&folder, 7, &zone);
    let settings = [
        "SipEp.TransportConfig[GatewayName=default].TcpEnable=enable",
        "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        "SipEp.TransportFailbackInterval=5",
    ];
    let _device = named.device("sip.test:0", &settings);
    kamailio.registered_by("tcp", LIMIT);
    Stub::tcp_at(first, grant).registers();
}

#[test]
fn naptr_leads_to_srv_and_past_a_silent_target_over_udp() {
    let folder = Folder::new("dns-udp");
    let kamailio = Kamailio::start(&folder);
    let named = Named::start(
        &folder,
        2,
        &two_targets("SIP+D2U", "_sip._udp", kamailio.clear),
    );
    let _device = named.device("sip.test:0", &["SipEp.InteropTransmissionTimeout=2"]);
    kamailio.registered_by("udp", LIMIT);
    named.was_asked_in_order(&[
        "NAPTR sip.test",
        "SRV _sip._udp.sip.test",
        "A live.sip.test",
    ]);
}

#[test]
fn over_tls_the_certificate_is_that_of_the_domain_and_not_of_the_srv_target() {
    let folder = Folder::new("dns-tls");
    let kamailio = Kamailio::start(&folder);
    let zone = two_targets("SIPS+D2T", "_sips._tcp", kamailio.tls);
    let named = Named::start(&folder, 3, &zone);
    let tls = [
        "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable",
        "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        "SipEp.InteropForceDnsNaptrInTls=enable",
    ];
    let device = named.device("sip.test:0", &tls);
    device.trusts("ca.pem", &kamailio.ca("ca.crt"));
    kamailio.registered_by("tls", LIMIT);
    named.was_asked_in_order(&[
        "NAPTR sip.test",
        "SRV _sips._tcp.sip.test",
        "A live.sip.test",
    ]);
}

#[test]
fn an_answer_holds_for_its_time_and_then_the_registration_follows_the_new_one() {
    let folder = Folder::new("dns-ttl");
    let kamailio = Kamailio::start(&folder);
    let stub = Stub::udp(grant);
    let at = |port: u16| format!("_sip._udp 6 SRV 1 0 {port} here.sip.test.\nhere 6 A 127.0.0.1\n");
    let named = Named::start(&folder, 4, &at(stub.port));
    let queries = ["SipEp.SupportedDnsQueries=srv"];
    let _device = named.device("sip.test:0", &queries);
    stub.registers();
    named.changes(&at(kamailio.clear));
    kamailio.registered_by("udp", LIMIT);
    let asked = named.asked().into_iter();
    let times: Vec<f64> = asked
        .filter(|(_, question)| question == "SRV _sip._udp.sip.test")
        .map(|(at, _)| at)
        .collect();
    // Midnight is not worth more than this.
    let pause = (times[1] - times[0]).rem_euclid(86_400.0);
    assert!((5.5..9.0).contains(&pause), "{times:?}");
}

#[test]
fn a_name_that_does_not_exist_is_named_with_what_to_look_at() {
    let folder = Folder::new("dns-nosuch");
    let kamailio = Kamailio::start(&folder);
    let port = kamailio.clear;
    let records = format!("_sip._udp 60 SRV 1 0 {port} here.sip.test.\nhere 60 A 127.0.0.1\n");
    let named = Named::start(&folder, 5, &records);
    let device = named.device("nosuch.sip.test:0", &[]);
    let registrar = "SipEp.DefaultStaticRegistrarServerHost";
    let words = [
        "nosuch.sip.test",
        "could not be resolved",
        registrar,
        "Hoc.StaticDnsServers",
    ];
    device.complains(REGISTRATIONS, &words);
    device.snmpset(&[(registrar, "s", "sip.test:0")]);
    kamailio.registered_by("udp", LIMIT);
    assert_eq!(
        device.done(&["walk", LINKS]),
        "",
        "datagrams have no link to show"
    );
}

#[test]
fn a_name_server_that_does_not_answer_is_named_and_another_one_is_asked_at_once() {
    let folder = Folder::new("dns-silent");
    let kamailio = Kamailio::start(&folder);
    let named = Named::start(
        &folder,
        6,
        &two_targets("SIP+D2U", "_sip._udp", kamailio.clear),
    );
    let first = "Hoc.StaticDnsServers[Priority=1].IpAddress";
    let more = [
        &format!("{first}=127.0.53.99"),
        "SipEp.InteropTransmissionTimeout=2",
    ];
    let device = named.device("sip.test:0", &more);
    let words = [
        "sip.test",
        "no name server answered",
        "Hoc.StaticDnsServers",
    ];
    device.complains(REGISTRATIONS, &words);
    device.snmpset(&[(first, "s", &named.address)]);
    kamailio.registered_by("udp", Duration::from_secs(8));
}
