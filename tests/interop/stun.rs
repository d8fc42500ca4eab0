//! coturn as the STUN server, and an ACS that asks for sessions by datagrams.
//!
//! Sessions are counted on the server's record.

use crate::bench::acs::Acs;
use crate::bench::net::{Space, Unit, is_inside, shell};
use crate::bench::{Device, Folder, Running, eventually, free_tcp_port, free_udp_port};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::net::UdpSocket;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A STUN server at these addresses.
fn coturn(folder: &Folder, addresses: &[&str], port: u16, more: &[&str]) -> Running {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut command = Command::new("turnserver");
    command.args(["-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls"]);
    command.args(["--no-tcp", "--log-file", "stdout", "--pidfile"]);
    command.args([&path("coturn.pid"), "--db", &path("coturn.db")]);
    command.args(["--listening-port", &port.to_string()]);
    for address in addresses {
        command.args(["--listening-ip", address]);
    }
    let server = Running::start(command.args(more), folder.path().join("coturn.log"));
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port");
    let patience = Some(Duration::from_millis(200));
    socket.set_read_timeout(patience).expect("a timeout");
    let hello = b"\x00\x01\x00\x00\x21\x12\xa4\x42is it there?";
    eventually("coturn answers", LIMIT, || {
        let _ = socket.send_to(hello, (addresses[0], port));
        socket.recv(&mut [0; 512]).ok()
    });
    server
}

/// A device that asks this STUN server.
fn device(folder: &Folder, acs: &Acs, stun: u16, more: &[&str]) -> Device {
    let url = format!("Cwmp.AcsStaticUrl={}", acs.url());
    let port = format!("Cwmp.ListeningPort={}", free_tcp_port());
    let sip = format!("SipEp.Gateway[Name=default].Port={}", free_udp_port());
    let server = format!("Cwmp.Tr111StunServerHost=127.0.0.1:{stun}");
    let mut settings = vec![
        "Cwmp.AcsUrlConfigSource=static",
        "Cwmp.Tr111StunEnable=enable",
        &url,
        &port,
        &sip,
        &server,
    ];
    settings.extend(more);
    Device::start(folder, &settings)
}

/// A request as an ACS signs it.
fn letter(user: &str, password: &str, stamp: u64, id: u64) -> String {
    let text = format!("{stamp}{id}{user}XTGR");
    let key = PKey::hmac(password.as_bytes()).expect("a key");
    let mut signer = Signer::new(MessageDigest::sha1(), &key).expect("SHA-1");
    let signed = signer.sign_oneshot_to_vec(text.as_bytes()).expect("signed");
    let sig: String = signed.iter().map(|octet| format!("{octet:02x}")).collect();
    format!(
        "GET http://unit?ts={stamp}&id={id}&un={user}&cn=XTGR&sig={sig} HTTP/1.1\r\n\
         Host: unit\r\n\r\n"
    )
}

/// Three copies of it, as TR-069 has them sent.
fn send(to: &str, letter: &str) {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port");
    for _ in 0..3 {
        let sent = socket.send_to(letter.as_bytes(), to);
        sent.expect("sent");
    }
}

fn address(device: &Device) -> String {
    eventually("the server has said the address", LIMIT, || {
        (device.get("Cwmp.Tr111StunStatus") == "connected").then_some(())
    });
    device.get("Cwmp.UdpConnectionRequestAddress")
}

