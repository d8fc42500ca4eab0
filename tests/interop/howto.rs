//! The how-to and the README, run as they stand: each command of theirs, in
//! order, against a fresh device and a real Kamailio, and compared with what
//! the page says that it prints. Kamailio's location table has the last word.

use crate::bench::{free_tcp_port, free_udp_port, run};
use crate::page::{Page, text};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The contact that Kamailio holds, and the socket that it came by.
fn located(page: &Page) -> Vec<(String, String)> {
    let socket = format!("unix:{}/kamailio_ctl", page.folder().path().display());
    let text = run(Command::new("kamcmd").args(["-s", &socket, "ul.dump"]));
    let values = |key: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key));
        lines.map(|value| value.trim().to_owned()).collect()
    };
    values("Address:")
        .into_iter()
        .zip(values("Socket:"))
        .collect()
}

/// What a device is started with so that it disturbs no other on this machine.
fn elsewhere(snmp: u16, base: u16) -> Vec<String> {
    vec![
        format!("Snmp.Port={snmp}"),
        format!("SipEp.Gateway[Name=default].Port={}", free_udp_port()),
        format!("SipEp.Gateway[Name=default].SecurePort={}", free_tcp_port()),
        format!("SipEp.TransportPersistentBasePort={base}"),
    ]
}

/// The base of the persistent links, within its range.
fn base_port() -> u16 {
    free_tcp_port().clamp(1025, 64_000)
}

fn walk_the_how_to(tongue: &str, at_least: usize) {
    let (snmp, base, tls) = (free_udp_port(), base_port(), free_tcp_port());
    let smi = std::env::var("DEMARC_SMI").expect("DEMARC_SMI names a folder with SNMPv2-SMI");
    let mut page = Page::of(
        &text("docs/how-to.md"),
        &[
            ("127.0.0.1:1161", format!("127.0.0.1:{snmp}")),
            ("15060", free_tcp_port().to_string()),
            ("15061", tls.to_string()),
            ("16000", base.to_string()),
            ("17546", free_tcp_port().to_string()),
            ("17547", free_tcp_port().to_string()),
            ("17548", free_tcp_port().to_string()),
            ("17549", free_tcp_port().to_string()),
            ("11123", free_udp_port().to_string()),
            ("11124", free_udp_port().to_string()),
            ("/usr/share/snmp/mibs/ietf", smi),
        ],
    );
    page.with_demarc(&elsewhere(snmp, base));
    let commands = page.walk(tongue);
    assert!(commands >= at_least, "only {commands} commands");
    let contacts = located(&page);
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert!(contacts[0].0.starts_with("sip:1000@127.0.0.1:"));
    assert_eq!(contacts[0].1, format!("tls:127.0.0.1:{tls}"));
}

#[test]
fn the_how_to_works_as_it_stands_at_the_command_line_with_its_troubles() {
    walk_the_how_to("command line", 29);
}

#[test]
fn the_how_to_works_as_it_stands_by_snmp_with_names() {
    walk_the_how_to("snmp", 19);
}

#[test]
fn the_how_to_works_as_it_stands_by_snmp_with_numbers() {
    walk_the_how_to("numbers", 19);
}

#[test]
fn the_readme_works_as_it_stands() {
    let how_to = text("docs/how-to.md");
    let (carrier, _) = how_to
        .split_once("### A time server")
        .expect("the how-to has a carrier");
    let start = "<!-- start -->\n```sh\ndemarc run\n```\n<!-- run -->\n```sh\n\
        until [ -e demarc-data/demarc.sock ]; do sleep 0.1; done\n```\n";
    let (snmp, base, port) = (free_udp_port(), base_port(), free_tcp_port());
    // Without DNS, one port stands for the two that SRV would lead to.
    let mut page = Page::of(
        &format!("{carrier}{start}{}", text("README.md")),
        &[
            ("listen=tcp:127.0.0.1:15060\n", String::new()),
            ("15060", port.to_string()),
            ("15061", port.to_string()),
            ("sip.example.com:0", format!("sip.example.com:{port}")),
            ("127.0.0.1:1161", format!("127.0.0.1:{snmp}")),
            ("16000", base.to_string()),
        ],
    );
    let mut settings = elsewhere(snmp, base);
    settings.push("Hoc.StaticHosts[Index=1].Name=sip.example.com".to_owned());
    settings.push("Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1".to_owned());
    page.with_demarc(&settings);
    let commands = page.walk("");
    assert!(commands >= 6, "only {commands} commands");
    let contacts = located(&page);
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!(contacts[0].1, format!("tls:127.0.0.1:{port}"));
    let drawn = fs::read_to_string(page.folder().path().join("status.svg")).expect("the picture");
    let drawn = drawn
        .replace(&format!(":{port}"), ":0")
        .replace(&format!(":{snmp}"), ":1161");
    same_picture("docs/status.svg", &drawn);
}

/// The picture of the repository is what is drawn now, but for times and names of
/// the device; with `DEMARC_WRITE` set it is replaced by what is drawn now.
fn same_picture(path: &str, drawn: &str) {
    if std::env::var_os("DEMARC_WRITE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        return fs::write(path, drawn).expect("written");
    }
    let words = |picture: &str| -> Vec<String> {
        let lines = picture.lines().filter(|line| line.starts_with("<text"));
        let lines = lines.map(|line| line.replace(|c: char| c.is_ascii_digit(), ""));
        let lines = lines.skip_while(|line| !line.contains(">State<"));
        lines.collect()
    };
    assert_eq!(
        words(&text(path)),
        words(drawn),
        "{path}: set DEMARC_WRITE=1 and run this again"
    );
}
