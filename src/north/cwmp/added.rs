//! What the ACS wants in its Informs besides the forced parameters (TR-181
//! ManagementServer.InformParameter): patterns of names, and with which events.
//!
//! A pattern may name parameters that do not exist; those that do go along. It
//! is read when an Inform is made, so that a change counts for the next one.

use super::model::{DataModel, Parameter};
use crate::schema::ColumnId;
use crate::schema::cwmp::inform_parameter;
use crate::tree::{Snapshot, View};
use crate::view;
use crate::wire::soap::message::Event;

view! {
    /// A row of `Cwmp.InformParameter`.
    struct Kept: cwmp::inform_parameter {
        /// Whether it counts.
        enable: bool = ENABLE,
        /// Which parameters.
        name: String = NAME,
        /// With which events, separated by commas; "": with all.
        events: String = EVENT_LIST,
    }
}

/// The patterns that count.
pub struct Added(Vec<Kept>);

impl Added {
    /// What it reads.
    pub fn claims() -> Vec<ColumnId> {
        [Kept::COLUMNS, &[inform_parameter::DELETE.id()]].concat()
    }

    /// The patterns as they stand.
    pub fn read(snapshot: &Snapshot) -> Self {
        let rows = snapshot.view::<Kept>().into_iter();
        Self(rows.map(|(_, row)| row).filter(|row| row.enable).collect())
    }

    /// The parameters that go along with these events.
    pub fn parameters(&self, events: &[Event], model: &DataModel<'_>) -> Vec<Parameter> {
        let wanted = self.0.iter().filter(|row| row.goes_with(events));
        let found = wanted.filter_map(|row| model.single(&row.name));
        found.flatten().take(MOST).collect()
    }
}

impl Kept {
    /// "" means all but 4 VALUE CHANGE, with which only what has changed goes
    /// (TR-069 A.3.3.1).
    fn goes_with(&self, events: &[Event]) -> bool {
        let mut codes = events.iter().map(|event| event.code.as_str());
        let listed = |code: &str| {
            let mut list = self.events.split(',').map(str::trim);
            self.events.is_empty() || list.any(|one| one == code)
        };
        codes.any(|code| code != VALUE_CHANGE && listed(code))
    }
}

/// The event that nothing can be added to.
pub(super) const VALUE_CHANGE: &str = "4 VALUE CHANGE";
/// Parameters that are added to one Inform.
const MOST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn goes(list: &str, codes: &[&str]) -> bool {
        let row = Kept {
            enable: true,
            name: String::new(),
            events: list.to_owned(),
        };
        let event = |code: &&str| Event {
            code: (*code).to_owned(),
            command_key: String::new(),
        };
        let events: Vec<Event> = codes.iter().map(event).collect();
        row.goes_with(&events)
    }

    #[test]
    fn a_parameter_goes_with_the_events_of_its_list_and_without_one_with_all_but_value_changes() {
        assert!(goes("", &["2 PERIODIC"]));
        assert!(!goes("", &["4 VALUE CHANGE"]));
        assert!(goes("", &["4 VALUE CHANGE", "1 BOOT"]));
        assert!(goes("1 BOOT, M Reboot", &["M Reboot"]));
        assert!(!goes("1 BOOT,2 PERIODIC", &["6 CONNECTION REQUEST"]));
        assert!(!goes("4 VALUE CHANGE", &["4 VALUE CHANGE"]));
    }
}
