//! The services of a running device: stopped, started, failing, applied; and
//! the unit as a whole: rebooted, reset.

use demarc::device::{Device, DeviceError, DeviceOptions, End};
use demarc::north::script::Script;
use demarc::schema::{Name, Value};
use demarc::tree::{Actor, Outcome, Transaction, Tree};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A data folder of a test's own, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("demarc-services-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A device that runs in this process.
pub(crate) struct World {
    pub(crate) tree: Tree,
    said: Arc<Mutex<Vec<String>>>,
    pub(crate) snmp: u16,
    sip: u16,
    stop: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<Result<End, DeviceError>>,
}

const WAIT: Duration = Duration::from_secs(20);
pub(crate) const COMMUNITY: &str = "a-story";

/// A port that nobody had a moment ago.
pub(crate) fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("bound").port()
}

impl World {
    pub(crate) fn boot(folder: &Folder, settings: &[&str]) -> Self {
        let (snmp, sip) = (free_port(), free_port());
        let own = [
            format!("Snmp.Port={snmp}"),
            "Snmp.EnableSnmpV2=enable".to_owned(),
            format!("Snmp.Community={COMMUNITY}"),
            format!("SipEp.Gateway[Name=default].Port={sip}"),
            format!("SipEp.Gateway[Name=default].SecurePort={}", free_port()),
        ];
        let settings = settings.iter().map(|text| (*text).to_owned());
        let all: Vec<String> = own.into_iter().chain(settings).collect();
        let options = DeviceOptions {
            start: Script::of_settings(&all).expect("well-formed"),
            ..DeviceOptions::default()
        };
        let device = Device::open(&folder.0, &options).expect("a device");
        let tree = device.tree().clone();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        tree.on_notice(move |notice| heard.lock().expect("unpoisoned").push(notice.text.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let outcome = runtime.block_on(device.run(async {
                let _ = stopped.await;
            }));
            drop(runtime);
            let _ = end.send(outcome);
        });
        Self {
            tree,
            said,
            snmp,
            sip,
            stop: Some(stop),
            ended,
        }
    }

    pub(crate) fn set(&self, name: &str, value: &str) -> Outcome {
        let name = Name::parse(name).expect("a name");
        let value = Value::parse(value, &name.column.get().syntax).expect("a value");
        let mut txn = Transaction::new(Actor::local());
        txn.assign(name, value);
        self.tree.commit_and_wait(txn, 0)
    }

    pub(crate) fn command(&self, service: &str, verb: &str) -> Outcome {
        let name = format!("Scm.ServiceCommands[Name={service}].{verb}");
        self.set(&name, &verb.to_lowercase())
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let name = Name::parse(name).expect("a name");
        let value = self.tree.instances().read(&name);
        value.map_or_else(String::new, |value| {
            value.display(&name.column.get().syntax)
        })
    }

    fn state(&self, service: &str) -> String {
        self.read(&format!("Scm.ServicesInfo[Name={service}].ExecState"))
    }

    fn last_error(&self, service: &str) -> String {
        self.read(&format!("Conf.ServiceVersion[Name={service}].LastError"))
    }

    pub(crate) fn becomes(&self, service: &str, state: &str) {
        eventually(&format!("{service} is {state}"), || {
            self.state(service) == state
        });
    }

    /// How often something was said.
    pub(crate) fn count(&self, text: &str) -> usize {
        let said = self.said.lock().expect("unpoisoned");
        said.iter().filter(|line| line.contains(text)).count()
    }

    pub(crate) fn answers_snmp(&self) -> bool {
        answered(self.snmp, &snmp_get()).is_some()
    }

    pub(crate) fn answers_sip(&self) -> bool {
        answered(self.sip, &sip_options()).is_some_and(|answer| answer.starts_with(b"SIP/2.0 200"))
    }

    pub(crate) fn invoke(&self, operation: &str) -> String {
        let (send, receive) = mpsc::channel();
        let answer = Box::new(move |outcome| {
            let _ = send.send(outcome);
        });
        self.tree
            .invoke(Actor::local(), operation, &[], None, answer);
        let outcome = receive.recv_timeout(WAIT).expect("an answer");
        outcome.expect("done")
    }

    pub(crate) fn end(mut self) -> End {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.ends_by_itself()
    }

    fn ends_by_itself(&self) -> End {
        let outcome = self.ended.recv_timeout(WAIT).expect("it ends");
        outcome.expect("without an error")
    }
}

