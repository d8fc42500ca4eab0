//! The ACS from a DHCP server: dnsmasq serves, dhclient and udhcpc hear, and
//! the hooks that we ship tell the device.
//!
//! Each test is a host of its own: a namespace with its own /etc, whose cable
//! leads to the server's. What counts is whom the device calls.

use crate::bench::acs::Acs;
use crate::bench::net::{Space, is_inside, shell};
use crate::bench::{Device, Folder, Running, demarc, eventually, free_tcp_port};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// The host's side of the cable, and the server's.
struct Host {
    folder: Folder,
    server: Space,
    serving: Option<Running>,
    clients: u32,
}

impl Host {
    fn new() -> Self {
        let folder = Folder::new("dhcp");
        let server = Space::new(folder.path(), "server");
        let home = folder.path().display().to_string();
        // What the clients' scripts write is written here.
        shell(&format!(
            "cp -a /etc {home}/etc
             mount --bind {home}/etc /etc
             ip link set lo up
             ip link add wan type veth peer name net netns {server}
             ip link set wan up",
            server = server.pid()
        ));
        server.shell("ip addr add 10.9.0.1/24 dev net; ip link set net up");
        let host = Self {
            folder,
            server,
            serving: None,
            clients: 0,
        };
        host.says_what_is_called();
        host
    }

    /// The hooks call a program that notes how it ended and what it said.
    fn says_what_is_called(&self) {
        let home = self.folder.path().display();
        let program = demarc();
        let program = program.display();
        self.script(
            "demarc",
            &format!(
                "code=0\nsaid=$({program} \"$@\" 2>&1) || code=$?\n\
                 printf '%s ' \"$code\" $said >>{home}/calls\necho >>{home}/calls\n"
            ),
        );
        let settings = format!("DEMARC={home}/demarc\nDEMARC_DATA={home}/data\n");
        fs::write("/etc/default/demarc", settings).expect("written");
    }

    fn script(&self, name: &str, body: &str) -> String {
        let path = self.folder.file(name, &format!("#!/bin/sh\n{body}"));
        let path = path.display().to_string();
        shell(&format!("chmod 755 {path}"));
        path
    }

    /// Serves these options from now on.
    fn serves(&mut self, options: &[&str]) {
        self.serving = None;
        let leases = self.folder.path().join("leases").display().to_string();
        let mut command = self.server.command("dnsmasq");
        command.args(["-d", "-C", "/dev/null", "--no-resolv", "--port=0"]);
        command.args(["--interface=net", "--bind-interfaces", "--no-ping"]);
        command.args([
            "--dhcp-authoritative",
            "--dhcp-range=10.9.0.50,10.9.0.60,2m",
        ]);
        command.arg(format!("--dhcp-leasefile={leases}"));
        let options = options
            .iter()
            .map(|option| format!("--dhcp-option={option}"));
        let log = self.folder.path().join("dnsmasq.log");
        let mut serving = Running::start(command.args(options), log);
        eventually("dnsmasq serves", LIMIT, || {
            assert!(!serving.has_ended(), "{}", serving.said());
            serving.said().contains("IP range").then_some(())
        });
        self.serving = Some(serving);
    }

    /// A lease by dhclient, with what we ship for it; how the hook's call ended.
    fn dhclient(&mut self) -> String {
        let calls = self.calls().len();
        self.clients += 1;
        let ours = shipped("dhclient.conf");
        let hook = shipped("dhclient-hook");
        shell(&format!(
            "cp {hook} /etc/dhcp/dhclient-exit-hooks.d/demarc
             cat {ours} >>/etc/dhcp/dhclient.conf"
        ));
        let path = |name: &str| {
            let name = format!("{name}-{}", self.clients);
            self.folder.path().join(name).display().to_string()
        };
        let (leases, pid) = (path("dhclient.leases"), path("dhclient.pid"));
        let mut command = Command::new("dhclient");
        command.args(["-1", "-d", "-lf", &leases, "-pf", &pid, "wan"]);
        let client = Running::start(&mut command, path("dhclient.log").into());
        eventually("dhclient is bound", LIMIT, || {
            client.said().contains("bound to").then_some(())
        });
        // The hook goes on beside it, and would end with it here.
        self.called(calls)
    }

