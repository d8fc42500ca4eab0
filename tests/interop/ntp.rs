//! chrony as the time server.

use crate::bench::{Device, Folder, Running, eventually, free_udp_port};
use std::process::Command;
use std::time::Duration;

fn chrony(folder: &Folder, port: u16, more: &str) -> Running {
    let path = folder.path().display();
    let config = format!(
        "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.0/8\nlocal stratum 3\ncmdport 0\nbindcmdaddress /\npidfile {path}/chrony.pid\ndriftfile {path}/drift\n{more}\n"
    );
    let file = folder.file("chrony.conf", &config);
    let mut command = Command::new("chronyd");
    // -x: chrony serves time and leaves this machine's clock alone.
    command.args(["-d", "-x", "-u", "root", "-f"]).arg(file);
    Running::start(&mut command, folder.path().join("chrony.log"))
}

#[test]
fn the_time_is_known_from_a_real_server_and_the_status_names_it() {
    let folder = Folder::new("ntp");
    let port = free_udp_port();
    let _server = chrony(&folder, port, "");
    let device = Device::start(
        &folder,
        &[
            "Hoc.ClockSource=sntp",
            "Hoc.SntpConfigSource=static",
            &format!("Hoc.StaticSntpServers[Priority=1].HostName=127.0.0.1:{port}"),
            "Hoc.MinSeverity=info",
        ],
    );
    eventually("the time is known", Duration::from_secs(60), || {
        (device.get("Hoc.ClockState") == "known").then_some(())
    });
    assert_eq!(
        device.get("Hoc.SntpCurrentSource"),
        format!("127.0.0.1:{port}")
    );
    let offset: f64 = device.get("Hoc.ClockOffset").parse().expect("milliseconds");
    assert!(offset.abs() < 1000.0, "{offset} ms to the same machine");
    assert!(!device.get("Hoc.SystemTime").is_empty());
}

#[test]
fn without_an_answer_the_time_stays_unknown_and_the_reason_names_the_server() {
    let folder = Folder::new("ntp-dead");
    let port = free_udp_port();
    let device = Device::start(
        &folder,
        &[
            "Hoc.ClockSource=sntp",
            "Hoc.SntpConfigSource=static",
            &format!("Hoc.StaticSntpServers[Priority=1].HostName=127.0.0.1:{port}"),
        ],
    );
    let reason = eventually("a reason", Duration::from_secs(20), || {
        let reason = device.get("Hoc.ClockReason");
        (reason.contains("127.0.0.1") && !reason.starts_with("waiting")).then_some(reason)
    });
    assert_eq!(device.get("Hoc.ClockState"), "unknown", "{reason}");
}
