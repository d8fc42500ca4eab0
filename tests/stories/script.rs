//! Scripts from text to tree and back.

use demarc::north::script::{Report, Script, diff, export};
use demarc::schema::{Index, bni, ep_adm, hoc, scm};
use demarc::tree::{Actor, Creation, Transaction, Tree};

/// A device as it comes: with the rows that its hardware and services give it.
fn factory() -> Tree {
    let tree = Tree::in_memory();
    let mut txn = Transaction::new(Actor::device());
    for priority in 1..=4 {
        let index = Index::number(priority);
        txn.create(hoc::static_sntp_servers::TABLE, index, Creation::Active);
    }
    for port in ["Port01", "Port02"] {
        txn.create(ep_adm::endpoint::TABLE, Index::text(port), Creation::Active);
    }
    let service = Index::text("SipEp");
    txn.create(scm::services_config::TABLE, service, Creation::Active);
    txn.create(
        bni::network_interfaces::TABLE,
        Index::number(1),
        Creation::Active,
    );
    tree.commit_and_wait(txn, 0).expect("the device may");
    tree
}

fn run(tree: &Tree, text: &str) -> Report {
    let script = Script::parse(text).expect("well-formed");
    script.start(tree, Actor::local(), 0).0
}

const OFFICE: &str = r#"
# The office gateway
Hoc.SystemName="gw \"office\""
Hoc.SystemLocation=0x526f6f6d2037
Bni.NetworkInterfaces[Idx=1].InterfaceName=Uplink
Bni.NetworkInterfaces[Idx=1].StaticIpAddr=127.0.0.1
Hoc.StaticSntpServers[Priority=1].HostName=ntp.example.com
SipEp.Gateway[Name=default].NetworkInterface=Uplink
SipEp.Gateway[Name=backup].NetworkInterface=Uplink
SipEp.UserAgent[EpId=Port01].Username=100
SipEp.UserAgent[EpId=Port01].Register=enable
SipEp.MinSeverity=debug
Nlm.SyslogRemoteHost="[2001:db8::1]:514"
Scm.ServicesConfig[Name=SipEp].StartupType=manual
"#;

#[test]
fn an_export_of_a_device_makes_the_same_device() {
    let device = factory();
    assert_eq!(run(&device, OFFICE).complaints, []);
    let profile = factory().snapshot();
    let text = export(&device.snapshot(), &profile);
    let twin = factory();
    assert_eq!(run(&twin, &text).complaints, []);
    assert_eq!(diff(&device.snapshot(), &twin.snapshot()), []);
    assert_eq!(export(&twin.snapshot(), &profile), text);
}

#[test]
fn an_export_brings_a_device_back_from_wherever_it_went() {
    let device = factory();
    run(&device, OFFICE);
    let profile = device.snapshot();
    let text = export(&profile, &profile);
    let changes = "Hoc.SystemName=other\nSipEp.Gateway[Name=default].NetworkInterface=Lan1\n";
    assert_eq!(run(&device, changes).assigned, 2);
    assert_eq!(diff(&profile, &device.snapshot()).len(), 2);
    assert_eq!(run(&device, &text).complaints, []);
    assert_eq!(diff(&profile, &device.snapshot()), []);
}

#[test]
fn garbage_is_refused_line_by_line_and_never_panics() {
    let garbage = [
        "\0",
        "=",
        "[",
        "]",
        "\"",
        "a.b",
        "Hoc.[x=1].y=2",
        "Hoc.StaticHosts[=].Name=1",
        "Hoc.StaticHosts[Index=\"",
        "SipEp.Gateway[Name=\"\\",
        "Hoc.SystemName=\"",
        "1.3.6=1",
        "1.99999999999=1",
        "Cert.X =",
        "Cert.X a=\"\\",
        "Hoc.SystemName=0x0",
        "\u{202e}=\u{0}",
        "Hoc.StaticHosts[Index=4294967296].Name=x",
        "Hoc..SystemName=1",
        "é.é=é",
    ];
    for line in garbage {
        let faults = Script::parse(line).expect_err(line);
        assert_eq!(faults.len(), 1, "{line}");
        assert!(faults[0].to_string().ends_with("(line 1)"), "{}", faults[0]);
    }
    let faults = Script::parse(&garbage.join("\n")).expect_err("all of them");
    assert_eq!(faults.len(), garbage.len());
}