    /// A lease by udhcpc, whose own script calls what we ship.
    fn udhcpc(&mut self) {
        let hook = shipped("udhcpc-hook");
        let body = format!("/etc/udhcpc/default.script \"$@\"\n{hook} \"$1\"\n");
        let script = self.script("udhcpc.script", &body);
        let output = Command::new("udhcpc")
            .args(["-f", "-q", "-n", "-i", "wan", "-s", &script])
            .args(["-V", "dslforum.org", "-O", "43", "-O", "125"])
            .output()
            .expect("udhcpc is there");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }

    /// How the hooks' calls ended, and what was said.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls"));
        let calls = calls.unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// Waits for the next call: how it ended, and what was said.
    fn called(&self, before: usize) -> String {
        let call = eventually("the hook has called", LIMIT, || {
            self.calls().get(before).cloned()
        });
        call.trim_end().to_owned()
    }

    fn device(&self, more: &[&str]) -> Device {
        let port = format!("Cwmp.ListeningPort={}", free_tcp_port());
        let all = [&[port.as_str()], more].concat();
        Device::start(&self.folder, &all)
    }
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tr069/dhcp");
    path.join(name).display().to_string()
}

/// Option 43 as dnsmasq takes it in hexadecimal.
fn raw(octets: &[u8]) -> String {
    let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("43,{}", octets.join(":"))
}

fn value(code: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("short");
    [&[code, length], value].concat()
}