pub(crate) fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let until = Instant::now() + WAIT;
    while !is() {
        assert!(Instant::now() < until, "not within {WAIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn answered(port: u16, request: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(("127.0.0.1", port)).expect("connected");
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a timeout");
    socket.send(request).ok()?;
    let mut octets = [0; 4096];
    let length = socket.recv(&mut octets).ok()?;
    Some(octets[..length].to_vec())
}

/// A v2c GetRequest of sysName.0.
fn snmp_get() -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("short");
        [&[tag, length], content].concat()
    };
    let name = tlv(6, &[0x2b, 6, 1, 2, 1, 1, 5, 0]);
    let binding = tlv(0x30, &[name, tlv(5, &[])].concat());
    let numbers = [2, 1, 7, 2, 1, 0, 2, 1, 0];
    let pdu = tlv(0xa0, &[&numbers[..], &tlv(0x30, &binding)].concat());
    let head = [vec![2, 1, 1], tlv(4, COMMUNITY.as_bytes())].concat();
    tlv(0x30, &[head, pdu].concat())
}

/// An OPTIONS of a transaction of its own.
fn sip_options() -> Vec<u8> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKstory{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:story@127.0.0.1>;tag=1\r\n\
         To: <sip:127.0.0.1>\r\n\
         Call-ID: story{number}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

#[test]
pub(crate) fn a_stopped_agent_is_silent_and_a_started_one_answers() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("the agent answers", || world.answers_snmp());
    world.command("Snmp", "Stop").expect("granted");
    world.becomes("Snmp", "stopped");
    assert!(!world.answers_snmp());
    assert_eq!(world.read("Snmp.ListenState"), "");
    assert_eq!(
        world.read("Snmp.ListenReason"),
        "the service Snmp is stopped"
    );
    world.command("Snmp", "Start").expect("granted");
    eventually("the agent answers", || world.answers_snmp());
    world.becomes("Snmp", "started");
    let starts = world.count("service Snmp started");
    world.command("Snmp", "Restart").expect("granted");
    eventually("it started anew", || {
        world.count("service Snmp started") == starts + 1
    });
    eventually("the agent answers", || world.answers_snmp());
    assert_eq!(world.end(), End::Stopped);
}

#[test]
fn a_stopped_stack_frees_its_ports_and_a_started_one_answers() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("the stack answers", || world.answers_sip());
    world.command("SipEp", "Stop").expect("granted");
    world.becomes("SipEp", "stopped");
    assert_eq!(world.read("SipEp.GatewayStatus[Name=default].State"), "");
    drop(UdpSocket::bind(("127.0.0.1", world.sip)).expect("the port is free"));
    world.command("SipEp", "Start").expect("granted");
    eventually("the stack answers", || world.answers_sip());
    let starts = world.count("service SipEp started");
    // What runs is not disturbed by being started.
    world.command("SipEp", "Start").expect("granted");
    world.command("SipEp", "Restart").expect("granted");
    eventually("the stack answers", || {
        world.count("service SipEp started") > starts && world.answers_sip()
    });
    assert_eq!(world.count("service SipEp started"), starts + 1);
    world.end();
}

#[test]
fn a_stopped_log_sends_nothing_and_a_started_one_does() {
    let folder = Folder::new();
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = receiver.local_addr().expect("bound").port();
    receiver
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a timeout");
    let remote = format!("Nlm.SyslogRemoteHost=127.0.0.1:{port}");
    let world = World::boot(&folder, &[&remote, "Scm.MinSeverity=info"]);
    let hears = |text: &str| {
        let mut octets = [0; 4096];
        std::iter::from_fn(|| {
            receiver
                .recv(&mut octets)
                .ok()
                .map(|length| String::from_utf8_lossy(&octets[..length]).into_owned())
        })
        .any(|line| line.contains(text))
    };
    eventually("a line comes", || hears("Demarc"));
    world.command("Nlm", "Stop").expect("granted");
    world.becomes("Nlm", "stopped");
    while hears("") {}
    world.command("Dcm", "Restart").expect("granted");
    eventually("it is said", || world.count("service Dcm acts by") == 1);
    assert!(!hears("Dcm"));
    world.command("Nlm", "Start").expect("granted");
    world.becomes("Nlm", "started");
    world.command("Hoc", "Restart").expect("granted");
    assert!(hears("service Hoc acts by every change at once"));
    world.end();
}

#[test]
fn a_system_service_cannot_be_stopped() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    for service in ["Aaa", "Bni", "Cert", "Conf", "Dcm", "EpAdm", "Hoc", "Scm"] {
        let refused = world.command(service, "Stop").expect_err("refused");
        assert_eq!(
            refused[0].to_string(),
            format!(
                "Scm.ServiceCommands[Name={service}].Stop: the device needs this service, it cannot be stopped"
            )
        );
        world.becomes(service, "started");
    }
    world.end();
}

