//! What the agent counts, at the names where managers look for it.
//!
//! One cell for each counter, shared by the listeners and by whoever publishes
//! the snmp group; each counts once and wraps at 2^32. A Report carries the
//! counter that caused it, so the names are needed here too.

use std::sync::atomic::{AtomicU32, Ordering};

/// One counter of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// snmpInPkts: every datagram that a listener handed over.
    InPkts,
    /// snmpInBadVersions: an unknown version, or one that is switched off.
    InBadVersions,
    /// snmpInBadCommunityNames.
    InBadCommunityNames,
    /// snmpInBadCommunityUses: a SET by a community that may only read.
    InBadCommunityUses,
    /// snmpInASNParseErrs.
    InAsnParseErrs,
    /// snmpSilentDrops: not even an empty answer would have fitted.
    SilentDrops,
    /// snmpUnknownSecurityModels.
    UnknownSecurityModels,
    /// snmpInvalidMsgs: privacy without authentication.
    InvalidMsgs,
    /// snmpUnknownPDUHandlers: an operation or an engine that nobody serves here.
    UnknownPduHandlers,
    /// snmpUnknownContexts.
    UnknownContexts,
    /// usmStatsUnsupportedSecLevels.
    UnsupportedSecLevels,
    /// usmStatsNotInTimeWindows.
    NotInTimeWindows,
    /// usmStatsUnknownUserNames.
    UnknownUserNames,
    /// usmStatsUnknownEngineIDs.
    UnknownEngineIds,
    /// usmStatsWrongDigests.
    WrongDigests,
    /// usmStatsDecryptionErrors.
    DecryptionErrors,
    /// statsGetRequest.
    GetRequests,
    /// statsGetNextRequest; a GETBULK counts here too.
    GetNextRequests,
    /// statsSetRequest.
    SetRequests,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Self; 19] = [
        Self::InPkts,
        Self::InBadVersions,
        Self::InBadCommunityNames,
        Self::InBadCommunityUses,
        Self::InAsnParseErrs,
        Self::SilentDrops,
        Self::UnknownSecurityModels,
        Self::InvalidMsgs,
        Self::UnknownPduHandlers,
        Self::UnknownContexts,
        Self::UnsupportedSecLevels,
        Self::NotInTimeWindows,
        Self::UnknownUserNames,
        Self::UnknownEngineIds,
        Self::WrongDigests,
        Self::DecryptionErrors,
        Self::GetRequests,
        Self::GetNextRequests,
        Self::SetRequests,
    ];

    /// The name of its one instance.
    pub fn instance(self) -> &'static [u32] {
        match self {
            Self::InPkts => &[1, 3, 6, 1, 2, 1, 11, 1, 0],
            Self::InBadVersions => &[1, 3, 6, 1, 2, 1, 11, 3, 0],
            Self::InBadCommunityNames => &[1, 3, 6, 1, 2, 1, 11, 4, 0],
            Self::InBadCommunityUses => &[1, 3, 6, 1, 2, 1, 11, 5, 0],
            Self::InAsnParseErrs => &[1, 3, 6, 1, 2, 1, 11, 6, 0],
            Self::SilentDrops => &[1, 3, 6, 1, 2, 1, 11, 31, 0],
            Self::UnknownSecurityModels => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 1, 0],
            Self::InvalidMsgs => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 2, 0],
            Self::UnknownPduHandlers => &[1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0],
            Self::UnknownContexts => &[1, 3, 6, 1, 6, 3, 12, 1, 5, 0],
            Self::UnsupportedSecLevels => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0],
            Self::NotInTimeWindows => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0],
            Self::UnknownUserNames => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0],
            Self::UnknownEngineIds => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0],
            Self::WrongDigests => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0],
            Self::DecryptionErrors => &[1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0],
            Self::GetRequests => &[
                1, 3, 6, 1, 4, 1, 4935, 1000, 100, 200, 100, 900, 1, 10000, 100, 0,
            ],
            Self::GetNextRequests => &[
                1, 3, 6, 1, 4, 1, 4935, 1000, 100, 200, 100, 900, 1, 10000, 200, 0,
            ],
            Self::SetRequests => &[
                1, 3, 6, 1, 4, 1, 4935, 1000, 100, 200, 100, 900, 1, 10000, 300, 0,
            ],
        }
    }
}

/// The counts since the engine started.
#[derive(Debug, Default)]
pub struct Counters {
    cells: [AtomicU32; Counter::ALL.len()],
}

impl Counters {
    /// Counts one, and tells the new count.
    pub fn bump(&self, counter: Counter) -> u32 {
        // The order of counts among threads means nothing.
        self.cells[counter as usize]
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1)
    }

    /// The count of now.
    pub fn count(&self, counter: Counter) -> u32 {
        self.cells[counter as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_a_cell_and_a_name_of_its_own() {
        let counters = Counters::default();
        for (index, &counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(counter as usize, index);
            assert_eq!(counters.bump(counter), 1);
            let twins = Counter::ALL
                .iter()
                .filter(|other| other.instance() == counter.instance());
            assert_eq!(twins.count(), 1);
            assert_eq!(counter.instance().last(), Some(&0));
        }
    }

    #[test]
    fn a_counter_wraps() {
        let counters = Counters::default();
        counters.cells[Counter::InPkts as usize].store(u32::MAX, Ordering::Relaxed);
        assert_eq!(counters.bump(Counter::InPkts), 0);
    }
}
