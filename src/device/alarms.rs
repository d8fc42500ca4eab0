//! Alarms: what is wrong now, for whoever manages the unit, and what has been.
//!
//! Watches the status objects that others publish, and shows Nlm's alarm
//! tables, which an ACS sees as `Device.FaultMgmt.` Nothing here judges by
//! log messages: those say what happened, not whether it is over.

mod kinds;
mod list;

use super::settled::Follower;
use super::system::TimeOfDay;
use crate::schema::nlm::{
    alarm_history, current_alarm, expedited_event, queued_event, supported_alarm,
};
use crate::schema::{ColumnId, Index, TableId, Value};
use crate::tree::{Configured, Publication, Snapshot, Tree, View};
use crate::view;
use kinds::{KINDS, Kind};
use list::{Event, List, Ring};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

view! {
    /// How one alarm is reported.
    struct Reporting: nlm::supported_alarm {
        /// Its number.
        number: u32 = INDEX,
        /// Where its events stand.
        mechanism: supported_alarm::ReportingMechanism = REPORTING_MECHANISM,
    }
}

/// How each alarm is reported, by its number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings(BTreeMap<u32, supported_alarm::ReportingMechanism>);

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        Reporting::COLUMNS.to_vec()
    }

    fn read(snapshot: &Snapshot) -> Self {
        let rows: Vec<(Index, Reporting)> = snapshot.view();
        let rows = rows.into_iter().map(|(_, row)| (row.number, row.mechanism));
        Self(rows.collect())
    }
}

/// The numbers of the alarms that there are.
pub(super) fn numbers() -> impl Iterator<Item = u32> {
    KINDS.iter().map(|kind| kind.number)
}

/// Watches, and shows.
pub(super) async fn run(tree: Tree, time: TimeOfDay) {
    let follower = Follower::new(&tree, &Settings::claims());
    let changed = Arc::new(Notify::new());
    let wake = changed.clone();
    let _watch = tree.live().watch(watched(), move || wake.notify_one());
    let mut alarms = Alarms::new();
    tree.live().publish(lay_out);
    loop {
        tokio::select! {
            _ = follower.next() => {}
            () = changed.notified() => {}
        }
        // What changes together is looked at once.
        tokio::time::sleep(SETTLING).await;
        let now = time().map_or_else(String::new, |time| time.to_string());
        alarms.look(&tree, &now);
    }
}

/// Every table whose states may be an alarm.
fn watched() -> BTreeSet<TableId> {
    let columns = KINDS.iter().flat_map(Kind::columns);
    columns.map(|column| column.get().table).collect()
}

struct Alarms {
    list: List,
    history: Ring,
    expedited: Ring,
    queued: Ring,
}

impl Alarms {
    fn new() -> Self {
        Self {
            list: List::default(),
            history: Ring::new(HISTORY),
            expedited: Ring::new(EXPEDITED),
            queued: Ring::new(QUEUED),
        }
    }

    fn look(&mut self, tree: &Tree, now: &str) {
        use supported_alarm::ReportingMechanism as Mechanism;
        let Settings(mechanisms) = Settings::read(&tree.snapshot());
        let mechanism = |kind: u32| mechanisms.get(&kind).copied().unwrap_or(Mechanism::Logged);
        let mut wrong = kinds::standing(&tree.instances());
        wrong.retain(|(kind, _), _| mechanism(*kind) != Mechanism::Disabled);
        let events = self.list.look(now, wrong);
        if events.is_empty() {
            return;
        }
        tree.live().publish(|live| {
            for event in &events {
                place(live, &HISTORY_COLUMNS, self.history.turn(), event);
                match mechanism(event.kind.number) {
                    Mechanism::Expedited => {
                        place(live, &EXPEDITED_COLUMNS, self.expedited.turn(), event);
                    }
                    Mechanism::Queued => {
                        place(live, &QUEUED_COLUMNS, self.queued.turn(), event);
                    }
                    Mechanism::Logged | Mechanism::Disabled => {}
                }
            }
            self.show(live);
        });
    }

