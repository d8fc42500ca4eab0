//! What the committer, the applier and the callers share.
//!
//! The line holds the groups that are on disk but not yet in sled. It is
//! bounded: what does not fit is read back from the journal later. Rows are
//! served from the image while there is one, else from sled with the line laid
//! over it, so that no caller ever sees less than what was acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, WaitTimeoutResult};
use std::time::Duration;

use super::super::journal::{DeviceId, Group, replay};
use super::event::{StoreEvent, Unsound};
use super::image::Image;
use super::opening::Opened;
use super::rows::Rows;
use super::{MAX_EVENTS, StoreCounts, StoreError, Stored, StoredRow};

pub(super) struct Shared {
    line: Mutex<Line>,
    moved: Condvar,
    events: Mutex<Events>,
    commits: AtomicU64,
    syncs: AtomicU64,
}

/// The last events, for whoever did not hear of them.
struct Events {
    kept: VecDeque<StoreEvent>,
    /// Those that gave way, so the number of the first that is kept.
    gone: u64,
}

struct Line {
    /// On disk, not yet in sled, without a gap.
    queue: VecDeque<Arc<Group>>,
    octets: u64,
    /// The last group on disk.
    synced: u64,
    /// Groups after the queue's last must be read back from the journal.
    behind: bool,
    image: Option<Image>,
    rows: Option<Rows>,
    /// sled failed a caller.
    suspect: Option<Unsound>,
    /// sled failed and nothing could take its place.
    lost: bool,
    closing: bool,
}

/// What the applier does next.
pub(super) enum Work {
    Apply(Vec<Arc<Group>>),
    /// Read groups back, up to this one.
    CatchUp(u64),
    /// sled failed somebody else.
    FallBack(Unsound),
    /// Time to try sled again.
    Rebuild,
    Close,
}

impl Shared {
    pub(super) fn new(opened: &Opened) -> Self {
        let line = Line {
            queue: VecDeque::new(),
            octets: 0,
            synced: opened.synced,
            behind: opened.image.is_none() && opened.applied < opened.synced,
            image: opened.image.clone(),
            rows: opened.rows.clone(),
            suspect: None,
            lost: false,
            closing: false,
        };
        Self {
            line: Mutex::new(line),
            moved: Condvar::new(),
            events: Mutex::new(Events {
                kept: opened.events.iter().cloned().collect(),
                gone: 0,
            }),
            commits: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
        }
    }

    /// A group is on disk.
    pub(super) fn commit(&self, group: Group) {
        self.commits
            .fetch_add(group.entries.len() as u64, Ordering::Relaxed);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let mut line = self.line();
        line.synced = group.sequence;
        if let Some(image) = &mut line.image {
            image.apply(&group);
        }
        if line.queue.len() >= MAX_LAG || line.octets >= MAX_LAG_OCTETS {
            line.behind = true;
        }
        if !line.behind {
            line.octets += group.octets;
            line.queue.push_back(Arc::new(group));
        }
        if line.behind || [1, MAX_AT_ONCE].contains(&line.queue.len()) {
            self.moved.notify_all();
        }
    }

    pub(super) fn load(&self, device: DeviceId) -> Result<Stored, StoreError> {
        let mut line = self.line();
        loop {
            if line.closing {
                return Err(StoreError::Closed);
            }
            if let Some(image) = &line.image {
                return Ok(image.load(device));
            }
            if line.lost {
                return Err(StoreError::Unsound);
            }
            if let (Some(rows), false) = (&line.rows, line.behind) {
                match rows.load(device) {
                    Ok(stored) => return Ok(overlay(stored, device, &line.queue)),
                    Err(why) => line.suspect = Some(why),
                }
                line.rows = None;
                self.moved.notify_all();
            }
            line = self.wait(line);
        }
    }

    /// Waits for something to do. Without sled, wakes up now and then to try again.
    ///
    /// A few groups are gathered first: sled writes to the disk at each
    /// transaction, and that disk is the one that commits wait for.
    pub(super) fn next(&self) -> Work {
        let mut line = self.line();
        let mut gathered = false;
        loop {
            if let Some(why) = line.suspect.take() {
                return Work::FallBack(why);
            }
            let ready = gathered || line.closing || line.behind;
            if !line.queue.is_empty() && !ready && line.queue.len() < MAX_AT_ONCE {
                line = self.wait_at_most(line, GATHERING).0;
                gathered = true;
                continue;
            }
            if !line.queue.is_empty() {
                return Work::Apply(line.queue.iter().take(MAX_AT_ONCE).cloned().collect());
            }
            if line.behind {
                return Work::CatchUp(line.synced);
            }
            if line.closing {
                return Work::Close;
            }
            if line.rows.is_some() || line.lost {
                line = self.wait(line);
                continue;
            }
            let (again, timeout) = self.wait_at_most(line, REBUILD_PAUSE);
            if timeout.timed_out() {
                return Work::Rebuild;
            }
            line = again;
        }
    }

