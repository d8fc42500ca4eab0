//! What the log shows: the scalars and the rows of Nlm's local log.
//!
//! For the tree's live leaves. Rows are read from the log when they are asked
//! for; nothing is kept twice.

use super::ring::Entry;

/// `localLogMaxNbEntries`, `localLogNbErrorEntries`, `localLogNbCriticalEntries`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// How many messages the local log keeps.
    pub max_entries: u32,
    /// How many of those that it holds are errors.
    pub error_entries: u32,
    /// How many of those that it holds are critical.
    pub critical_entries: u32,
}

/// A row of `localLogMessages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `localLogMessagesIndex`, from 1; it starts over after 4294967295.
    pub index: u32,
    /// `localLogMessagesLocalTime`, in UTC; "" where the time was not known.
    pub local_time: String,
    /// `localLogMessagesServiceNumkey`.
    pub service_numkey: u32,
    /// `localLogMessagesNotificationId`.
    pub notification_id: u32,
    /// `localLogMessagesSeverity`.
    pub severity: u16,
    /// `localLogMessagesServiceTextkey`.
    pub service_textkey: &'static str,
    /// `localLogMessagesMessage`.
    pub message: String,
}

impl From<&Entry> for Row {
    fn from(entry: &Entry) -> Row {
        let notice = &entry.notice;
        let around = entry.number.wrapping_sub(1) % u64::from(u32::MAX);
        Row {
            // Below u32::MAX by the remainder, so it fits with one added.
            index: around as u32 + 1,
            local_time: entry.at.map(|at| at.to_string()).unwrap_or_default(),
            service_numkey: notice.service.number().into(),
            notification_id: notice.id.into(),
            severity: notice.severity.number(),
            service_textkey: notice.service.name(),
            message: notice.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::messages;
    use crate::wire::time::UnixTime;

    #[test]
    fn a_row_spells_an_entry_as_the_mib_has_it() {
        let entry = Entry {
            number: u64::from(u32::MAX) + 1,
            at: Some(UnixTime::from_secs(1_800_000_000)),
            notice: messages::LINK_WAITS_FOR_TIME.with([&"default"]),
        };
        let row = Row::from(&entry);
        assert_eq!(row.index, 1);
        assert_eq!(row.local_time, "2027-01-15 08:00:00");
        assert_eq!(
            (row.service_numkey, row.notification_id, row.severity),
            (1400, 150, 300)
        );
        assert_eq!(row.service_textkey, "SipEp");
        assert_eq!(
            row.message,
            "gateway default: Waiting for time synchronization"
        );
    }
}