#[test]
fn three_copies_of_a_udp_request_open_one_session_and_what_was_overheard_none() {
    let folder = Folder::new("stun");
    let (acs, port) = (Acs::open(), free_udp_port());
    let _server = coturn(&folder, &["127.0.0.1"], port, &[]);
    let mut device = device(&folder, &acs, port, &[]);
    acs.ended(1);
    let to = address(&device);
    let listening = device.get("Cwmp.ConnectionRequestUrl");
    assert!(listening.starts_with(&format!("http://{to}/")), "{to}");
    assert_eq!(device.get("Cwmp.Tr111NatDetected"), "no");
    let user = device.secret("acs-connection-request-user");
    let password = device.secret("acs-connection-request-password");
    send(&to, &letter(&user, &password, 1_170_000_000, 7));
    acs.ended(2);
    assert_eq!(acs.informs()[1].events(), ["6 CONNECTION REQUEST"]);
    assert_eq!(device.get("Cwmp.LastUdpConnectionRequest"), "1170000000");
    // The copies and the same again are nothing, and so they are after a restart.
    send(&to, &letter(&user, &password, 1_170_000_000, 7));
    device.kill_and_restart();
    acs.ended(3);
    assert_eq!(address(&device), to);
    send(&to, &letter(&user, &password, 1_170_000_000, 7));
    send(&to, &letter(&user, &password, 1_169_999_999, 8));
    sleep(Duration::from_secs(2));
    assert_eq!(acs.informs().len(), 3);
    send(&to, &letter(&user, &password, 1_170_000_001, 9));
    acs.ended(4);
    assert_eq!(acs.informs()[3].events(), ["6 CONNECTION REQUEST"]);
    let shown = device.done(&["cwmp"]);
    assert!(shown.contains(&format!("and by UDP at  {to}")), "{shown}");
    acs.judges_every_envelope(&folder);
}

#[test]
fn strangers_get_no_session_and_a_flood_of_them_two_lines_in_the_log() {
    let folder = Folder::new("stun");
    let (acs, port) = (Acs::open(), free_udp_port());
    let _server = coturn(&folder, &["127.0.0.1"], port, &[]);
    let device = device(&folder, &acs, port, &[]);
    acs.ended(1);
    let to = address(&device);
    let user = device.secret("acs-connection-request-user");
    let password = device.secret("acs-connection-request-password");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let mut hostile: Vec<Vec<u8>> = vec![
        letter(&user, "guess", 2_000_000_000, 1).into_bytes(),
        letter("admin", &password, 2_000_000_000, 2).into_bytes(),
        letter(&user, &password, 2_000_000_000, 3)
            .replace("id=3", "id=4")
            .into_bytes(),
        letter(&user, &password, 2_000_000_000, 3)
            .replace("HTTP/1.1", &"x".repeat(9000))
            .into_bytes(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 1400],
        Vec::new(),
    ];
    // Answers that nobody asked for, of a binding that is none.
    hostile.push(b"\x01\x01\x00\x0c\x21\x12\xa4\x42abcdefghijkl\x00\x01\x00\x08\x00\x01\x00\x06\x06\x06\x06\x06".to_vec());
    for octets in hostile.iter().cycle().take(20_000) {
        let _ = socket.send_to(octets, &to);
    }
    send(&to, &letter(&user, &password, 1_170_000_000, 7));
    let welcome = eventually("who may is heard", LIMIT, || {
        // What the flood pushes out of the socket's room is sent again.
        send(&to, &letter(&user, &password, 1_170_000_000, 7));
        acs.informs().get(1).cloned()
    });
    assert_eq!(welcome.events(), ["6 CONNECTION REQUEST"]);
    sleep(Duration::from_secs(1));
    assert_eq!(acs.informs().len(), 2);
    assert_eq!(device.get("Cwmp.UdpConnectionRequestAddress"), to);
    let log = device.done(&["log"]);
    let lines = log.lines();
    let lines = lines.filter(|line| line.contains("UDP connection request from"));
    assert!((1..=2).contains(&lines.count()), "{log}");
}

#[test]
fn a_server_that_asks_who_this_is_gets_the_credentials_that_are_set() {
    let folder = Folder::new("stun");
    let (acs, port) = (Acs::open(), free_udp_port());
    let guarded = ["--secure-stun", "--lt-cred-mech", "--realm", "stun.test"];
    let more = [&guarded[..], &["--user", "unit:pw-of-unit"]].concat();
    let _server = coturn(&folder, &["127.0.0.1"], port, &more);
    let device = device(&folder, &acs, port, &[]);
    let reason = |words: &str| {
        eventually(words, LIMIT, || {
            let reason = device.get("Cwmp.StunStatusReason");
            reason.contains(words).then_some(())
        });
    };
    reason("set Cwmp.Tr111StunUsername and Cwmp.StunPassword");
    device.done(&["set", "Cwmp.Tr111StunUsername=unit", "Cwmp.StunPassword=x"]);
    reason("refuses the credentials");
    device.done(&["set", "Cwmp.StunPassword=pw-of-unit"]);
    let to = address(&device);
    let listening = device.get("Cwmp.ConnectionRequestUrl");
    assert!(listening.starts_with(&format!("http://{to}/")), "{to}");
    let shown = device.done(&["cwmp", "--json"]);
    assert!(!shown.contains("pw-of-unit"));
}