    /// The first groups of the queue are in sled.
    pub(super) fn applied(&self, groups: usize) {
        let mut line = self.line();
        let octets: u64 = line.queue.drain(..groups).map(|group| group.octets).sum();
        line.octets -= octets;
        self.retire_image(line);
    }

    /// Everything up to `sequence` is in sled, read back from the journal.
    pub(super) fn caught_up(&self, sequence: u64) {
        let mut line = self.line();
        if line.synced == sequence {
            line.behind = false;
        }
        self.retire_image(line);
    }

    /// sled serves again as soon as nothing is missing from it.
    fn retire_image(&self, mut line: MutexGuard<'_, Line>) {
        let retired = match line.rows.is_some() && line.queue.is_empty() && !line.behind {
            true => line.image.take(),
            false => None,
        };
        drop(line);
        drop(retired);
        self.moved.notify_all();
    }

    /// Nothing reads sled from here on.
    pub(super) fn withdraw_rows(&self) {
        self.line().rows = None;
    }

    /// Serves from an image of an earlier group, brought up to the last one on disk.
    pub(super) fn serve_image(&self, mut image: Image, journal: &Path) -> bool {
        let mut line = self.line();
        let last = replay(journal, image.sequence + 1, line.synced, |group| {
            image.apply(&group)
        });
        let whole = last.is_ok_and(|last| last == line.synced);
        match whole {
            true => line.image = Some(image),
            false => line.lost = true,
        }
        line.forget_queue();
        self.moved.notify_all();
        whole
    }

    pub(super) fn lose(&self) {
        let mut line = self.line();
        line.lost = true;
        line.forget_queue();
        self.moved.notify_all();
    }

    /// The image as it stands.
    pub(super) fn clone_image(&self) -> Option<Image> {
        self.line().image.clone()
    }

    /// The image as it stands; from here on the queue holds what follows it.
    pub(super) fn image_to_fill_from(&self) -> Option<Image> {
        let mut line = self.line();
        let image = line.image.clone()?;
        line.forget_queue();
        Some(image)
    }

    /// sled holds the image that was handed out last.
    pub(super) fn serve_rows(&self, rows: Rows) {
        let mut line = self.line();
        line.rows = Some(rows);
        self.retire_image(line);
    }

    pub(super) fn close(&self) {
        self.line().closing = true;
        self.moved.notify_all();
    }

    pub(super) fn synced(&self) -> u64 {
        self.line().synced
    }

    pub(super) fn tell(&self, event: StoreEvent) {
        let mut events = super::lock(&self.events);
        if events.kept.len() == MAX_EVENTS {
            events.kept.pop_front();
            events.gone += 1;
        }
        events.kept.push_back(event);
    }

    /// The events from number `first` on, and the number of the one that comes next.
    pub(super) fn events_from(&self, first: u64) -> (u64, Vec<StoreEvent>) {
        let events = super::lock(&self.events);
        let numbered = (events.gone..).zip(&events.kept);
        let news = numbered.filter(|(number, _)| *number >= first);
        let news = news.map(|(_, event)| event.clone()).collect();
        (events.gone + events.kept.len() as u64, news)
    }

    pub(super) fn counts(&self) -> StoreCounts {
        StoreCounts {
            commits: self.commits.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        super::lock(&self.line)
    }

    fn wait_at_most<'a>(
        &self,
        line: MutexGuard<'a, Line>,
        time: Duration,
    ) -> (MutexGuard<'a, Line>, WaitTimeoutResult) {
        let waited = self.moved.wait_timeout(line, time);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, line: MutexGuard<'a, Line>) -> MutexGuard<'a, Line> {
        self.moved
            .wait(line)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn forget_queue(&mut self) {
        self.queue.clear();
        self.octets = 0;
        self.behind = false;
    }
}

/// Lays the groups that sled may not have yet over its rows; one that it has does no harm.
fn overlay(stored: Stored, device: DeviceId, queue: &VecDeque<Arc<Group>>) -> Stored {
    let entries = queue.iter().flat_map(|group| &group.entries);
    let mut ours = entries
        .filter(|entry| entry.record.device == device)
        .peekable();
    if ours.peek().is_none() {
        return stored;
    }
    let mut version = stored.version;
    let rows = stored.rows.into_iter();
    let mut rows: BTreeMap<_, _> = rows.map(|row| ((row.table, row.key), row.value)).collect();
    for entry in ours {
        version = entry.record.version;
        for change in &entry.record.rows {
            let at = (Arc::clone(&change.table), change.key.clone());
            match &change.after {
                Some(value) => _ = rows.insert(at, value.clone()),
                None => _ = rows.remove(&at),
            }
        }
    }
    let rows = rows.into_iter();
    let rows = rows.map(|((table, key), value)| StoredRow { table, key, value });
    Stored {
        version,
        rows: rows.collect(),
    }
}

/// Groups that wait for sled; what follows is read back from the journal.
const MAX_LAG: usize = 1024;
const MAX_LAG_OCTETS: u64 = 16 << 20;
/// Groups of one sled transaction.
const MAX_AT_ONCE: usize = 64;
const GATHERING: Duration = Duration::from_millis(50);
const REBUILD_PAUSE: Duration = Duration::from_secs(30);
