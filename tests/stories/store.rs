//! What the store promises: acknowledged is on disk, damage is found.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use demarc::tree::store::{
    DeviceId, OnDamage, Record, RowChange, Store, StoreError, StoreEvent, StoreOptions, Stored,
    Unsound, Who, inspect,
};

#[test]
fn what_was_acknowledged_is_there_after_reopening() {
    let dir = Scratch::new();
    let store = open(&dir);
    let mut model = Model::default();
    for version in 1..=50 {
        commit(&store, &mut model, 1, version);
        commit(&store, &mut model, 2, version);
    }
    model.assert_holds(&store);
    store.close();

    let store = open(&dir);
    model.assert_holds(&store);
    assert_eq!(store.events(), []);
    commit(&store, &mut model, 1, 51);
    model.assert_holds(&store);
}

#[test]
fn a_second_opening_of_the_same_folder_is_refused_until_the_first_ends() {
    let dir = Scratch::new();
    let store = open(&dir);
    let refused = Store::open(&dir, StoreOptions::default()).err();
    assert_eq!(refused, Some(StoreError::Locked(dir.to_owned())));
    assert_eq!(inspect(&dir), Err(StoreError::Locked(dir.to_owned())));
    let other = store.clone();
    store.close();
    assert_eq!(append(&other, record(1, 1)), Err(StoreError::Closed));
    assert_eq!(other.load(DeviceId(1)), Err(StoreError::Closed));
    open(&dir).close();
}

#[test]
fn a_version_that_does_not_follow_is_refused_and_changes_nothing() {
    let dir = Scratch::new();
    let store = open(&dir);
    let mut model = Model::default();
    commit(&store, &mut model, 1, 1);
    for found in [0, 1, 3] {
        let refused = append(&store, record(1, found));
        let device = DeviceId(1);
        assert_eq!(
            refused,
            Err(StoreError::OutOfOrder {
                device,
                last: 1,
                found
            })
        );
    }
    let mut nameless = record(1, 2);
    nameless.rows[0].table = "".into();
    assert_eq!(append(&store, nameless), Err(StoreError::TooLarge));
    commit(&store, &mut model, 1, 2);
    model.assert_holds(&store);
}

#[test]
fn history_tells_who_changed_what_newest_first() {
    let dir = Scratch::new();
    let store = open(&dir);
    let mut model = Model::default();
    for version in 1..=30 {
        commit(&store, &mut model, 1, version);
        commit(&store, &mut model, 2, version);
    }
    let newest = store.history(DeviceId(1), 3).expect("readable");
    assert_eq!(newest, [record(1, 30), record(1, 29), record(1, 28)]);
    assert_eq!(
        store.history(DeviceId(2), 1000).expect("readable").len(),
        30
    );
    assert_eq!(store.history(DeviceId(3), 5), Ok(vec![]));
}

#[test]
fn a_store_that_grew_through_many_files_and_snapshots_reopens_from_the_newest() {
    let dir = Scratch::new();
    let options = small();
    let store = Store::open(&dir, options.clone()).expect("opens");
    let mut model = Model::default();
    for version in 1..=400 {
        commit(&store, &mut model, 1, version);
    }
    store.close();
    assert!(journal_files(&dir).len() < 40, "the journal is cut");
    assert_eq!(files_in(&dir.join("snapshots")).len(), 2);

    let store = Store::open(&dir, options).expect("opens");
    model.assert_holds(&store);
    assert_eq!(store.events(), []);
    let held = store.history(DeviceId(1), 1000).expect("readable").len();
    assert!((1..400).contains(&held), "{held} records");
}

#[test]
fn an_end_that_was_torn_anywhere_is_cut_and_told() {
    let crashed = Crashed::with_commits(6);
    let (file, start, end) = crashed.last_frame();
    // Every octet, one after the other, is the journal's own test.
    for at in (start + 1..end - 8).step_by(40) {
        for damage in [Damage::Truncate, Damage::Zero, Damage::Garbage] {
            let dir = crashed.copy();
            fs::remove_dir_all(dir.join("store")).expect("sled never got that far");
            damage.apply(&dir.join(&file), at);
            let store = open(&dir);
            let torn = |event: &StoreEvent| matches!(event, StoreEvent::TornTailCut { offset, .. } if *offset == start);
            assert!(store.events().iter().any(torn), "{damage:?} at {at}");
            let mut model = crashed.model_at(5);
            model.assert_holds(&store);
            commit(&store, &mut model, 1, 6);
            store.close();
            let store = open(&dir);
            model.assert_holds(&store);
            assert_eq!(store.events(), []);
        }
    }
}

