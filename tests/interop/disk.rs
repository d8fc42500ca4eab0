//! A full disk: SETs are refused with resourceUnavailable, nothing is lost,
//! and writing goes on when space returns.

use crate::bench::{Device, Folder, eventually, run};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A small file system of its own, unmounted when the test ends.
pub(crate) struct Tmpfs(pub(crate) PathBuf);

impl Tmpfs {
    pub(crate) fn mount(folder: &Folder) -> Self {
        let path = folder.path().join("small");
        fs::create_dir_all(&path).expect("a mount point");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "demarc"])
            .arg(&path));
        Self(path)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_sets_with_resource_unavailable_and_recovers() {
    let folder = Folder::new("disk");
    let small = Tmpfs::mount(&folder);
    let mut device = Device::start_in(&folder, "small/data", &[]);
    device.done(&["set", "Hoc.SystemName=before"]);
    let filler = small.0.join("filler");
    let _ = Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", filler.display()))
        .output();
    // The journal has some zeroed space ahead of it: fill that too.
    let text = "x".repeat(200);
    let mut round = 0;
    let refused = eventually("a set is refused", Duration::from_secs(60), || {
        round += 1;
        let settings: Vec<String> = (1..=50)
            .map(|row| format!("Hoc.StaticHosts[Index={row}].IpAddresses=\"{text}{round}\""))
            .collect();
        let words: Vec<&str> = ["set"]
            .into_iter()
            .chain(settings.iter().map(String::as_str))
            .collect();
        let output = device.cli(&words);
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    });
    assert!(refused.contains("the disk is full"), "{refused}");
    // What is left of the space ahead takes small frames still.
    eventually(
        "the smallest set is refused",
        Duration::from_secs(60),
        || {
            round += 1;
            let setting = format!("Hoc.SystemContact={text}{round}");
            (!device.cli(&["set", &setting]).status.success()).then_some(())
        },
    );
    let output = Command::new("snmpset")
        .args([
            "-v3", "-l", "authPriv", "-u", "admin", "-a", "SHA-256", "-x", "AES",
        ])
        .args([
            "-A",
            &device.secret("snmp-auth-password"),
            "-X",
            &device.secret("snmp-priv-password"),
        ])
        .arg(format!("127.0.0.1:{}", device.snmp))
        .args(["1.3.6.1.2.1.1.6.0", "s", &text])
        .output()
        .expect("snmpset");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("resourceUnavailable"), "{said}");
    eventually("the alarm stands", Duration::from_secs(5), || {
        (device.get("Conf.StoreState") == "full").then_some(())
    });
    assert_eq!(device.get("Hoc.SystemName"), "before");
    fs::remove_file(&filler).expect("the filler goes");
    eventually("a set is taken again", Duration::from_secs(20), || {
        device
            .cli(&["set", "Hoc.SystemName=after"])
            .status
            .success()
            .then_some(())
    });
    eventually("the alarm ends", Duration::from_secs(5), || {
        (device.get("Conf.StoreState") == "writing").then_some(())
    });
    device.kill_and_restart();
    assert_eq!(device.get("Hoc.SystemName"), "after");
}
