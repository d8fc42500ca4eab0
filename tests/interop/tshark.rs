//! Wireshark's dissectors read what we send.

use crate::bench::{Device, Folder, Kamailio, Running, eventually, free_udp_port, run};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(15);

/// A capture of the loopback interface.
struct Capture {
    process: Running,
    file: PathBuf,
}

impl Capture {
    fn start(folder: &Folder, filter: &str) -> Self {
        let file = folder.path().join("capture.pcapng");
        let mut command = Command::new("dumpcap");
        command
            .args(["-q", "-i", "lo", "-f", filter, "-w"])
            .arg(&file);
        let process = Running::start(&mut command, folder.path().join("dumpcap.log"));
        eventually("dumpcap writes its file", LIMIT, || {
            process.said().contains("File: ").then_some(())
        });
        Self { process, file }
    }

    fn end(&mut self) {
        // The kernel hands packets over in blocks.
        std::thread::sleep(Duration::from_millis(1200));
        self.process.stop();
    }

    /// The packets that fit `filter`: their `fields`, with tabs between.
    fn read(&self, decode: &[&str], filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&self.file).args(decode);
        command.args(["-Y", filter, "-T", "fields", "-E", "occurrence=f"]);
        for field in fields {
            command.args(["-e", field]);
        }
        let text = run(&mut command);
        let rows = text.lines().map(|line| line.split('\t').map(str::to_owned));
        rows.map(Iterator::collect).collect()
    }

    /// Nothing that Wireshark finds odd in itself.
    fn is_sound(&self, decode: &[&str], protocol: &str) {
        let odd = format!("{protocol} && (_ws.malformed || _ws.expert.severity >= 0x600000)");
        let fields = ["frame.number", "_ws.col.Info", "_ws.expert.message"];
        let rows = self.read(decode, &odd, &fields);
        assert_eq!(rows, Vec::<Vec<String>>::new());
    }
}

const REGISTER: &[&str] = &[
    "sip.Via.transport",
    "sip.Via.branch",
    "sip.to.user",
    "sip.contact.user",
    "sip.contact.host",
    "sip.CSeq.seq",
    "sip.CSeq.method",
    "sip.Call-ID",
    "sip.Max-Forwards",
    "sip.auth.username",
    "sip.auth.realm",
];

/// The two REGISTERs, before and after the challenge, as Wireshark reads them.
fn registers(transport: &str, settings: &[&str]) {
    let folder = Folder::new("tshark-sip");
    let kamailio = Kamailio::start(&folder);
    let port = kamailio.clear;
    let mut capture = Capture::start(&folder, &format!("port {port}"));
    let device = kamailio.device(&folder, settings);
    kamailio.registered_by(transport, LIMIT);
    capture.end();
    drop(device);
    let decode = ["-d", &format!("{transport}.port=={port},sip")];
    let rows = capture.read(&decode, "sip.Method == \"REGISTER\"", REGISTER);
    assert!(rows.len() >= 2, "{rows:?}");
    let (first, second) = (&rows[0], &rows[1]);
    let shared = |row: &[String]| {
        assert_eq!(row[0], transport.to_uppercase(), "{row:?}");
        // RFC 3261 §8.1.1.7: the magic cookie.
        assert!(row[1].starts_with("z9hG4bK"), "{row:?}");
        assert_eq!([&row[2], &row[3], &row[4]], ["1000", "1000", "127.0.0.1"]);
        assert_eq!([&row[6], &row[8]], ["REGISTER", "70"]);
    };
    shared(first);
    shared(second);
    let number = |row: &[String]| row[5].parse::<u32>().expect("a CSeq");
    assert_eq!(number(second), number(first) + 1);
    assert_eq!(first[7], second[7], "one Call-ID");
    assert_ne!(first[1], second[1], "each transaction has its branch");
    assert_eq!(first[9], "");
    assert!(
        second[9].contains("1000") && second[10].contains("sip.test"),
        "{second:?}"
    );
    capture.is_sound(&decode, "sip");
}

#[test]
fn wireshark_reads_register_over_udp() {
    registers("udp", &[]);
}

#[test]
fn wireshark_reads_register_over_tcp() {
    registers(
        "tcp",
        &[
            "SipEp.TransportConfig[GatewayName=default].TcpEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ],
    );
}

#[test]
fn wireshark_decrypts_and_reads_snmpv3() {
    let folder = Folder::new("tshark-snmp");
    let device = Device::start(&folder, &[]);
    let port = device.snmp;
    let mut capture = Capture::start(&folder, &format!("udp port {port}"));
    device.snmpset(&[("Hoc.SystemLocation", "s", "cellar")]);
    capture.end();
    let user = format!(
        "uat:snmp_users:\"\",\"admin\",\"SHA2-256\",\"{}\",\"AES\",\"{}\"",
        device.secret("snmp-auth-password"),
        device.secret("snmp-priv-password"),
    );
    let by_port = format!("udp.port=={port},snmp");
    let decode = ["-d", &by_port, "-o", &user];
    let fields = [
        "snmp.msgUserName",
        "snmp.v3.auth",
        "snmp.name",
        "snmp.value.octets",
        "snmp.error_status",
    ];
    let rows = capture.read(&decode, "snmp.get_response_element", &fields);
    let answer = rows.last().expect("a response to the SET");
    assert_eq!([&answer[0], &answer[4]], ["admin", "0"], "{rows:?}");
    assert!(answer[1] == "True" || answer[1] == "1", "{rows:?}");
    assert!(answer[2].ends_with(".700.1.800.300.0"), "{rows:?}");
    assert_eq!(answer[3], "63656c6c6172", "{rows:?}");
    capture.is_sound(&decode, "snmp");
}

#[test]
fn wireshark_reads_syslog() {
    let folder = Folder::new("tshark-syslog");
    let port = free_udp_port();
    let mut capture = Capture::start(&folder, &format!("udp port {port}"));
    let device = Device::start(&folder, &["Hoc.SystemName=gw-7", "EpAdm.MinSeverity=info"]);
    device.done(&["set", &format!("Nlm.SyslogRemoteHost=127.0.0.1:{port}")]);
    // The receiver's port is closed, which is no matter for a datagram; the
    // first messages may leave before the new receiver is known.
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(200));
        device.done(&["set", "EpAdm.Endpoint[EpId=Port01].Lock=lock"]);
        device.done(&["set", "EpAdm.Endpoint[EpId=Port01].Unlock=unlock"]);
    }
    capture.end();
    let by_port = format!("udp.port=={port},syslog");
    let decode = ["-d", &by_port];
    let fields = [
        "syslog.facility",
        "syslog.level",
        "syslog.version",
        "syslog.hostname",
        "syslog.appname",
        "syslog.msgid",
    ];
    let rows = capture.read(&decode, "syslog.msgid contains \"1500.10\"", &fields);
    let row = rows.first().expect("an endpoint's message");
    // local0, informational.
    assert_eq!(row[..5], ["16", "6", "1", "gw-7", "demarc"], "{row:?}");
    // Wireshark 4.0 takes all that is left for the message id.
    assert!(row[5].starts_with("1500.10 [demarc@32473 "), "{row:?}");
    assert!(row[5].ends_with("endpoint Port01: locked"), "{row:?}");
    capture.is_sound(&decode, "syslog");
}