#[test]
fn whoever_shares_a_store_hears_of_everything_once() {
    let crashed = Crashed::with_commits(6);
    let (file, start, _) = crashed.last_frame();
    let dir = crashed.copy();
    Damage::Truncate.apply(&dir.join(file), start + 9);
    let store = open(&dir);
    let (one, other) = (store.clone(), store.clone());
    let found = one.events();
    assert!(!found.is_empty());
    assert_eq!(other.events(), found);
    assert_eq!(one.events(), []);
    assert_eq!(one.clone().events(), []);
    assert_eq!(store.events(), found);
}

#[test]
fn a_frame_that_sled_has_already_is_kept_although_the_journal_lost_it() {
    let crashed = Crashed::with_commits(6);
    let (file, start, _) = crashed.last_frame();
    let dir = crashed.copy();
    Damage::Truncate.apply(&dir.join(file), start + 9);
    let store = open(&dir);
    assert_eq!(
        store.events(),
        [StoreEvent::JournalShort {
            journal: 5,
            other: 6
        }]
    );
    let mut model = crashed.model_at(6);
    model.assert_holds(&store);
    commit(&store, &mut model, 1, 7);
    store.close();
    let store = open(&dir);
    model.assert_holds(&store);
}

#[test]
fn damage_in_the_journal_is_refused_where_no_other_copy_is_as_new() {
    let crashed = Crashed::with_commits(6);
    let (file, second, third) = crashed.frame(2);
    for at in (second..third).chain([0]) {
        let dir = crashed.copy();
        fs::remove_dir_all(dir.join("store")).expect("it is there");
        let file = dir.join(&file);
        flip(&file, at);
        let refused = Store::open(&dir, StoreOptions::default()).err();
        let Some(StoreError::Damaged {
            file: named,
            offset,
        }) = refused
        else {
            panic!("a flip at {at} went through: {refused:?}");
        };
        assert_eq!(named, file);
        assert!(offset <= at);
    }
}

#[test]
fn salvage_goes_on_from_the_last_good_state_and_says_what_is_lost() {
    let crashed = Crashed::with_commits(6);
    let (file, start, _) = crashed.frame(3);
    let dir = crashed.copy();
    fs::remove_dir_all(dir.join("store")).expect("it is there");
    flip(&dir.join(&file), start + 40);
    let options = StoreOptions {
        on_damage: OnDamage::Salvage,
        ..StoreOptions::default()
    };
    let store = Store::open(&dir, options).expect("salvaged");
    let told = StoreEvent::JournalRepaired {
        file: dir.join(&file),
        offset: start,
        lost: 4,
    };
    assert!(store.events().contains(&told));
    let mut model = crashed.model_at(2);
    model.assert_holds(&store);
    commit(&store, &mut model, 1, 3);
    store.close();
    assert_eq!(files_in(&dir.join("damaged")).len(), 1);
    let store = open(&dir);
    model.assert_holds(&store);
}

#[test]
fn damage_in_the_journal_costs_nothing_where_sled_is_whole_and_as_new() {
    let dir = Scratch::new();
    let store = open(&dir);
    let mut model = Model::default();
    for version in 1..=6 {
        commit(&store, &mut model, 1, version);
    }
    store.close();
    let file = dir.join("journal").join(&journal_files(&dir)[0]);
    for at in [0, 30, 500, 1000] {
        let dir = copy_of(&dir);
        let file = dir
            .join("journal")
            .join(file.file_name().expect("it has one"));
        flip(&file, at);
        let store = open(&dir);
        let repaired =
            |event: &StoreEvent| matches!(event, StoreEvent::JournalRepaired { lost: 0, .. });
        assert!(store.events().iter().any(repaired), "flip at {at}");
        model.assert_holds(&store);
        store.close();
        let store = open(&dir);
        model.assert_holds(&store);
        assert_eq!(store.events(), []);
    }
}