    fn show(&self, live: &mut Publication<'_>) {
        live.clear(current_alarm::TABLE);
        for (kind, alarm) in self.list.shown() {
            let index = Index::number(alarm.number);
            live.set(current_alarm::RAISED, &index, &alarm.raised);
            live.set(current_alarm::CHANGED, &index, &alarm.changed);
            let standing = &alarm.standing;
            live.set(current_alarm::OBJECT, &index, cut(&standing.object, 512));
            live.set(current_alarm::EVENT_TYPE, &index, kind.event_type);
            live.set(current_alarm::PROBABLE_CAUSE, &index, kind.cause);
            live.set(current_alarm::PROBLEM, &index, cut(&standing.problem, 128));
            let severity = Value::Integer(i32::from(kind.severity as u16));
            live.raw(current_alarm::SEVERITY.id(), &index, severity);
            live.set(current_alarm::TEXT, &index, cut(&standing.text, 256));
        }
    }
}

/// What there can be, and the places of what there may have been.
fn lay_out(live: &mut Publication<'_>) {
    for kind in KINDS {
        let index = Index::number(kind.number);
        live.set(supported_alarm::EVENT_TYPE, &index, kind.event_type);
        live.set(supported_alarm::PROBABLE_CAUSE, &index, kind.cause);
        live.set(supported_alarm::PROBLEM, &index, kind.problem);
        let severity = Value::Integer(i32::from(kind.severity as u16));
        live.raw(supported_alarm::SEVERITY.id(), &index, severity);
    }
    for (columns, places) in [
        (&HISTORY_COLUMNS, HISTORY),
        (&EXPEDITED_COLUMNS, EXPEDITED),
        (&QUEUED_COLUMNS, QUEUED),
    ] {
        for place in 1..=places {
            live.row(columns.time.get().table, &Index::number(place));
        }
    }
}

/// The columns of a table of events.
struct Columns {
    time: ColumnId,
    alarm: ColumnId,
    turn: ColumnId,
    object: ColumnId,
    event_type: ColumnId,
    cause: ColumnId,
    problem: ColumnId,
    severity: ColumnId,
    text: ColumnId,
}

fn place(live: &mut Publication<'_>, columns: &Columns, place: u32, event: &Event) {
    let (alarm, kind) = (&event.alarm, event.kind);
    let index = Index::number(place);
    let texts = [
        (columns.time, event.time.as_str()),
        (columns.alarm, &alarm.number.to_string()),
        (columns.object, cut(&alarm.standing.object, 512)),
        (columns.event_type, kind.event_type),
        (columns.cause, kind.cause),
        (columns.problem, cut(&alarm.standing.problem, 128)),
        (columns.text, cut(&alarm.standing.text, 256)),
    ];
    for (column, text) in texts {
        live.raw(column, &index, Value::from(text));
    }
    for (column, number) in [
        (columns.turn, event.turn as u16),
        (columns.severity, event.severity as u16),
    ] {
        live.raw(column, &index, Value::Integer(i32::from(number)));
    }
}

/// As much of a text as its object takes.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

const HISTORY_COLUMNS: Columns = Columns {
    time: alarm_history::TIME.id(),
    alarm: alarm_history::ALARM.id(),
    turn: alarm_history::TYPE.id(),
    object: alarm_history::OBJECT.id(),
    event_type: alarm_history::EVENT_TYPE.id(),
    cause: alarm_history::PROBABLE_CAUSE.id(),
    problem: alarm_history::PROBLEM.id(),
    severity: alarm_history::SEVERITY.id(),
    text: alarm_history::TEXT.id(),
};
const EXPEDITED_COLUMNS: Columns = Columns {
    time: expedited_event::TIME.id(),
    alarm: expedited_event::ALARM.id(),
    turn: expedited_event::TYPE.id(),
    object: expedited_event::OBJECT.id(),
    event_type: expedited_event::EVENT_TYPE.id(),
    cause: expedited_event::PROBABLE_CAUSE.id(),
    problem: expedited_event::PROBLEM.id(),
    severity: expedited_event::SEVERITY.id(),
    text: expedited_event::TEXT.id(),
};
const QUEUED_COLUMNS: Columns = Columns {
    time: queued_event::TIME.id(),
    alarm: queued_event::ALARM.id(),
    turn: queued_event::TYPE.id(),
    object: queued_event::OBJECT.id(),
    event_type: queued_event::EVENT_TYPE.id(),
    cause: queued_event::PROBABLE_CAUSE.id(),
    problem: queued_event::PROBLEM.id(),
    severity: queued_event::SEVERITY.id(),
    text: queued_event::TEXT.id(),
};

/// Places of `alarmHistory`.
const HISTORY: u32 = 32;
/// Places of `expeditedEvent`.
const EXPEDITED: u32 = 8;
/// Places of `queuedEvent`.
const QUEUED: u32 = 16;
/// How long what changes together may take.
const SETTLING: Duration = Duration::from_millis(100);
