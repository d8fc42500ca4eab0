//! SIGKILL at each message of a session with a Download, an AddObject and a
//! Reboot in it, while the file is on its way, as a script is applied, and
//! while an installer runs. What the ACS was told, by its own record, is what
//! TR-069 §3.7.1.5 and A.3.3.2 ask for.

use crate::bench::acs::{Acs, Sent};
use crate::bench::files::{Files, Place};
use crate::bench::{Authority, Device, Folder, Life, eventually, free_tcp_port, free_udp_port};
use crate::transfers::{
    IMAGE, SCRIPT, code, complete, device_of_profile, download, profile, session, signed,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(40);
const HOSTS: &str = "Device.X_0090F8_Hoc.StaticHosts.";

/// An ACS that wants all three of one device, and the file.
struct Scene {
    folder: Folder,
    acs: Acs,
    files: Files,
    /// Who vouches for the file server.
    anchor: PathBuf,
}

impl Scene {
    fn new(place: Place) -> Self {
        let (folder, authority) = (Folder::new("crash"), Authority::new("Files CA"));
        let identity = authority.issue("files.test", 2, Life::Now);
        let files = Files::secure(&identity, "files", "pw-of-files");
        let acs = Acs::open();
        let url = files.put("gw.script", place);
        acs.asks(&download("k-down", SCRIPT, &url, 0));
        acs.asks(&format!(
            "<C:AddObject><ObjectName>{HOSTS}</ObjectName><ParameterKey>k-add</ParameterKey>\
             </C:AddObject>"
        ));
        acs.asks("<C:Reboot><CommandKey>k-boot</CommandKey></C:Reboot>");
        Self {
            anchor: authority.anchor(folder.path(), "files"),
            folder,
            acs,
            files,
        }
    }

    fn device(&self) -> Device {
        let acs = format!("Cwmp.AcsStaticUrl=\"{}\"", self.acs.url());
        let port = format!("Cwmp.ListeningPort={}", free_tcp_port());
        let sip = format!("SipEp.Gateway[Name=default].Port={}", free_udp_port());
        let settings = [
            "Cwmp.AcsUrlConfigSource=static",
            "Cwmp.RetryMinimumWaitInterval=1",
            "Hoc.StaticHosts[Index=1].Name=files.test",
            "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
            &acs,
            &port,
            &sip,
        ];
        Device::of_profile(&self.folder, &settings, &[&self.anchor])
    }

    /// Until the ACS has asked and been told all of it.
    fn plays_out(&self) {
        eventually("the ACS knows all", LIMIT, || {
            let record = self.acs.record();
            let known = taken(&record, "TransferComplete").len() == 1
                && self.acs.has_asked_all()
                && informs_with(&record, "M Reboot").len() == 1
                && record.last().is_some_and(|last| last.status == 204);
            known.then_some(())
        });
        // Whatever would come too often has had its time.
        std::thread::sleep(Duration::from_millis(300));
    }

    fn is_right(&self, device: &Device, what: &str) {
        let record = self.acs.record();
        // Each start is told, the first contact once, the reboot once and with its key.
        assert_eq!(informs_with(&record, "0 BOOTSTRAP").len(), 1, "{what}");
        let reboots = informs_with(&record, "M Reboot");
        assert_eq!(reboots.len(), 1, "{what}");
        assert!(told(reboots[0], "M Reboot", "k-boot"), "{what}");
        assert!(reboots[0].events().contains(&"1 BOOT".to_owned()), "{what}");
        // The end of the transfer is taken once, without a fault and with its times.
        let completes = taken(&record, "TransferComplete");
        assert_eq!(completes.len(), 1, "{what}");
        let complete = completes[0];
        assert_eq!(complete.texts("CommandKey"), ["k-down"], "{what}");
        assert_eq!(complete.texts("FaultCode"), ["0"], "{what}");
        for time in ["StartTime", "CompleteTime"] {
            let time = complete.texts(time).concat();
            assert!(
                time.starts_with("20") && time.ends_with('Z'),
                "{what}: {time}"
            );
        }
        // Whoever tells of it has said so in the Inform before; nobody says so after it.
        let at = |sent: &Sent| record.iter().position(|one| one.at == sent.at);
        let downloads = informs_with(&record, "M Download");
        assert!(!downloads.is_empty(), "{what}");
        for inform in &downloads {
            assert!(at(inform) < at(complete), "{what}");
            assert!(told(inform, "M Download", "k-down"), "{what}");
            let events = inform.events();
            assert!(events.contains(&"7 TRANSFER COMPLETE".to_owned()), "{what}");
        }
        // It was done, and the row is in use.
        assert_eq!(device.get("Hoc.SystemName"), "fetched", "{what}");
        assert_eq!(device.get("Cwmp.ParameterKey"), "k-add", "{what}");
        let added = record.iter().filter(|sent| sent.is("AddObjectResponse"));
        let mut number = added.map(|sent| sent.texts("InstanceNumber").concat());
        let number = number.next_back().expect("an answer");
        let row = format!("Hoc.StaticHosts[Index={number}].Name");
        assert!(device.cli(&["get", &row]).status.success(), "{what}");
        let instances = device.done(&["walk", "Cwmp.Instance"]);
        let mut of_hosts = instances
            .lines()
            .filter(|line| line.contains("Hoc.StaticHosts"));
        assert!(
            of_hosts.any(|line| line.ends_with("State=there")),
            "{instances}"
        );
        assert!(!instances.contains("State=added"), "{what}");
        self.acs.judges_every_envelope(&self.folder);
    }
}

/// Messages of a kind that the ACS has answered.
fn taken<'a>(record: &'a [Sent], method: &str) -> Vec<&'a Sent> {
    let sent = record.iter();
    sent.filter(|sent| sent.is(method) && sent.status == 200)
        .collect()
}

