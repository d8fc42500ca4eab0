//! A store in a folder of its own, and journal files with checksums that fit.
//!
//! The frame's layout is written down here a second time on purpose: a file
//! format is a promise, and this notices when it is broken.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

use demarc::tree::store::{
    DeviceId, OnDamage, Record, RowChange, Store, StoreError, StoreOptions, Stored, Who,
};

/// The device whose rows are in the journal.
pub const DEVICE: DeviceId = DeviceId(1);

/// A folder in memory where the system has one, gone when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// A new folder of this process; `name` tells it from others.
    pub fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let base = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        let folder = base.join(format!("demarc-fuzz-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }

    /// Makes it a store that has nothing but this journal file, and opens it.
    pub fn open_with(
        &self,
        name: &str,
        file: &[u8],
        on_damage: OnDamage,
    ) -> Result<Store, StoreError> {
        let _ = fs::remove_dir_all(&self.0);
        fs::create_dir_all(self.0.join("journal")).expect("a folder");
        fs::write(self.0.join("journal").join(name), file).expect("space");
        Store::open(&self.0, options(on_damage))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options(on_damage: OnDamage) -> StoreOptions {
    StoreOptions {
        journal_file: 4096,
        snapshot_after: 1 << 20,
        on_damage,
    }
}

/// A journal that a store wrote, and the rows as they stood after each of its commits.
pub struct Written {
    /// The file's name, which holds its salt.
    pub name: String,
    /// Its octets, without the free space.
    pub octets: Vec<u8>,
    /// After no commit, after the first, ...
    pub states: Vec<Stored>,
}

impl Written {
    /// Commits, each adding, changing or removing rows.
    pub fn new(commits: u64) -> Self {
        let folder = Folder::new("written");
        let store = Store::open(&folder.0, options(OnDamage::Refuse)).expect("opens");
        let mut states = vec![store.load(DEVICE).expect("loads")];
        for version in 1..=commits {
            append(
                &store,
                record(version, states.last().expect("there is one")),
            );
            states.push(store.load(DEVICE).expect("loads"));
        }
        let file = fs::read_dir(folder.0.join("journal"))
            .expect("a folder")
            .next();
        let path = file.expect("a file").expect("readable").path();
        let mut octets = fs::read(&path).expect("readable");
        let end = octets
            .iter()
            .rposition(|&octet| octet != 0)
            .expect("not empty");
        octets.truncate(end + 1);
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        store.close();
        Self {
            name,
            octets,
            states,
        }
    }
}

fn append(store: &Store, record: Record) {
    let (done, waits) = mpsc::channel();
    let done = Box::new(move |outcome| done.send(outcome).expect("somebody waits"));
    assert!(store.append(record, done).is_ok(), "queued");
    waits.recv().expect("answered").expect("committed");
}

/// Puts one row, and every third time takes one away.
fn record(version: u64, now: &Stored) -> Record {
    let key = vec![version as u32 % 4];
    let held = now.rows.iter().find(|row| row.key == key);
    let before = held.map(|row| row.value.clone());
    let removes = before.is_some() && version.is_multiple_of(3);
    Record {
        device: DEVICE,
        version,
        at: version,
        who: Who::default(),
        rows: vec![RowChange {
            table: Arc::from("t"),
            key,
            before,
            after: (!removes).then(|| vec![version as u8; 20]),
        }],
    }
}

/// Frames around `bodies`, as a file with salt 0 has them:
/// `magic | body length 4 | sequence 8 | body CRC32C 4 | header CRC32C 4 | body`.
pub fn frames<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    for (sequence, body) in (1u64..).zip(bodies) {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(8), 0);
        let mut header = b"DMJ\x01".to_vec();
        header.extend((body.len() as u32).to_le_bytes());
        header.extend(sequence.to_le_bytes());
        header.extend(crc32c::crc32c(&padded).to_le_bytes());
        header.extend(crc32c::crc32c(&header).to_le_bytes());
        file.extend(header);
        file.extend(padded);
    }
    file
}

/// The name of a first journal file with salt 0.
pub const UNSALTED: &str = "0000000000000001-00000000.journal";
