//! rsyslog as the receiver: what it parsed is what counts.

use crate::bench::{Device, Folder, Running, eventually, free_udp_port};
use std::process::Command;
use std::time::Duration;

#[test]
fn rsyslog_reads_every_field_of_a_message() {
    let folder = Folder::new("syslog");
    let port = free_udp_port();
    let path = folder.path().display().to_string();
    let config = format!(
        r#"module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{port}")
template(name="fields" type="string" string="%pri%|%protocol-version%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\n")
action(type="omfile" file="{path}/received" template="fields")
"#
    );
    let file = folder.file("rsyslog.conf", &config);
    let mut command = Command::new("rsyslogd");
    command
        .arg("-n")
        .arg("-f")
        .arg(&file)
        .arg("-i")
        .arg(format!("{path}/rsyslog.pid"));
    let _receiver = Running::start(&mut command, folder.path().join("rsyslog.log"));
    let device = Device::start(
        &folder,
        &[
            "Hoc.SystemName=gw-7",
            "Conf.MinSeverity=info",
            "EpAdm.MinSeverity=info",
        ],
    );
    device.done(&["set", &format!("Nlm.SyslogRemoteHost=127.0.0.1:{port}")]);
    let line = eventually("rsyslog has a line", Duration::from_secs(20), || {
        device.done(&["set", "EpAdm.Endpoint[EpId=Port01].Lock=lock"]);
        device.done(&["set", "EpAdm.Endpoint[EpId=Port01].Unlock=unlock"]);
        let text = std::fs::read_to_string(folder.path().join("received")).unwrap_or_default();
        text.lines()
            .find(|line| line.contains("|1500.10|"))
            .map(str::to_owned)
    });
    let fields: Vec<&str> = line.split('|').collect();
    // local0 (16) * 8 + informational (6).
    assert_eq!(fields[0], "134", "{line}");
    assert_eq!(&fields[1..4], ["1", "gw-7", "demarc"], "{line}");
    assert!(fields[5].contains("service=\"EpAdm\""), "{line}");
    assert!(fields[6].contains("Port01"), "{line}");
}