/// Informs that the ACS has answered, with this event.
fn informs_with<'a>(record: &'a [Sent], event: &str) -> Vec<&'a Sent> {
    let informs = taken(record, "Inform").into_iter();
    informs
        .filter(|inform| inform.events().iter().any(|one| one == event))
        .collect()
}

/// Whether the event has this key beside it.
fn told(inform: &Sent, event: &str, key: &str) -> bool {
    let events = inform.events().into_iter();
    let mut told = events.zip(inform.texts("CommandKey"));
    told.any(|(one, with)| one == event && with == key)
}

fn file() -> Place {
    Place::File(b"Hoc.SystemName=fetched\n".to_vec())
}

#[test]
fn a_kill_at_any_message_loses_nothing_and_tells_nothing_twice() {
    let scene = Scene::new(file());
    let device = scene.device();
    scene.plays_out();
    scene.is_right(&device, "without a kill");
    let messages = scene.acs.record().len();
    assert!(messages >= 8, "{messages} messages");
    drop(device);
    for number in 1..=messages {
        let scene = Scene::new(file());
        scene.acs.stalls_at(number);
        let mut device = scene.device();
        eventually("the message comes", LIMIT, || {
            (scene.acs.record().len() >= number).then_some(())
        });
        device.kill_and_restart();
        scene.plays_out();
        scene.is_right(&device, &format!("killed at message {number}"));
    }
    println!("{messages} messages, a kill at each");
}

#[test]
fn a_kill_while_the_file_is_on_its_way_begins_it_again() {
    let scene = Scene::new(Place::Slow(Duration::from_secs(60)));
    let mut device = scene.device();
    eventually("the file is asked for", LIMIT, || {
        let record = scene.files.record();
        record.iter().any(|fetch| fetch.proven).then_some(())
    });
    scene.files.put("gw.script", file());
    device.kill_and_restart();
    scene.plays_out();
    scene.is_right(&device, "killed while the file came");
}

#[test]
fn a_kill_as_a_script_is_applied_does_it_again_or_not_and_tells_it_once() {
    let scene = Scene::new(file());
    let device = scene.device();
    scene.plays_out();
    drop(device);
    let record = scene.acs.record();
    let tells = |sent: &Sent| told(sent, "M Download", "k-down");
    let number = 1 + record
        .iter()
        .position(tells)
        .expect("an Inform tells of it");
    for delay in [0, 2, 5, 10, 20, 50, 100] {
        let scene = Scene::new(file());
        // What the ACS has taken may be told once more: it takes nothing before the kill.
        scene.acs.stalls_at(number);
        let mut device = scene.device();
        eventually("the file is had", LIMIT, || {
            let record = scene.files.record();
            record.iter().any(|fetch| fetch.proven).then_some(())
        });
        std::thread::sleep(Duration::from_millis(delay));
        device.kill_and_restart();
        scene.plays_out();
        scene.is_right(&device, &format!("killed {delay} ms after the file"));
    }
}

/// What is told of an image whose installer does this, is seen at work, and
/// goes on while its device is killed.
fn killed_while_installing(does: &str) -> Sent {
    let folder = Folder::new("crash");
    let (profile, key) = profile(&folder);
    let (acs, files) = (Acs::open(), Files::open());
    let url = files.put("image", Place::File(signed(&folder, &key, "firmware")));
    let mut device = device_of_profile(&folder, &acs, &profile);
    acs.ended(1);
    let seen = folder.path().join("at work");
    let program = format!("#!/bin/sh\n{does}\n: >\"$1\"\nexec sleep 2\n");
    let program = folder.file("install.sh", &program);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    let line = format!("{}\n{}\n", program.display(), seen.display());
    fs::write(device.home.join("installer"), line).expect("written");
    acs.asks(&download("k-image", IMAGE, &url, 0));
    session(&device);
    eventually("the installer is at work", LIMIT, || {
        seen.exists().then_some(())
    });
    device.kill_and_restart();
    let told = complete(&acs, "k-image");
    let record = acs.record();
    let informs = informs_with(&record, "M Download");
    assert_eq!(informs.len(), 1);
    assert!(self::told(informs[0], "M Download", "k-image"));
    let events = informs[0].events();
    assert!(events.contains(&"7 TRANSFER COMPLETE".to_owned()));
    // Nobody says it again, and no second installer was begun.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(taken(&acs.record(), "TransferComplete").len(), 1);
    assert_eq!(files.record().len(), 1);
    acs.judges_every_envelope(&folder);
    told
}

#[test]
fn a_kill_while_an_installer_runs_is_told_as_the_installer_said_itself() {
    let done = killed_while_installing(": >firmware/installed");
    assert_eq!(code(&done), "0");
    let cut = killed_while_installing(":");
    assert_eq!(code(&cut), "9010");
}
