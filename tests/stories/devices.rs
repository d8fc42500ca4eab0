//! Devices as values, and settings that something reads.

use demarc::device::{Device, DeviceOptions, claims};
use demarc::schema::{self, Name, Role, Value};
use demarc::tree::{Actor, DeviceId, Store, StoreOptions, Transaction};
use std::path::PathBuf;
use std::time::Duration;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("demarc-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn set(device: &Device, name: &str, value: Value) {
    let mut txn = Transaction::new(Actor::local());
    txn.assign(Name::parse(name).expect("a name"), value);
    device.tree().commit_and_wait(txn, 0).expect("granted");
}

fn read(device: &Device, name: &str) -> Option<Value> {
    let name = Name::parse(name).expect("a name");
    device.tree().instances().read(&name)
}

#[test]
fn three_devices_run_on_one_store_in_one_process_and_keep_to_themselves() {
    let folder = Folder::new("three");
    let open = |store: &Store, number: u32| {
        let home = folder.0.join(format!("device-{number}"));
        let options = DeviceOptions::default();
        Device::open_on(store, DeviceId(number), &home, &options).expect("a device")
    };
    let store = Store::open(&folder.0, StoreOptions::default()).expect("a store");
    let devices: Vec<Device> = (1..=3).map(|number| open(&store, number)).collect();
    for (number, device) in (1_u32..).zip(&devices) {
        set(
            device,
            "Hoc.SystemName",
            Value::from(format!("device-{number}")),
        );
        // Nobody else's port: SNMP is off, SIP listens on what the system gives.
        set(
            device,
            "Scm.ServicesConfig[Name=SipEp].StartupType",
            Value::Integer(200),
        );
        set(
            device,
            "Scm.ServicesConfig[Name=Snmp].StartupType",
            Value::Integer(200),
        );
    }
    let serials: std::collections::BTreeSet<String> = devices
        .iter()
        .map(|device| device.identity().serial.clone())
        .collect();
    assert_eq!(serials.len(), 3);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for device in devices {
            running.spawn(device.run(tokio::time::sleep(Duration::from_millis(300))));
        }
        while let Some(ended) = running.join_next().await {
            ended.expect("no panic").expect("it ran");
        }
    });
    drop(runtime);
    for number in 1..=3 {
        let device = open(&store, number);
        let name = Value::from(format!("device-{number}"));
        assert_eq!(read(&device, "Hoc.SystemName"), Some(name));
    }
}

#[test]
fn every_writable_object_is_read_by_some_engine() {
    // Shown to managers as they were set, and that is all they are for.
    const SHOWN: [&str; 3] = ["systemContact", "systemLocation", "snmpSetSerialNo"];
    let claimed = claims();
    let mut writable = 0;
    for (id, column) in schema::columns() {
        if !column.writable || SHOWN.contains(&column.name) {
            continue;
        }
        writable += 1;
        let read = match column.role {
            Role::Alias(target) => claimed.contains(&target) || SHOWN.contains(&target.get().name),
            _ => claimed.contains(&id),
        };
        assert!(read, "nothing reads {}", column.name);
    }
    assert!(writable > 100, "{writable} writable objects");
}
