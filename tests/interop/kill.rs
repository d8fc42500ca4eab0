//! SIGKILL at random during writes over SNMP; the client's record is the judge.

use crate::bench::{Device, Folder};
use async_snmp::{Auth, Client, Oid, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Writers at once, each with two rows of its own that it sets in one PDU.
const WRITERS: usize = 4;
const KILLS: u32 = 100;

/// Hoc.StaticHosts[Index=row].Name.
fn name_of(row: usize) -> Oid {
    let row = u32::try_from(row).expect("a small number");
    Oid::from_slice(&[
        1, 3, 6, 1, 4, 1, 4935, 1000, 100, 200, 100, 700, 1, 650, 100, 1, 200, row,
    ])
}

#[test]
fn no_acknowledged_set_is_lost_and_none_is_half_applied() {
    let folder = Folder::new("kill");
    let settings = [
        "Snmp.EnableSnmpV2=enable",
        "Snmp.Community=writers",
        "Snmp.SnmpUser=admin",
    ];
    let mut device = Device::start(&folder, &settings);
    let mut last = [0_u32; WRITERS];
    let mut acknowledged = 0;
    for round in 0..KILLS {
        let (stop, records) = write_until_stopped(device.snmp, last);
        // Spread over the life of a commit, different each round, the same each run.
        let pause = u64::from(round * 7919 % 211) + 40;
        thread::sleep(Duration::from_millis(pause));
        device.process.kill();
        stop.store(true, Ordering::Relaxed);
        for (writer, record) in records.into_iter().enumerate() {
            let (counter, handle) = record;
            handle.join().expect("a writer ends");
            let acked = counter.load(Ordering::Relaxed);
            acknowledged += acked - last[writer];
            last[writer] = acked;
        }
        device.kill_and_restart();
        for (writer, acked) in last.iter_mut().enumerate() {
            let [first, second] = [1, 2].map(|half| stored(&device, writer * 2 + half));
            assert_eq!(
                first, second,
                "round {round}: writer {writer} is half applied"
            );
            assert!(
                first >= *acked,
                "round {round}: writer {writer} lost {acked}, has {first}"
            );
            // One more may have reached the disk than the client heard of.
            assert!(
                first <= *acked + 1,
                "round {round}: writer {writer} has {first} after {acked}"
            );
            *acked = first;
        }
    }
    assert!(
        acknowledged > KILLS,
        "only {acknowledged} acknowledged sets"
    );
    println!("{acknowledged} acknowledged sets, {KILLS} kills, none lost");
}

type Record = (Arc<AtomicU32>, thread::JoinHandle<()>);

fn write_until_stopped(port: u16, from: [u32; WRITERS]) -> (Arc<AtomicBool>, Vec<Record>) {
    let stop = Arc::new(AtomicBool::new(false));
    let records = (0..WRITERS).map(|writer| {
        let acked = Arc::new(AtomicU32::new(from[writer]));
        let (counter, stop) = (acked.clone(), stop.clone());
        let handle = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(write(port, writer, &counter, &stop));
        });
        (acked, handle)
    });
    let records = records.collect();
    (stop, records)
}

async fn write(port: u16, writer: usize, acked: &AtomicU32, stop: &AtomicBool) {
    let client = Client::builder(("127.0.0.1", port), Auth::v2c("writers"))
        .request_timeout(Duration::from_millis(300))
        .retry(async_snmp::Retry::none())
        .connect()
        .await
        .expect("a client");
    while !stop.load(Ordering::Relaxed) {
        let next = acked.load(Ordering::Relaxed) + 1;
        let value = || Value::from(format!("n{next}").as_str());
        let wishes = [1, 2].map(|half| (name_of(writer * 2 + half), value()));
        if client.set_many(&wishes).await.is_err() {
            // Not known whether it happened: the check after the restart allows for one.
            return;
        }
        acked.store(next, Ordering::Relaxed);
    }
}

fn stored(device: &Device, row: usize) -> u32 {
    let name = format!("Hoc.StaticHosts[Index={row}].Name");
    if !device.cli(&["get", &name]).status.success() {
        return 0;
    }
    let value = device.get(&name);
    let count = value.strip_prefix('n').and_then(|count| count.parse().ok());
    count.unwrap_or_else(|| panic!("{name} is {value:?}, which no writer wrote"))
}
