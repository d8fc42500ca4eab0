//! Durable commits of the tree, and opening what they left.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use demarc::schema::{Index, Name, Value, hoc};
use demarc::tree::{Actor, Backing, DeviceId, Store, StoreOptions, Transaction, Tree, device_key};

use crate::folder::Folder;
use crate::measure::{alternate, median, repeat, wall};
use crate::report::{Report, Target, Unit};

pub(crate) fn run(report: &mut Report) {
    report.table(
        "Tree: writing",
        &[
            "time on the wall, from the transaction to its answer, on the build's file system"
                .to_owned(),
            "commit and append in turns, one by one: the append is a write of as many octets as \
             the commit's frame has to the end of a file of its own, and fdatasync"
                .to_owned(),
        ],
    );
    let folder = Folder::new("writes");
    let open = open(folder.path());
    let (ours, bare) = commit_beside_append(&open, folder.path());
    let target = Target::RatioAtMost(1.0);
    report.pair(
        "commit of ten rows beside a bare append",
        Unit::Microseconds,
        ours,
        bare,
        target,
    );
    let (many, one) = alternate(|| commits(&open, WRITERS), || commits(&open, 1));
    let target = Target::RatioAtLeast(5.0);
    report.pair(
        "64 writers at once beside one",
        Unit::PerSecond,
        many,
        one,
        target,
    );
    open.close();
    report.alone(
        "opening 10 000 rows",
        Unit::Milliseconds,
        boot(),
        Target::AtMost(100.0),
    );
}

/// A tree on its store.
struct Open {
    tree: Tree,
    store: Store,
}

impl Open {
    fn close(self) {
        drop(self.tree);
        self.store.close();
    }

    fn commit(&self, txn: Transaction) {
        self.tree
            .commit_and_wait(txn, 0)
            .expect("nothing is wrong with it");
    }
}

fn open(folder: &Path) -> Open {
    let store = Store::open(folder, StoreOptions::default()).expect("a store");
    let sealer = device_key(&folder.join("device.key")).expect("a key");
    let backing = Backing::Store {
        store: store.clone(),
        device: DeviceId(1),
        sealer: Arc::new(sealer),
    };
    let (tree, _) = Tree::open(backing, Vec::new(), Vec::new()).expect("a tree");
    Open { tree, store }
}

/// Host rows from `first` on, with a value that is new each time.
fn hosts(first: u32, count: u32, time: usize) -> Transaction {
    let mut txn = Transaction::new(Actor::local());
    for row in first..first + count {
        let mut assign = |column, value: String| {
            let index = Index::number(row);
            txn.assign(Name { column, index }, Value::octets(value));
        };
        assign(
            hoc::static_hosts::NAME.id(),
            format!("host-{row}-{time}.example.org"),
        );
        assign(
            hoc::static_hosts::IP_ADDRESSES.id(),
            format!("192.0.2.{}", time % 250),
        );
    }
    txn
}

/// Microseconds of each.
fn commit_beside_append(open: &Open, folder: &Path) -> (f64, f64) {
    open.commit(hosts(1, 10, 0));
    let before = journal(folder);
    (1..=PROBES).for_each(|time| open.commit(hosts(1, 10, time)));
    let frame = (journal(folder) - before) / PROBES;
    let octets = vec![0xa5; frame];
    let mut file = OpenOptions::new();
    let mut file = file
        .create(true)
        .append(true)
        .open(folder.join("bare"))
        .expect("a file");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for time in 0..COMMITS {
        let txn = hosts(1, 10, PROBES + 1 + time);
        ours.push(wall(|| open.commit(txn)));
        bare.push(wall(|| {
            file.write_all(&octets).expect("space");
            file.sync_data().expect("a disk");
        }));
    }
    (median(ours), median(bare))
}

/// Octets of the journal that are in use.
fn journal(folder: &Path) -> usize {
    let files = fs::read_dir(folder.join("journal")).expect("the journal");
    let used = |path: &Path| {
        let octets = fs::read(path).expect("ours");
        octets
            .iter()
            .rposition(|octet| *octet != 0)
            .map_or(0, |last| last + 1)
    };
    files.flatten().map(|file| used(&file.path())).sum()
}

/// Commits a second of so many writers, each with a row of its own.
fn commits(open: &Open, writers: u32) -> f64 {
    let times = (4_096 / writers as usize).min(512);
    let all = (times * writers as usize) as f64;
    let took = wall(|| {
        thread::scope(|scope| {
            for writer in 0..writers {
                scope.spawn(move || {
                    (0..times).for_each(|time| open.commit(hosts(100 + writer, 1, time)));
                });
            }
        });
    });
    all / (took / 1e6)
}

/// Milliseconds until a tree of 10 000 rows can be read.
fn boot() -> f64 {
    let folder = Folder::new("boot");
    let first = open(folder.path());
    (0..10).for_each(|part| first.commit(hosts(1 + part * 1_000, 1_000, 1)));
    first.close();
    repeat(|| {
        let mut again = None;
        let took = wall(|| again = Some(open(folder.path())));
        let again = again.expect("opened");
        assert_eq!(
            again.tree.snapshot().rows(hoc::static_hosts::TABLE).len(),
            10_000
        );
        again.close();
        took / 1e3
    })
}

const PROBES: usize = 50;
const COMMITS: usize = 2_000;
const WRITERS: u32 = 64;
