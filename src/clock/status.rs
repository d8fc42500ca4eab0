//! What the clock shows and says: Hoc's SNTP status, and its notices.
//!
//! For the tree's live leaves and the log. The core emits typed events; here
//! they meet the registry of messages. Nothing is decided here.

use std::fmt;

use crate::schema::Index;
use crate::schema::hoc::{self, sntp_servers_info};
use crate::tree::Publication;
use crate::tree::messages;
use crate::tree::notice::Notice;
use crate::wire::host_port::HostPort;
use crate::wire::sntp::{Fault, Kiss};
use crate::wire::time::UnixTime;

/// The clock's live leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `clockState`.
    pub known: Known,
    /// `sntpCurrentSource`: the server that the time is from; "" where it is from none.
    pub current_source: String,
    /// `sntpServersInfo`: the servers that count, by priority.
    pub servers: Vec<String>,
    /// `clockOffset`: what the last answer corrected, in microseconds.
    pub offset: Option<i64>,
    /// `clockReason`: a sentence, with the object to change.
    pub reason: Reason,
}

/// `clockState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Whatever needs the time waits.
    Unknown,
    /// The time is known.
    Known,
}

/// Why the clock is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A server said so.
    Synchronized(HostPort),
    /// The system clock is later than the floor.
    SystemTrusted,
    /// A server said so, but none does any longer.
    RunsFree(Failure),
    /// A server was asked, or its name is being looked up.
    Waiting(HostPort),
    /// No server gave a usable answer.
    NoAnswer(Failure),
    /// No server is configured, and only a server counts.
    NoServer,
    /// The system clock is not later than this floor, and no server is configured.
    SystemTooEarly(UnixTime),
}

/// Which server failed last, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The server as it is configured.
    pub server: HostPort,
    /// What went wrong.
    pub cause: Cause,
}

/// How a server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Its name has no address, or could not be looked up in time.
    #[error("its name has no address")]
    NameUnknown,
    /// It does not answer.
    #[error("no answer")]
    TimedOut,
    /// The network does not take the request there.
    #[error("it cannot be reached")]
    Unreachable,
    /// It was asked a moment ago, or asked not to be.
    #[error("it may not be asked yet")]
    TooSoon,
    /// It answers with a time before this program was built.
    #[error("its time is before this software was built")]
    TooEarly,
    /// Its answer is not to be believed.
    #[error("{0}")]
    Answer(#[from] Fault),
}

impl Status {
    /// Shows it in Hoc's live leaves.
    pub fn publish(&self, live: &mut Publication<'_>) {
        live.scalar(hoc::SNTP_CURRENT_SOURCE, &self.current_source);
        let state = match self.known {
            Known::Unknown => hoc::ClockState::Unknown,
            Known::Known => hoc::ClockState::Known,
        };
        live.scalar(hoc::CLOCK_STATE, state);
        live.scalar(
            hoc::CLOCK_OFFSET,
            self.offset
                .map(|offset| Millis(offset).to_string())
                .unwrap_or_default(),
        );
        live.scalar(hoc::CLOCK_REASON, self.reason.to_string());
        live.clear(sntp_servers_info::TABLE);
        for (priority, server) in (1..).zip(&self.servers) {
            live.set(
                sntp_servers_info::HOST_NAME,
                &Index::number(priority),
                server,
            );
        }
    }
}

/// What happened, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A server corrected the clock by so many microseconds.
    Synchronized(HostPort, i64),
    /// A server failed.
    Failed(Failure),
    /// A server asks to be left alone.
    Refused(HostPort, Kiss),
    /// All servers failed, after they had worked or for the first time.
    NoneAnswered(Failure),
    /// The time became known.
    Known(Option<HostPort>, UnixTime),
    /// The time is not, or no longer, known.
    Unknown(Reason),
}

impl Event {
    /// The event as a registered message.
    pub fn notice(&self) -> Notice {
        match self {
            Event::Synchronized(server, offset) => {
                messages::TIME_SYNCHRONIZED.with([server, &Millis(*offset)])
            }
            Event::Failed(Failure { server, cause }) => {
                messages::TIME_SERVER_FAILED.with([server, cause])
            }
            Event::Refused(server, kiss) => messages::TIME_SERVER_REFUSED.with([server, kiss]),
            Event::NoneAnswered(failure) => messages::TIME_SERVERS_FAILED.with([failure]),
            Event::Known(Some(server), time) => messages::TIME_KNOWN.with([server, time]),
            Event::Known(None, time) => messages::TIME_KNOWN.with([&"the system clock", time]),
            Event::Unknown(reason) => messages::TIME_UNKNOWN.with([reason]),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Synchronized(server) => write!(f, "synchronized with {server}"),
            Reason::SystemTrusted => f.write_str("the system clock is later than the time floor"),
            Reason::RunsFree(failure) => write!(f, "runs on without a server; {failure}"),
            Reason::Waiting(server) => write!(f, "waiting for {server}"),
            Reason::NoAnswer(failure) => write!(f, "{failure}"),
            Reason::NoServer => write!(
                f,
                "no SNTP server: set Hoc.SntpConfigSource=static and {SERVER}, or Hoc.ClockSource=systemClock"
            ),
            Reason::SystemTooEarly(floor) => write!(
                f,
                "the system clock is not later than {floor}: set it, or set Hoc.SntpConfigSource=static and {SERVER}"
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: check {SERVER}", self.server, self.cause)
    }
}

/// Microseconds, printed as milliseconds.
pub struct Millis(pub i64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:03}", micros / 1000, micros % 1000)
    }
}

const SERVER: &str = "Hoc.StaticSntpServers[Priority=1].HostName";

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> HostPort {
        HostPort::parse("ntp.example.com")
            .expect("valid")
            .expect("a server")
    }

    #[test]
    fn offsets_print_as_milliseconds_with_their_sign() {
        assert_eq!(Millis(1_500).to_string(), "1.500");
        assert_eq!(Millis(-7).to_string(), "-0.007");
        assert_eq!(Millis(i64::MIN).to_string(), "-9223372036854775.808");
    }

    #[test]
    fn whatever_keeps_the_time_unknown_names_the_object_to_change() {
        let failure = Failure {
            server: server(),
            cause: Cause::TimedOut,
        };
        let floor = UnixTime::from_secs(1_800_000_000);
        let reasons = [
            Reason::NoAnswer(failure),
            Reason::NoServer,
            Reason::SystemTooEarly(floor),
        ];
        for reason in reasons {
            assert!(
                reason
                    .to_string()
                    .contains("Hoc.StaticSntpServers[Priority=1].HostName")
            );
        }
    }

    #[test]
    fn an_event_becomes_its_registered_message() {
        let notice = Event::Refused(server(), Kiss::Rate).notice();
        assert_eq!(notice.name(), "700.40");
        assert_eq!(
            notice.text,
            "SNTP server ntp.example.com sent the kiss-o'-death RATE"
        );
    }
}
