//! Devices as values, and settings that something reads.

use demarc::device::{Device, DeviceOptions, claims};
use demarc::schema::{self, Column, ColumnId, Name, Role, Value};
use demarc::tree::{Actor, DeviceId, Store, StoreOptions, Transaction};
use std::collections::BTreeSet;
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

/// What the tree itself reads: a lock of managers, which it checks and counts up.
fn the_tree_reads(column: &Column) -> bool {
    column.syntax.format == "TestAndIncr"
}

/// Objects that a standard's name shows: reading that name is their use.
fn shown_by_a_standard() -> BTreeSet<ColumnId> {
    let aliases = schema::columns().filter_map(|(_, column)| match column.role {
        Role::Alias(target) => Some(target),
        _ => None,
    });
    aliases.collect()
}

#[test]
fn every_writable_object_is_read_by_some_engine() {
    let (claimed, shown) = (claims(), shown_by_a_standard());
    let mut writable = 0;
    for (id, column) in schema::columns().filter(|(_, column)| column.writable) {
        writable += 1;
        let read = match column.role {
            Role::Alias(_) => true,
            _ => claimed.contains(&id) || shown.contains(&id) || the_tree_reads(column),
        };
        assert!(read, "nothing reads {}", column.name);
    }
    assert!(writable > 100, "{writable} writable objects");
}

#[test]
pub(crate) fn contact_name_and_location_show_under_the_standards_names_and_are_set_there() {
    let folder = Folder::new("shown");
    let device = Device::open(&folder.0, &DeviceOptions::default()).expect("a device");
    let system = |arc: u32| format!("1.3.6.1.2.1.1.{arc}.0");
    for (arc, name) in [
        (4, "Hoc.SystemContact"),
        (5, "Hoc.SystemName"),
        (6, "Hoc.SystemLocation"),
    ] {
        set(&device, name, Value::from("by its name"));
        assert_eq!(
            read(&device, &system(arc)),
            Some(Value::from("by its name"))
        );
        set(&device, &system(arc), Value::from("by the standard's"));
        assert_eq!(read(&device, name), Some(Value::from("by the standard's")));
    }
}

#[test]
pub(crate) fn the_managers_lock_takes_its_own_value_only_and_grows_by_one() {
    // RFC 3418 snmpSetSerialNo, RFC 2579 TestAndIncr.
    let folder = Folder::new("serial-number");
    let device = Device::open(&folder.0, &DeviceOptions::default()).expect("a device");
    let lock = "1.3.6.1.6.3.1.1.6.1.0";
    let Some(Value::Integer(now)) = read(&device, lock) else {
        panic!("a number");
    };
    let mut txn = Transaction::new(Actor::local());
    txn.assign(Name::parse(lock).expect("a name"), Value::Integer(now + 1));
    txn.assign(
        Name::parse("Hoc.SystemName").expect("a name"),
        Value::from("late"),
    );
    assert!(device.tree().commit_and_wait(txn, 0).is_err());
    assert_eq!(read(&device, "Hoc.SystemName"), Some(Value::from("")));
    set(&device, lock, Value::Integer(now));
    assert_eq!(read(&device, lock), Some(Value::Integer(now + 1)));
}
