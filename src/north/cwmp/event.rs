//! Events on their way to an ACS (TR-069 §3.7.1.5, table 8).
//!
//! Each kind has its rule: single ones are told once however often they
//! happened, those of a method once for each command key; some must not be
//! lost, so they are rows of the tree, others go with the power. That 0
//! BOOTSTRAP is due is no event here: it follows from the URL.

use crate::schema::cwmp::pending_event as row;
use crate::schema::{Index, Name, Value};
use crate::tree::{Creation, Snapshot, Transaction};
use crate::wire::soap::message::Event;
use std::collections::BTreeMap;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// `0 BOOTSTRAP`
    Bootstrap,
    /// `1 BOOT`
    Boot,
    /// `2 PERIODIC`
    Periodic,
    /// `3 SCHEDULED`
    Scheduled,
    /// `4 VALUE CHANGE`
    ValueChange,
    /// `6 CONNECTION REQUEST`
    ConnectionRequest,
    /// `7 TRANSFER COMPLETE`
    TransferComplete,
    /// `8 DIAGNOSTICS COMPLETE`
    DiagnosticsComplete,
    /// `9 REQUEST DOWNLOAD`
    RequestDownload,
    /// `10 AUTONOMOUS TRANSFER COMPLETE`
    AutonomousTransferComplete,
    /// `14 HEARTBEAT`
    Heartbeat,
    /// `M ...`, with the key of the request.
    Method(Method, String),
}

/// The requests whose end is an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `M Reboot`
    Reboot,
    /// `M ScheduleInform`
    ScheduleInform,
    /// `M Download`
    Download,
    /// `M ScheduleDownload`
    ScheduleDownload,
    /// `M Upload`
    Upload,
}

impl Cause {
    /// As Inform says it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bootstrap => "0 BOOTSTRAP",
            Self::Boot => "1 BOOT",
            Self::Periodic => "2 PERIODIC",
            Self::Scheduled => "3 SCHEDULED",
            Self::ValueChange => "4 VALUE CHANGE",
            Self::ConnectionRequest => "6 CONNECTION REQUEST",
            Self::TransferComplete => "7 TRANSFER COMPLETE",
            Self::DiagnosticsComplete => "8 DIAGNOSTICS COMPLETE",
            Self::RequestDownload => "9 REQUEST DOWNLOAD",
            Self::AutonomousTransferComplete => "10 AUTONOMOUS TRANSFER COMPLETE",
            Self::Heartbeat => "14 HEARTBEAT",
            Self::Method(Method::Reboot, _) => "M Reboot",
            Self::Method(Method::ScheduleInform, _) => "M ScheduleInform",
            Self::Method(Method::Download, _) => "M Download",
            Self::Method(Method::ScheduleDownload, _) => "M ScheduleDownload",
            Self::Method(Method::Upload, _) => "M Upload",
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Method(_, key) => key,
            _ => "",
        }
    }

    /// Table 8: what must never be discarded outlives a restart.
    fn is_kept(&self) -> bool {
        match self {
            Self::Periodic
            | Self::Scheduled
            | Self::TransferComplete
            | Self::RequestDownload
            | Self::AutonomousTransferComplete
            | Self::Heartbeat
            | Self::Method(..) => true,
            // The next start finds these anew, and 6 must not be told again.
            Self::Bootstrap
            | Self::Boot
            | Self::ValueChange
            | Self::ConnectionRequest
            | Self::DiagnosticsComplete => false,
        }
    }

    /// The cause of a row.
    fn of(code: &str, key: &str) -> Option<Self> {
        const PLAIN: [Cause; 6] = [
            Cause::Periodic,
            Cause::Scheduled,
            Cause::TransferComplete,
            Cause::RequestDownload,
            Cause::AutonomousTransferComplete,
            Cause::Heartbeat,
        ];
        const METHODS: [Method; 5] = [
            Method::Reboot,
            Method::ScheduleInform,
            Method::Download,
            Method::ScheduleDownload,
            Method::Upload,
        ];
        let methods = METHODS.map(|method| Self::Method(method, key.to_owned()));
        let mut all = PLAIN.into_iter().chain(methods);
        all.find(|cause| cause.code() == code)
    }
}

/// Everything that is still to be told.
#[derive(Debug, Default)]
pub struct Events {
    /// By row where it is kept, by a number above all rows where it is not.
    waiting: BTreeMap<u32, Cause>,
    /// The highest row that was given so far.
    last: u32,
}