#[test]
fn dhclient_hears_of_the_acs_and_the_device_calls_it_and_the_next_one_and_a_static_one() {
    if !is_inside(
        "dhcp::dhclient_hears_of_the_acs_and_the_device_calls_it_and_the_next_one_and_a_static_one",
    ) {
        return;
    }
    let mut host = Host::new();
    let (one, two, three) = (Acs::open(), Acs::open(), Acs::open());
    let device = host.device(&["Cwmp.MinSeverity=info"]);
    assert_eq!(device.get("Cwmp.AcsStatus"), "noUrl");
    host.serves(&[
        &format!("vendor:dslforum,1,{}", one.url()),
        "vendor:dslforum,2,site-7",
        "vendor:dslforum,3,7",
        "vendor:dslforum,4,3000",
    ]);
    let said = host.dhclient();
    assert!(said.starts_with("0 Cwmp.DhcpAcsUrl="), "{said}");
    one.ended(1);
    let inform = &one.informs()[0];
    assert_eq!(inform.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    assert!(inform.body.contains(">site-7<"), "{}", inform.body);
    assert_eq!(device.get("Cwmp.DhcpRetryMinimumWaitInterval"), "7");
    assert_eq!(device.get("Cwmp.DhcpRetryIntervalMultiplier"), "3000");
    let shown = device.done(&["cwmp"]);
    assert!(shown.contains(&format!("DHCP says      {}", one.url())));
    assert!(shown.contains("DHCP code      site-7"), "{shown}");
    // The same lease again is no change.
    assert_eq!(host.dhclient(), "0");
    // Another network, another ACS; the URL stands there alone.
    host.serves(&[&format!("43,{}", two.url())]);
    host.dhclient();
    two.ended(1);
    assert_eq!(two.informs()[0].events()[0], "0 BOOTSTRAP");
    // What is set by hand wins, whatever DHCP says.
    device.done(&[
        "set",
        "Cwmp.AcsUrlConfigSource=static",
        &format!("Cwmp.AcsStaticUrl={}", three.url()),
    ]);
    three.ended(1);
    host.serves(&[&format!("vendor:dslforum,1,{}", one.url())]);
    let sessions = one.informs().len();
    assert!(host.dhclient().starts_with("0 Cwmp.DhcpAcsUrl="));
    assert_eq!(device.get("Cwmp.DhcpAcsUrl"), one.url());
    assert_eq!(device.get("Cwmp.AcsUrl"), three.url());
    assert_eq!(one.informs().len(), sessions);
    for acs in [one, two, three] {
        acs.judges_every_envelope(&host.folder);
    }
}

#[test]
fn udhcpc_hears_of_the_acs_before_the_device_has_started_and_a_lease_without_one_takes_it_away() {
    if !is_inside(
        "dhcp::udhcpc_hears_of_the_acs_before_the_device_has_started_and_a_lease_without_one_takes_it_away",
    ) {
        return;
    }
    let mut host = Host::new();
    let acs = Acs::open();
    // The forum's own option counts, and not what another vendor has in 43.
    host.serves(&[
        &format!("vi-encap:3561,11,{}", acs.url()),
        "vi-encap:3561,12,site-8",
        &raw(&value(1, &[192, 168, 1, 1])),
    ]);
    host.udhcpc();
    let device = host.device(&[]);
    acs.ended(1);
    assert!(acs.informs()[0].body.contains(">site-8<"));
    assert!(host.called(0).starts_with("0 Cwmp.DhcpAcsUrl="));
    host.serves(&[]);
    host.udhcpc();
    assert!(host.called(1).starts_with("0 Cwmp.DhcpAcsUrl="));
    assert_eq!(device.get("Cwmp.DhcpAcsUrl"), "");
    assert_eq!(device.get("Cwmp.AcsStatus"), "noUrl");
    acs.judges_every_envelope(&host.folder);
}

#[test]
fn a_malformed_option_runs_nothing_and_sets_nothing() {
    if !is_inside("dhcp::a_malformed_option_runs_nothing_and_sets_nothing") {
        return;
    }
    let mut host = Host::new();
    let device = host.device(&[]);
    let canary = host.folder.path().join("canary");
    let name = canary.display();
    host.serves(&["vendor:dslforum,1,http://127.0.0.1:1/good"]);
    host.udhcpc();
    assert!(host.called(0).starts_with("0 Cwmp.DhcpAcsUrl="));
    let hostile: Vec<Vec<u8>> = vec![
        // Another vendor's.
        value(1, &[192, 168, 1, 1]),
        b"an access point's controller".to_vec(),
        // Lengths that lead nowhere.
        vec![1, 200, b'h', b't', b't', b'p'],
        vec![0, 1],
        [value(1, b"http://127.0.0.1:1/x"), vec![2, 9]].concat(),
        // What a shell might run.
        value(1, format!("http://a/`touch {name}`").as_bytes()),
        value(1, format!("http://a/\";touch {name};\"").as_bytes()),
        value(1, format!("http://a/\ntouch {name}\n").as_bytes()),
        format!("http://a/ $(touch {name})").into_bytes(),
        value(1, b"http://a/\x1b[2J\x07"),
        value(1, b"file:///etc/passwd"),
        value(2, b"a\0b"),
        value(3, b"-1"),
        value(1, &[b'x'; 253]),
        vec![1; 255],
    ];
    for octets in &hostile {
        let calls = host.calls().len();
        host.serves(&[&raw(octets)]);
        host.udhcpc();
        let said = host.called(calls);
        assert!(said.starts_with("1 Cwmp.DhcpAcsUrl: option 43 "), "{said}");
    }
    assert_eq!(device.get("Cwmp.DhcpAcsUrl"), "http://127.0.0.1:1/good");
    assert_eq!(device.get("Cwmp.DhcpProvisioningCode"), "");
    assert_eq!(device.get("Cwmp.DhcpRetryMinimumWaitInterval"), "0");
    // It is all a URL may be, and still only a URL.
    let harmless = format!("http://127.0.0.1:1/$(touch%20{name});'&x");
    host.serves(&[&raw(&value(1, b"http://a/`x`"))]);
    assert!(host.dhclient().starts_with("1 Cwmp.DhcpAcsUrl: option 43 "));
    host.serves(&[&raw(&value(1, harmless.as_bytes()))]);
    assert!(host.dhclient().starts_with("0 Cwmp.DhcpAcsUrl="));
    assert_eq!(device.get("Cwmp.DhcpAcsUrl"), harmless);
    assert!(!canary.exists());
}