#[test]
fn behind_a_gateway_the_binding_is_kept_for_as_long_as_the_gateway_does_and_requests_come_in() {
    if !is_inside(
        "stun::behind_a_gateway_the_binding_is_kept_for_as_long_as_the_gateway_does_and_requests_come_in",
    ) {
        return;
    }
    let folder = Folder::new("stun");
    let (gateway, home) = (
        Space::new(folder.path(), "gateway"),
        Space::new(folder.path(), "home"),
    );
    // Outside are the ACS and coturn, at 203.0.113.1; the unit is 10.0.0.2.
    shell(&format!(
        "ip link set lo up
         ip link add out type veth peer name wan netns {gateway}
         ip addr add 203.0.113.1/24 dev out
         ip addr add 203.0.113.3/24 dev out
         ip link set out up",
        gateway = gateway.pid()
    ));
    gateway.shell(&format!(
        "ip link add lan type veth peer name eth netns {home}
         ip addr add 203.0.113.2/24 dev wan
         ip addr add 10.0.0.1/24 dev lan
         ip link set wan up
         ip link set lan up
         echo 1 >/proc/sys/net/ipv4/ip_forward
         nft add table ip nat
         nft 'add chain ip nat out {{ type nat hook postrouting priority 100; }}'
         nft add rule ip nat out oifname wan udp dport 1-65535 masquerade to :40000-50000
         nft add rule ip nat out oifname wan masquerade
         echo 7 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout
         echo 7 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream",
        home = home.pid()
    ));
    home.shell(
        "ip addr add 10.0.0.2/24 dev eth
         ip link set eth up
         ip route add default via 10.0.0.1",
    );
    let acs = Acs::everywhere();
    let mut server = coturn(&folder, &["203.0.113.1", "203.0.113.3"], 3478, &[]);
    let url = acs.url().replace("127.0.0.1", "203.0.113.1");
    let unit = Unit::start(
        &home,
        folder.path(),
        &[
            "Bni.NetworkInterfaces[Idx=3].InterfaceName=Wan",
            "Bni.NetworkInterfaces[Idx=3].LinkName=eth",
            "Bni.NetworkInterfaces[Idx=3].StaticIpAddr=10.0.0.2/24",
            "Bni.NetworkInterfaces[Idx=3].Activation=enable",
            "Cwmp.NetworkInterface=Wan",
            "Cwmp.AcsUrlConfigSource=static",
            "Cwmp.Tr111StunEnable=enable",
            "Cwmp.Tr111StunKeepAlivePeriod=2-20",
            &format!("Cwmp.AcsStaticUrl={url}"),
        ],
    );
    acs.ended(1);
    assert_eq!(acs.informs()[0].from.to_string(), "203.0.113.2");
    eventually("the gateway is seen", LIMIT, || {
        let to = unit.get("Cwmp.UdpConnectionRequestAddress");
        to.starts_with("203.0.113.2:").then_some(())
    });
    assert_eq!(unit.get("Cwmp.Tr111NatDetected"), "yes");
    // Four seconds do, eight do not: the gateway forgets after seven.
    let minute = Duration::from_secs(60);
    eventually("four seconds do", minute, || {
        (unit.get("Cwmp.StunBindingPeriod") == "4").then_some(())
    });
    sleep(Duration::from_secs(8 + 4 + 4));
    assert_eq!(unit.get("Cwmp.StunBindingPeriod"), "4");
    let to = unit.get("Cwmp.UdpConnectionRequestAddress");
    // This gateway lets in only what comes from where the STUN server is: the ACS
    // of annex G sends from there.
    server.kill();
    let asking = UdpSocket::bind("203.0.113.1:3478").expect("coturn's port");
    let user = unit.secret("acs-connection-request-user");
    let password = unit.secret("acs-connection-request-password");
    for _ in 0..3 {
        let letter = letter(&user, &password, 1_170_000_000, 7);
        asking.send_to(letter.as_bytes(), &to).expect("sent");
    }
    acs.ended(2);
    assert_eq!(acs.informs()[1].events(), ["6 CONNECTION REQUEST"]);
}