/// An event on its way to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised(u32, Cause);

impl Events {
    /// What the last run left.
    pub fn recall(snapshot: &Snapshot) -> Self {
        let rows = snapshot.rows(row::TABLE).iter();
        let waiting: BTreeMap<u32, Cause> = rows
            .filter_map(|(index, kept)| {
                let text = |column| match kept.column(column) {
                    Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                    _ => String::new(),
                };
                let cause = Cause::of(&text(row::CODE.id()), &text(row::COMMAND_KEY.id()))?;
                Some((*index.arcs().first()?, cause))
            })
            .collect();
        let last = waiting.keys().next_back().copied().unwrap_or(0);
        Self { waiting, last }
    }

    /// Whether one more event of a method fits, beside so many to come: they
    /// must not be lost, so what would bring one too many is refused.
    pub fn has_room(&self, to_come: usize) -> bool {
        let all = self.waiting.values();
        let methods = all.filter(|cause| matches!(cause, Cause::Method(..)));
        methods.count() + to_come < MOST
    }

    /// An event that is to be kept; it waits from [`Events::adopt`] on, when its
    /// row is on disk.
    pub fn promise(&mut self, cause: Cause, keep: &mut Transaction) -> Promised {
        Promised(self.number(&cause, keep), cause)
    }

    /// The row of what was promised is on disk.
    pub fn adopt(&mut self, promised: Promised) {
        self.waiting.insert(promised.0, promised.1);
    }

    /// Adds an event; where it is to be kept, its row joins the transaction.
    pub fn add(&mut self, cause: Cause, keep: &mut Transaction) {
        let number = self.number(&cause, keep);
        self.waiting.insert(number, cause);
    }

    /// Where an event waits; it has a row where it is to be kept.
    fn number(&mut self, cause: &Cause, keep: &mut Transaction) -> u32 {
        let mut all = self.waiting.iter();
        if let Some((number, _)) = all.find(|(_, known)| *known == cause) {
            return *number;
        }
        if !cause.is_kept() {
            let highest = self.waiting.keys().next_back();
            return highest.map_or(FLEETING, |last| FLEETING.max(last + 1));
        }
        self.last += 1;
        let index = Index::number(self.last);
        keep.create(row::TABLE, index.clone(), Creation::Active);
        for (column, text) in [
            (row::CODE.id(), cause.code()),
            (row::COMMAND_KEY.id(), cause.key()),
        ] {
            let index = index.clone();
            keep.assign(Name { column, index }, text.into());
        }
        self.last
    }

    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether one of these waits.
    pub fn has(&self, cause: &Cause) -> bool {
        self.waiting.values().any(|known| known == cause)
    }

    /// What the next Inform says, and the numbers to give back when it is
    /// told; `also` has no numbers: it is told until its cause is gone.
    pub fn told(&self, also: &[Cause]) -> (Vec<Event>, Vec<u32>) {
        let also = also.iter().map(|cause| (&NOBODY, cause));
        let first = also.chain(&self.waiting).take(MOST_IN_INFORM);
        let mut told: Vec<(&u32, &Cause)> = first.collect();
        // In the order of their codes, as readers of logs expect them.
        told.sort_by_key(|(number, cause)| ((*cause).clone(), **number));
        let events = told.iter().map(|(_, cause)| Event {
            code: cause.code().to_owned(),
            command_key: cause.key().to_owned(),
        });
        (
            events.collect(),
            told.iter()
                .map(|(number, _)| **number)
                .filter(|number| *number != NOBODY)
                .collect(),
        )
    }

    /// The ACS has acknowledged these; their rows go with the transaction.
    pub fn delivered(&mut self, numbers: &[u32], forget: &mut Transaction) {
        for number in numbers {
            if self.waiting.remove(number).is_some() && *number < FLEETING {
                forget.delete(row::TABLE, Index::number(*number));
            }
        }
    }

    /// A reboot that was promised is not made: nobody is told of it.
    pub fn no_reboot(&mut self, forget: &mut Transaction) {
        let waiting = self.waiting.iter();
        let reboots =
            waiting.filter(|(_, cause)| matches!(cause, Cause::Method(Method::Reboot, _)));
        let numbers: Vec<u32> = reboots.map(|(number, _)| *number).collect();
        self.delivered(&numbers, forget);
    }