#[test]
fn the_last_frame_of_a_clean_close_is_never_taken_for_torn() {
    let crashed = Crashed::with_commits(3);
    let (file, start, _) = crashed.last_frame();
    let dir = Scratch::new();
    copy_folder(&crashed.dir, &dir);
    open(&dir).close();
    let store = open(&dir);
    let mut model = crashed.model_at(3);
    commit(&store, &mut model, 1, 4);
    store.close();
    fs::remove_dir_all(dir.join("store")).expect("it is there");
    let next = start + 8 * ((crashed.last_frame().2 - start) / 8);
    flip(&dir.join(file), next + 40);
    let refused = Store::open(&dir, StoreOptions::default()).err();
    assert!(
        matches!(refused, Some(StoreError::Damaged { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_flip_in_any_file_of_sled_changes_no_row() {
    let dir = Scratch::new();
    let store = Store::open(&dir, small()).expect("opens");
    let mut model = Model::default();
    for version in 1..=60 {
        commit(&store, &mut model, 1, version);
    }
    store.close();
    let mut told = 0;
    for (file, at) in places(&dir.join("store"), 24) {
        let dir = copy_of(&dir);
        flip(&dir.join("store").join(&file), at);
        let store = Store::open(&dir, small()).expect("sled is derived");
        model.assert_holds(&store);
        let events = store.events();
        let moved = |event: &StoreEvent| matches!(event, StoreEvent::TreeMovedAside { .. });
        told += usize::from(events.iter().any(moved));
        store.close();
        let store = Store::open(&dir, small()).expect("it was rebuilt");
        model.assert_holds(&store);
        assert_eq!(store.events(), [], "flip at {at} of {}", file.display());
    }
    assert!(told > 0, "no flip was noticed");
}

#[test]
fn a_flip_in_any_snapshot_file_changes_no_row_and_is_told() {
    let dir = Scratch::new();
    let store = Store::open(&dir, small()).expect("opens");
    let mut model = Model::default();
    for version in 1..=200 {
        commit(&store, &mut model, 1, version);
    }
    store.close();
    for (file, at) in places(&dir.join("snapshots"), 8) {
        for with_tree in [true, false] {
            let dir = copy_of(&dir);
            flip(&dir.join("snapshots").join(&file), at);
            if !with_tree {
                fs::remove_dir_all(dir.join("store")).expect("it is there");
            }
            let store = Store::open(&dir, small()).expect("the other copies are whole");
            model.assert_holds(&store);
            let found = |event: &StoreEvent| matches!(event, StoreEvent::SnapshotDamaged { .. });
            wait_until(&store, found);
            model.assert_holds(&store);
            store.close();
            let store = Store::open(&dir, small()).expect("opens");
            model.assert_holds(&store);
        }
    }
}

#[test]
fn an_older_sled_that_was_copied_back_is_found_out() {
    let dir = Scratch::new();
    let store = Store::open(&dir, small()).expect("opens");
    let mut model = Model::default();
    for version in 1..=10 {
        commit(&store, &mut model, 1, version);
    }
    store.close();
    let old = copy_of(&dir);
    let store = Store::open(&dir, small()).expect("opens");
    for version in 11..=200 {
        commit(&store, &mut model, 1, version);
    }
    store.close();
    fs::remove_dir_all(dir.join("store")).expect("it is there");
    copy_folder(&old.join("store"), &dir.join("store"));

    let store = Store::open(&dir, small()).expect("opens");
    model.assert_holds(&store);
    let stale = |event: &StoreEvent| {
        matches!(
            event,
            StoreEvent::TreeMovedAside {
                why: Unsound::Stale,
                ..
            }
        )
    };
    wait_until(&store, stale);
    wait_until(&store, |event| {
        matches!(event, StoreEvent::TreeRebuilt { .. })
    });
    commit(&store, &mut model, 1, 201);
    model.assert_holds(&store);
    store.close();
    let tree = inspect(&dir)
        .expect("nobody has it")
        .tree
        .expect("it is sound");
    assert_eq!(tree.devices, [(DeviceId(1), 201)]);
}

#[test]
fn inspecting_shows_tables_and_versions_and_changes_nothing() {
    let dir = Scratch::new();
    let store = Store::open(&dir, small()).expect("opens");
    let mut model = Model::default();
    for version in 1..=100 {
        commit(&store, &mut model, 1, version);
        commit(&store, &mut model, 9, version);
    }
    store.close();
    let before = octets_below(&dir);
    let seen = inspect(&dir).expect("nobody has it");
    assert_eq!(octets_below(&dir), before);
    let tree = seen.tree.expect("it is sound");
    assert_eq!(tree.devices, [(DeviceId(1), 100), (DeviceId(9), 100)]);
    let rows: u64 = tree.tables.values().sum();
    assert_eq!(rows as usize, model.rows.len());
    assert!(seen.snapshots.iter().all(|(_, whole)| *whole));
    assert_eq!(seen.bad_place, None);
    assert_eq!(seen.journal.map(|(_, last)| last), Some(tree.sequence));
}

#[test]
fn commits_that_come_together_share_a_sync() {
    let dir = Scratch::new();
    let store = open(&dir);
    thread::scope(|scope| {
        for device in 0..64 {
            let store = &store;
            scope.spawn(move || {
                for version in 1..=20 {
                    append(store, record(device, version)).expect("there is space");
                }
            });
        }
    });
    let counts = store.counts();
    assert_eq!(counts.commits, 64 * 20);
    assert!(counts.syncs * 4 < counts.commits, "{counts:?}");
    println!(
        "64 writers: {} commits, {} syncs",
        counts.commits, counts.syncs
    );
    store.close();
    let store = open(&dir);
    let mut model = Model::default();
    for device in 0..64 {
        (1..=20).for_each(|version| model.apply(&record(device, version)));
    }
    model.assert_holds(&store);
}

#[test]
fn sled_that_falls_far_behind_is_caught_up_from_the_journal() {
    let dir = Scratch::new();
    let store = open(&dir);
    let mut model = Model::default();
    let (told, answers) = mpsc::channel();
    for version in 1..=3000 {
        let record = record(1, version);
        model.apply(&record);
        let told = told.clone();
        let queued = store.append(
            record,
            Box::new(move |answer| told.send(answer).expect("we listen")),
        );
        assert!(queued.is_ok());
        if version % 500 == 0 {
            (0..500).for_each(|_| answers.recv().expect("answered").expect("durable"));
            model.assert_holds(&store);
        }
    }
    store.close();
    model.assert_holds(&open(&dir));
}

/// A child process is killed in the middle of its writes, again and again on the same folder.
#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let rounds = std::env::var("DEMARC_KILLS").map_or(20, |kills| kills.parse().expect("a number"));
    let dir = Scratch::new();
    let mut acknowledged = BTreeMap::new();
    for round in 0..rounds {
        let pause = Duration::from_millis(30 + (round * 37) % 190);
        for (device, version) in acknowledgements_until_killed(&dir, pause) {
            acknowledged.insert(device, version);
        }
        let store = Store::open(&dir, small()).expect("a kill damages nothing");
        for (&device, &version) in &acknowledged {
            let stored = store.load(DeviceId(device)).expect("readable");
            assert!(
                stored.version >= version,
                "device {device} lost {version} after kill {round}"
            );
            assert_whole(device, &stored);
        }
        store.close();
    }
    let total: u64 = acknowledged.values().sum();
    println!("{rounds} kills, {total} acknowledged commits, none lost");
    assert!(total > 0);
}

/// The child of the test above; does nothing by itself.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else {
        return;
    };
    let store = Store::open(Path::new(&dir), small()).expect("opens");
    thread::scope(|scope| {
        for device in 0..4 {
            let store = &store;
            scope.spawn(move || {
                let first = store.load(DeviceId(device)).expect("readable").version + 1;
                for version in first.. {
                    append(store, record(device, version)).expect("there is space");
                    let line = format!("acknowledged {device} {version}\n");
                    std::io::stdout()
                        .write_all(line.as_bytes())
                        .expect("the parent reads");
                }
            });
        }
    });
}

/// Printed, never judged: the machine may be busy.
#[test]
fn the_time_of_a_commit_beside_a_bare_append() {
    let dir = Scratch::new();
    let store = open(&dir);
    let ours = median((1..=200).map(|version| {
        let start = Instant::now();
        append(&store, record(1, version)).expect("there is space");
        start.elapsed()
    }));
    let frame = fs::read(dir.join("journal").join(&journal_files(&dir)[0])).expect("readable");
    let used = frame
        .iter()
        .rposition(|&octet| octet != 0)
        .expect("not empty")
        + 1;
    let octets = vec![7; used / 200];
    let bare = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(dir.join("bare"));
    let mut bare = bare.expect("writable");
    let theirs = median((0..200).map(|_| {
        let start = Instant::now();
        bare.write_all(&octets).expect("there is space");
        bare.sync_data().expect("there is space");
        start.elapsed()
    }));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "commit of {} octets: {ours:?}; bare append: {theirs:?}; ratio {ratio:.2}",
        octets.len()
    );
}

const CHILD: &str = "DEMARC_STORE_CHILD";

fn acknowledgements_until_killed(dir: &Path, pause: Duration) -> Vec<(u32, u64)> {
    let mut child = Command::new(std::env::current_exe().expect("we run"))
        .args([
            "--exact",
            "store::child_that_writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let reader = thread::spawn(move || {
        let read = |line: String| {
            // Only whole lines count; the test harness prints others.
            let rest = line.split_once("acknowledged ")?.1.to_owned();
            let (device, version) = rest.split_once(' ')?;
            Some((device.parse().ok()?, version.parse().ok()?))
        };
        lines.map_while(Result::ok).filter_map(read).collect()
    });
    thread::sleep(pause);
    child.kill().expect("it never ends by itself");
    child.wait().expect("it was ours");
    reader.join().expect("reads to the end")
}

/// Every row of a commit is there or none: each version writes its own number into all ten.
fn assert_whole(device: u32, stored: &Stored) {
    let mut model = Model::default();
    let first = stored.version.saturating_sub(40).max(1);
    (first..=stored.version).for_each(|version| model.apply(&record(device, version)));
    let rows: BTreeMap<_, _> = stored
        .rows
        .iter()
        .map(|row| ((row.table.to_string(), row.key.clone()), &row.value))
        .collect();
    for ((_, table, key), value) in &model.rows {
        assert_eq!(rows.get(&(table.clone(), key.clone())), Some(&value));
    }
    assert_eq!(rows.len(), model.rows.len());
}

/// What the rows should be.
#[derive(Default, Clone)]
struct Model {
    versions: BTreeMap<u32, u64>,
    rows: BTreeMap<(u32, String, Vec<u32>), Vec<u8>>,
}

impl Model {
    fn apply(&mut self, record: &Record) {
        let device = record.device.0;
        self.versions.insert(device, record.version);
        for row in &record.rows {
            let at = (device, row.table.to_string(), row.key.clone());
            match &row.after {
                Some(value) => _ = self.rows.insert(at, value.clone()),
                None => _ = self.rows.remove(&at),
            }
        }
    }

    fn assert_holds(&self, store: &Store) {
        for (&device, &version) in &self.versions {
            let stored = store.load(DeviceId(device)).expect("readable");
            assert_eq!(stored.version, version, "version of device {device}");
            let rows = stored.rows.into_iter();
            let rows: Vec<_> = rows
                .map(|row| (row.table.to_string(), row.key, row.value))
                .collect();
            let ours = self.rows.iter().filter(|((of, ..), _)| *of == device);
            let expected: Vec<_> = ours
                .map(|((_, table, key), value)| (table.clone(), key.clone(), value.clone()))
                .collect();
            assert_eq!(rows, expected, "rows of device {device}");
        }
    }
}

/// Ten rows in two tables: nine take the version, the tenth comes and goes.
fn record(device: u32, version: u64) -> Record {
    let row = |index: u32| RowChange {
        table: if index < 5 {
            "sipEp.gateway"
        } else {
            "cert.host"
        }
        .into(),
        key: vec![index, 300 - index],
        before: (version > 1).then(|| format!("{index} of {}", version - 1).into_bytes()),
        after: (index > 0 || version % 2 == 1)
            .then(|| format!("{index} of {version}").into_bytes()),
    };
    Record {
        device: DeviceId(device),
        version,
        at: 1_700_000_000_000_000 + version,
        who: Who {
            face: 1,
            user: "admin".into(),
            address: "127.0.0.1".into(),
        },
        rows: (0..10).map(row).collect(),
    }
}

fn append(store: &Store, record: Record) -> Result<(), StoreError> {
    let (told, answer) = mpsc::channel();
    let queued = store.append(
        record,
        Box::new(move |outcome| told.send(outcome).expect("we wait")),
    );
    if let Err((_, why)) = queued {
        return Err(why);
    }
    answer.recv().expect("every commit is answered")
}

fn commit(store: &Store, model: &mut Model, device: u32, version: u64) {
    let record = record(device, version);
    model.apply(&record);
    append(store, record).expect("there is space");
}

fn open(dir: &Path) -> Store {
    Store::open(dir, StoreOptions::default()).expect("opens")
}

/// Files so small that everything happens often.
fn small() -> StoreOptions {
    StoreOptions {
        journal_file: 8 << 10,
        snapshot_after: 32 << 10,
        on_damage: OnDamage::Refuse,
    }
}

fn wait_until(store: &Store, wanted: impl Fn(&StoreEvent) -> bool) {
    for _ in 0..1000 {
        if store.events().iter().any(&wanted) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the event never came");
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times[times.len() / 2]
}

/// A folder as a power cut leaves it: no clean close.
struct Crashed {
    dir: Scratch,
    /// Journal length used after each commit.
    ends: Vec<u64>,
}

impl Crashed {
    fn with_commits(count: u64) -> Self {
        let running = Scratch::new();
        let store = open(&running);
        let mut model = Model::default();
        let mut ends = vec![0];
        for version in 1..=count {
            commit(&store, &mut model, 1, version);
            let file = running.join("journal").join(&journal_files(&running)[0]);
            let octets = fs::read(file).expect("readable");
            let used = octets
                .iter()
                .rposition(|&octet| octet != 0)
                .expect("not empty") as u64
                + 1;
            ends.push(used.next_multiple_of(8));
        }
        // Long enough for sled to have it all on disk.
        thread::sleep(Duration::from_millis(1500));
        let dir = copy_of(&running);
        store.close();
        Self { dir, ends }
    }

    fn copy(&self) -> Scratch {
        copy_of(&self.dir)
    }

    fn model_at(&self, version: u64) -> Model {
        let mut model = Model::default();
        (1..=version).for_each(|version| model.apply(&record(1, version)));
        model
    }

    /// File, begin and end of a frame, counted from one.
    fn frame(&self, number: usize) -> (PathBuf, u64, u64) {
        let file = Path::new("journal").join(&journal_files(&self.dir)[0]);
        (file, self.ends[number - 1], self.ends[number])
    }

    fn last_frame(&self) -> (PathBuf, u64, u64) {
        self.frame(self.ends.len() - 1)
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Truncate,
    Zero,
    Garbage,
}

impl Damage {
    /// From an octet to the end of what is used.
    fn apply(self, file: &Path, at: u64) {
        let handle = fs::OpenOptions::new()
            .write(true)
            .open(file)
            .expect("writable");
        let octets = fs::read(file).expect("readable");
        let used = octets
            .iter()
            .rposition(|&octet| octet != 0)
            .expect("not empty") as u64
            + 1;
        let length = used.saturating_sub(at).max(1) as usize;
        match self {
            Self::Truncate => handle.set_len(at).expect("writable"),
            Self::Zero => handle.write_all_at(&vec![0; length], at).expect("writable"),
            Self::Garbage => handle
                .write_all_at(&vec![0xa5; length], at)
                .expect("writable"),
        }
    }
}

fn flip(file: &Path, at: u64) {
    let handle = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(file)
        .expect("writable");
    let mut octet = [0];
    handle.read_exact_at(&mut octet, at).expect("inside");
    handle
        .write_all_at(&[octet[0] ^ 0x40], at)
        .expect("writable");
}

/// About `count` places spread over the used part of every file below a folder.
fn places(folder: &Path, count: u64) -> Vec<(PathBuf, u64)> {
    let mut places = Vec::new();
    for file in files_in(folder) {
        let octets = fs::read(folder.join(&file)).expect("readable");
        let Some(last) = octets.iter().rposition(|&octet| octet != 0) else {
            continue;
        };
        let step = (last as u64 / count).max(1) as usize;
        places.extend((0..=last).step_by(step).map(|at| (file.clone(), at as u64)));
    }
    places
}

fn journal_files(dir: &Path) -> Vec<PathBuf> {
    files_in(&dir.join("journal"))
}

/// Names of the files of a folder in order.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("readable");
    let entries = entries.map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<_> = files
        .map(|entry| PathBuf::from(entry.file_name()))
        .collect();
    names.sort();
    names
}

fn octets_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => all.extend(octets_below(&path)),
            false => _ = all.insert(path.clone(), fs::read(&path).expect("readable")),
        }
    }
    all
}

fn copy_of(dir: &Path) -> Scratch {
    let copy = Scratch::new();
    copy_folder(dir, &copy);
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => _ = fs::copy(entry.path(), target).expect("writable"),
        }
    }
}

/// A folder for one test, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let mut name = [0; 8];
        openssl::rand::rand_bytes(&mut name).expect("the system has random octets");
        let name = format!("demarc-story-{:016x}", u64::from_le_bytes(name));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("writable");
        Self(folder)
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A test that failed may have left a store running in it.
        _ = fs::remove_dir_all(&self.0);
    }
}
