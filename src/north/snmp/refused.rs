//! What is said about datagrams that are not served.
//!
//! Whoever can reach the port can provoke these, so each kind is said once in
//! [`PERIOD`] and then with the number of those that were not said. The
//! ordinary steps of a manager's discovery are no news.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::counters::Counter;
use crate::tree::messages;
use crate::tree::notice::Notice;

/// How long a kind stays silent after it was said.
pub const PERIOD: Duration = Duration::from_secs(30);

/// Remembers what was said, and counts what was not.
#[derive(Debug, Default)]
pub struct Refused {
    sources: Seldom,
    strangers: Seldom,
    malformed: Seldom,
}

/// One kind: when it was last said, and how often it happened since.
#[derive(Debug, Default)]
struct Seldom {
    last: Option<Instant>,
    unsaid: u32,
}

impl Refused {
    /// A datagram from where none may come.
    pub fn source(&mut self, now: Instant, from: SocketAddr) -> Option<Notice> {
        let more = self.sources.more(now)?;
        Some(messages::SNMP_SOURCE_REFUSED.with([&from.ip(), &more]))
    }

    /// A datagram that `counter` counted, where that is worth a line.
    pub fn counted(&mut self, now: Instant, from: SocketAddr, counter: Counter) -> Option<Notice> {
        match reason(counter) {
            Reason::Stranger(why) => {
                let more = self.strangers.more(now)?;
                Some(messages::SNMP_NOT_AUTHENTIC.with([&from, &why, &more]))
            }
            Reason::Malformed(why) => {
                let more = self.malformed.more(now)?;
                Some(messages::SNMP_MALFORMED.with([&from, &why, &more]))
            }
            Reason::NoNews => None,
        }
    }
}

impl Seldom {
    /// What to add to the line that is due now; none while it is not due.
    fn more(&mut self, now: Instant) -> Option<String> {
        let due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= PERIOD);
        if !due {
            self.unsaid = self.unsaid.saturating_add(1);
            return None;
        }
        self.last = Some(now);
        match std::mem::take(&mut self.unsaid) {
            0 => Some(String::new()),
            count => Some(format!(" (and {count} more before it)")),
        }
    }
}

enum Reason {
    Stranger(&'static str),
    Malformed(&'static str),
    NoNews,
}

fn reason(counter: Counter) -> Reason {
    use Reason::{Malformed, NoNews, Stranger};
    match counter {
        Counter::InBadCommunityNames => Stranger("the community is not that of Snmp.Community"),
        Counter::UnknownUserNames => {
            Stranger("no such SNMPv3 user; a user needs a row of Aaa.Users and a password")
        }
        Counter::WrongDigests => {
            Stranger("wrong password or digest; see Aaa.UserSnmp for the user's AuthProtocol")
        }
        Counter::UnsupportedSecLevels => {
            Stranger("more protection than the user has; see Aaa.UserSnmp")
        }
        Counter::InBadVersions => Stranger(
            "its version is unknown or switched off; see Snmp.EnableSnmpV1, EnableSnmpV2 and EnableSnmpV3",
        ),
        Counter::DecryptionErrors => Malformed("it cannot be decrypted"),
        Counter::InAsnParseErrs => Malformed("it is no SNMP, or is encrypted with another key"),
        Counter::UnknownSecurityModels => Malformed("another security model than USM"),
        Counter::InvalidMsgs => Malformed("encrypted without authentication"),
        Counter::UnknownPduHandlers => Malformed("an operation or engine that is not served here"),
        Counter::UnknownContexts => Malformed("a context that does not exist"),
        // RFC 3414 §4: how a manager learns the engine's id and time.
        Counter::UnknownEngineIds | Counter::NotInTimeWindows => NoNews,
        Counter::InPkts
        | Counter::InBadCommunityUses
        | Counter::SilentDrops
        | Counter::GetRequests
        | Counter::GetNextRequests
        | Counter::SetRequests => NoNews,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(notice: Option<Notice>) -> Option<String> {
        notice.map(|notice| notice.text)
    }

    #[test]
    fn a_flood_is_one_line_and_then_a_number() {
        let (mut refused, from) = (Refused::default(), ([192, 0, 2, 7], 4000).into());
        let start = Instant::now();
        let mut say = |seconds| {
            let now = start + Duration::from_secs(seconds);
            text(refused.counted(now, from, Counter::InBadCommunityNames))
        };
        let sentence =
            "request from 192.0.2.7:4000 refused: the community is not that of Snmp.Community";
        assert_eq!(say(0).as_deref(), Some(sentence));
        for _ in 0..1000 {
            assert_eq!(say(29), None);
        }
        assert_eq!(
            say(30),
            Some(format!("{sentence} (and 1000 more before it)"))
        );
        assert_eq!(say(60).as_deref(), Some(sentence));
    }

    #[test]
    fn one_kind_does_not_silence_another_and_discovery_is_no_news() {
        let (mut refused, from) = (Refused::default(), ([192, 0, 2, 7], 4000).into());
        let now = Instant::now();
        assert!(
            refused
                .counted(now, from, Counter::InAsnParseErrs)
                .is_some()
        );
        assert!(refused.counted(now, from, Counter::WrongDigests).is_some());
        assert!(refused.source(now, from).is_some());
        for counter in [Counter::UnknownEngineIds, Counter::NotInTimeWindows] {
            assert_eq!(refused.counted(now, from, counter), None);
        }
    }
}