    /// The same for an ACS that has not heard of the unit yet: that it started.
    /// The numbers are those of all, since what the last ACS was to hear is of
    /// no use to another (table 8: with 0 BOOTSTRAP, all others may be discarded).
    pub fn told_first(&self, also: &[Cause]) -> (Vec<Event>, Vec<u32>) {
        let boot = self.waiting.iter();
        let boot = boot.filter(|(_, cause)| **cause == Cause::Boot);
        let waiting = boot.map(|(number, cause)| (*number, cause.clone()));
        let (events, _) = Self {
            waiting: waiting.collect(),
            last: 0,
        }
        .told(also);
        (events, self.waiting.keys().copied().collect())
    }

    /// A session failed: what must not be told later is forgotten.
    pub fn failed(&mut self) {
        // Table 8: 6 CONNECTION REQUEST must not be retried.
        self.waiting
            .retain(|_, cause| *cause != Cause::ConnectionRequest);
    }
}

/// cwmp-1-2.xsd, EventList.
const MOST_IN_INFORM: usize = 63;
/// Events of methods that may wait: 256 requests with keys of their own. The
/// others are as few as their codes.
const MOST: usize = 256;
/// The number of what is told until its cause is gone; rows count from 1.
const NOBODY: u32 = 0;
/// Numbers from here on are no rows.
const FLEETING: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Actor, Tree};

    fn codes(events: &Events) -> Vec<String> {
        let (told, _) = events.told(&[]);
        told.iter()
            .map(|event| {
                format!("{} {}", event.code, event.command_key)
                    .trim()
                    .to_owned()
            })
            .collect()
    }

    fn download(key: &str) -> Cause {
        Cause::Method(Method::Download, key.to_owned())
    }

    #[test]
    fn single_events_are_told_once_and_those_of_methods_once_for_each_key() {
        let mut events = Events::default();
        let mut txn = Transaction::new(Actor::device());
        for cause in [
            download("b"),
            Cause::Boot,
            Cause::Boot,
            download("a"),
            download("b"),
            Cause::TransferComplete,
        ] {
            events.add(cause, &mut txn);
        }
        assert_eq!(
            codes(&events),
            [
                "1 BOOT",
                "7 TRANSFER COMPLETE",
                "M Download a",
                "M Download b"
            ]
        );
    }

    #[test]
    fn what_must_not_be_lost_is_there_after_a_restart_until_it_was_told() {
        let tree = Tree::in_memory();
        let mut events = Events::default();
        let mut txn = Transaction::new(Actor::device());
        for cause in [
            Cause::Boot,
            download("a"),
            Cause::Periodic,
            Cause::ConnectionRequest,
        ] {
            events.add(cause, &mut txn);
        }
        tree.commit_and_wait(txn, 0).expect("granted");
        let mut recalled = Events::recall(&tree.snapshot());
        assert_eq!(codes(&recalled), ["2 PERIODIC", "M Download a"]);
        let (_, numbers) = recalled.told(&[]);
        let mut txn = Transaction::new(Actor::device());
        recalled.delivered(&numbers, &mut txn);
        tree.commit_and_wait(txn, 0).expect("granted");
        assert!(Events::recall(&tree.snapshot()).is_empty());
    }

    #[test]
    fn events_that_come_during_a_session_wait_for_the_next() {
        let mut events = Events::default();
        let mut txn = Transaction::new(Actor::device());
        events.add(Cause::Periodic, &mut txn);
        let (_, numbers) = events.told(&[]);
        events.add(download("x"), &mut txn);
        events.delivered(&numbers, &mut txn);
        assert_eq!(codes(&events), ["M Download x"]);
    }

    #[test]
    fn a_connection_request_is_never_told_again() {
        let mut events = Events::default();
        let mut txn = Transaction::new(Actor::device());
        events.add(Cause::ConnectionRequest, &mut txn);
        events.add(Cause::Periodic, &mut txn);
        events.failed();
        assert_eq!(codes(&events), ["2 PERIODIC"]);
    }

    #[test]
    fn another_acs_hears_only_that_the_unit_started_and_the_rest_goes_once_it_has() {
        let mut events = Events::default();
        let mut txn = Transaction::new(Actor::device());
        for cause in [Cause::Boot, download("a"), Cause::ValueChange] {
            events.add(cause, &mut txn);
        }
        let (told, numbers) = events.told_first(&[]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].code, "1 BOOT");
        assert_eq!(codes(&events).len(), 3);
        events.delivered(&numbers, &mut txn);
        assert!(events.is_empty());
    }
}