#[test]
pub(crate) fn a_service_that_starts_by_hand_waits_for_it() {
    let folder = Folder::new();
    let world = World::boot(
        &folder,
        &["Scm.ServicesConfig[Name=Snmp].StartupType=manual"],
    );
    eventually("SIP answers", || world.answers_sip());
    assert_eq!(world.state("Snmp"), "stopped");
    assert_eq!(
        world.read("Scm.ServicesInfo[Name=Snmp].StartupType"),
        "manual"
    );
    assert!(!world.answers_snmp());
    world.command("Snmp", "Start").expect("granted");
    eventually("the agent answers", || world.answers_snmp());
    world.end();
}

#[test]
fn a_port_in_use_is_the_services_last_error_until_it_is_mended() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("the stack answers", || world.answers_sip());
    eventually("all is well", || world.last_error("SipEp").is_empty());
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    world
        .set("SipEp.Gateway[Name=default].Port", &port)
        .expect("granted");
    eventually("the error shows", || {
        world.last_error("SipEp").contains("port already in use")
    });
    let said = "service SipEp failed: gateway default: Cannot start, port already in use";
    eventually("it is said", || world.count(said) == 1);
    assert_eq!(world.state("SipEp"), "started");
    world
        .set("SipEp.Gateway[Name=default].Port", &world.sip.to_string())
        .expect("granted");
    eventually("the error is gone", || world.last_error("SipEp").is_empty());
    eventually("the stack answers again", || world.answers_sip());

    world.set("Snmp.Port", &port).expect("granted");
    eventually("the error shows", || {
        world
            .last_error("Snmp")
            .contains("is in use; set Snmp.Port")
    });
    assert_eq!(world.count("service Snmp failed"), 1);
    drop(taken);
    eventually("the error is gone", || world.last_error("Snmp").is_empty());
    assert_eq!(world.count("cannot listen on"), 1);
    world.end();
}

#[test]
fn every_service_says_which_version_it_acts_by() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    for (service, name, value) in [
        (
            "Aaa",
            "Aaa.Users[UserName=admin].Password",
            "another-password",
        ),
        ("Bni", "Bni.NetworkInterfaces[Idx=9].InterfaceName", "Lan9"),
        ("Cert", "Cert.Transfer[Index=1].FileName", "x.pem"),
        ("Conf", "Conf.MinSeverity", "info"),
        (
            "EpAdm",
            "EpAdm.Endpoint[EpId=Port01].InitialAdminStateConfig",
            "locked",
        ),
        ("Hoc", "Hoc.StaticHosts[Index=1].Name", "pbx"),
        ("Hoc", "Hoc.SntpSynchronizationPeriod", "77"),
        ("Nlm", "Nlm.LocalLogSize", "77"),
        ("Scm", "Scm.ServicesConfig[Name=Nlm].StartupType", "manual"),
        (
            "SipEp",
            "SipEp.UserAgent[EpId=Port01].FriendlyName",
            "story",
        ),
        ("Snmp", "Snmp.EnableSnmpV1", "enable"),
    ] {
        world.set(name, value).expect(name);
        let version = world.tree.snapshot().version();
        let row = format!("Conf.ServiceVersion[Name={service}].AppliedVersion");
        eventually(&format!("{service} applied {version}"), || {
            world
                .read(&row)
                .parse::<u64>()
                .is_ok_and(|applied| applied >= version)
        });
    }
    world.end();
}

#[test]
fn a_reboot_ends_the_run_and_a_factory_reset_goes_back_to_the_profile() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("the agent answers", || world.answers_snmp());
    assert_eq!(world.invoke("Scm.Reboot"), "the unit reboots");
    assert_eq!(world.ends_by_itself(), End::Reboot);
    drop(world);

    let world = World::boot(&folder, &["Hoc.SystemName=before"]);
    eventually("the agent answers", || world.answers_snmp());
    let secrets = || std::fs::read_to_string(folder.0.join("first-boot.txt")).expect("secrets");
    let (serial, before) = (world.read("Dcm.UnitInfoSerialNumber"), secrets());
    world.invoke("Conf.FactoryReset");
    assert_eq!(world.ends_by_itself(), End::Reboot);
    assert_eq!(world.count("factory reset by admin by local"), 1);
    drop(world);
    assert_ne!(secrets(), before);
    let world = World::boot(&folder, &[]);
    assert_eq!(world.read("Hoc.SystemName"), "");
    eventually("identity stays", || {
        world.read("Dcm.UnitInfoSerialNumber") == serial
    });
    world.end();
}

#[test]
fn a_recovered_administrator_is_said_at_the_next_start_and_once() {
    let folder = Folder::new();
    let options = DeviceOptions::default();
    drop(Device::open(&folder.0, &options).expect("a device"));
    Device::recover_admin(&folder.0).expect("recovered");
    for times in [1, 0] {
        let world = World::boot(&folder, &[]);
        eventually("the agent answers", || world.answers_snmp());
        let said = world.count("user admin has a new password from the console");
        assert_eq!(said, times);
        world.end();
    }
}
