//! Provisional changes on a whole device.

use demarc::device::{Device, DeviceOptions};
use demarc::schema::{Name, Value};
use demarc::tree::{Actor, Transaction};
use std::path::PathBuf;
use std::time::Duration;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("demarc-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn open(&self) -> Device {
        Device::open(&self.0, &DeviceOptions::default()).expect("a device")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn set(tree: &demarc::tree::Tree, assignments: &[(&str, Value)]) -> u64 {
    let mut txn = Transaction::new(Actor::local());
    for (name, value) in assignments {
        txn.assign(Name::parse(name).expect("a name"), value.clone());
    }
    tree.commit_and_wait(txn, 0).expect("granted").version
}

fn read(tree: &demarc::tree::Tree, name: &str) -> Option<Value> {
    tree.instances().read(&Name::parse(name).expect("a name"))
}

/// Services that would bind ports stay down: nothing here needs them.
fn quiet(tree: &demarc::tree::Tree) {
    let off = Value::Integer(200);
    set(
        tree,
        &[
            ("Scm.ServicesConfig[Name=SipEp].StartupType", off.clone()),
            ("Scm.ServicesConfig[Name=Snmp].StartupType", off),
            ("Hoc.SystemName", "old".into()),
        ],
    );
}

fn run(device: Device, for_how_long: Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let ended = runtime.block_on(async { device.run(tokio::time::sleep(for_how_long)).await });
    ended.expect("it ran");
}

#[test]
pub(crate) fn a_change_that_nobody_confirms_is_undone_in_time() {
    let folder = Folder::new("unconfirmed");
    let device = folder.open();
    let tree = device.tree().clone();
    quiet(&tree);
    let within = ("Conf.ConfirmWithin", Value::Unsigned(1));
    let version = set(&tree, &[within, ("Hoc.SystemName", "new".into())]);
    assert_eq!(read(&tree, "Hoc.SystemName"), Some("new".into()));
    let watched = tree.clone();
    run(device, Duration::from_millis(1600));
    assert_eq!(read(&watched, "Hoc.SystemName"), Some("old".into()));
    assert_eq!(watched.snapshot().version(), version + 1);
}

#[test]
pub(crate) fn a_change_that_is_confirmed_by_hand_stays() {
    let folder = Folder::new("confirmed");
    let device = folder.open();
    let tree = device.tree().clone();
    quiet(&tree);
    let within = ("Conf.ConfirmWithin", Value::Unsigned(1));
    let version = set(&tree, &[within, ("Hoc.SystemName", "new".into())]);
    let hand = tree.clone();
    let confirming = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        let column = format!("Conf.PendingChange[Version={version}].Confirm");
        set(&hand, &[(&column, Value::Integer(10))]);
    });
    run(device, Duration::from_millis(1600));
    confirming.join().expect("it set the column");
    assert_eq!(read(&tree, "Hoc.SystemName"), Some("new".into()));
    assert!(tree.pending_changes().is_empty());
}

#[test]
pub(crate) fn a_change_that_is_sent_back_by_hand_is_undone_at_once() {
    let folder = Folder::new("sent-back");
    let device = folder.open();
    let tree = device.tree().clone();
    quiet(&tree);
    let within = ("Conf.ConfirmWithin", Value::Unsigned(3600));
    let version = set(&tree, &[within, ("Hoc.SystemName", "new".into())]);
    let hand = tree.clone();
    let sending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        let column = format!("Conf.PendingChange[Version={version}].GoBack");
        set(&hand, &[(&column, Value::Integer(10))]);
    });
    run(device, Duration::from_millis(1600));
    sending.join().expect("it set the column");
    assert_eq!(read(&tree, "Hoc.SystemName"), Some("old".into()));
}

#[test]
fn a_change_that_waits_is_undone_by_a_restart() {
    let folder = Folder::new("restarted");
    let device = folder.open();
    quiet(device.tree());
    let within = ("Conf.ConfirmWithin", Value::Unsigned(3600));
    set(device.tree(), &[within, ("Hoc.SystemName", "new".into())]);
    drop(device);
    let device = folder.open();
    assert_eq!(read(device.tree(), "Hoc.SystemName"), Some("old".into()));
    assert!(device.tree().pending_changes().is_empty());
}
