//! What the clock is told: Hoc's SNTP objects and DEMARC-HOC's `clockSource`.
//!
//! Plain data with the defaults of the MIB. Which of the configured servers
//! count is decided here, by `sntpConfigSource`; what is asked when is not.

use std::time::Duration;

use crate::schema::{ColumnId, hoc};
use crate::tree::{Configured, Snapshot, View};
use crate::view;
use crate::wire::host_port::HostPort;

view! {
    /// The scalars that the clock claims.
    struct Sntp: hoc {
        /// What must be there before the time is known.
        clock_source: hoc::ClockSource = CLOCK_SOURCE,
        /// Who names the servers.
        config_source: hoc::SntpConfigSource = SNTP_CONFIG_SOURCE,
        /// Minutes.
        period: u32 = SNTP_SYNCHRONIZATION_PERIOD,
        /// Minutes.
        period_on_error: u32 = SNTP_SYNCHRONIZATION_PERIOD_ON_ERROR,
    }
}

view! {
    /// One configured server.
    struct Server: hoc::static_sntp_servers {
        /// From 1.
        priority: u32 = PRIORITY,
        /// None where it is "".
        host: Option<HostPort> = HOST_NAME,
    }
}

/// The clock's settings as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `clockSource`: what must be there before the time is known.
    pub clock_source: ClockSource,
    /// `sntpConfigSource`: who names the servers.
    pub config_source: ConfigSource,
    /// `staticSntpServersHostName` of priorities 1 to 4.
    pub static_servers: [Option<HostPort>; SERVERS],
    /// `sntpSynchronizationPeriod`, in minutes.
    pub period: u32,
    /// `sntpSynchronizationPeriodOnError`, in minutes.
    pub period_on_error: u32,
}

/// The most servers that can be configured.
pub const SERVERS: usize = 4;

/// What must be there before the time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ClockSource {
    /// The system clock counts if it is later than the time floor; servers correct it.
    #[default]
    SystemClock,
    /// Only the answer of a server counts.
    Sntp,
}

/// Who names the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ConfigSource {
    /// The network, over IPv4.
    #[default]
    Automatic,
    /// The network, over IPv6.
    AutomaticIpv6,
    /// `staticSntpServers`.
    Static,
    /// The network, else `staticSntpServers`.
    AutomaticWithFallback,
}

impl Settings {
    /// The servers that count, the most important first.
    ///
    /// No network interface of Demarc is configured by the network, so what
    /// is automatic names none.
    pub fn servers(&self) -> Vec<HostPort> {
        match self.config_source {
            ConfigSource::Automatic | ConfigSource::AutomaticIpv6 => Vec::new(),
            ConfigSource::Static | ConfigSource::AutomaticWithFallback => {
                self.static_servers.iter().flatten().cloned().collect()
            }
        }
    }

    /// From one good answer to the next question.
    pub fn rest(&self) -> Duration {
        minutes(self.period)
    }

    /// From one failure to the next question, at most.
    pub fn rest_on_error(&self) -> Duration {
        minutes(self.period_on_error)
    }
}

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        [Sntp::COLUMNS, Server::COLUMNS].concat()
    }

    fn read(snapshot: &Snapshot) -> Settings {
        let sntp: Sntp = snapshot.scalars();
        let mut static_servers = [const { None }; SERVERS];
        for (place, priority) in static_servers.iter_mut().zip(1..) {
            let servers = snapshot.view::<Server>();
            let server = servers
                .into_iter()
                .find(|(_, server)| server.priority == priority);
            *place = server.and_then(|(_, server)| server.host);
        }
        Settings {
            clock_source: match sntp.clock_source {
                hoc::ClockSource::SystemClock => ClockSource::SystemClock,
                hoc::ClockSource::Sntp => ClockSource::Sntp,
            },
            config_source: match sntp.config_source {
                hoc::SntpConfigSource::Automatic => ConfigSource::Automatic,
                hoc::SntpConfigSource::AutomaticIpv6 => ConfigSource::AutomaticIpv6,
                hoc::SntpConfigSource::Static => ConfigSource::Static,
                hoc::SntpConfigSource::AutomaticWithFallback => ConfigSource::AutomaticWithFallback,
            },
            static_servers,
            period: sntp.period,
            period_on_error: sntp.period_on_error,
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            clock_source: ClockSource::default(),
            config_source: ConfigSource::default(),
            static_servers: [const { None }; SERVERS],
            period: 1440,
            period_on_error: 60,
        }
    }
}

/// The MIB's range is 1 to 1440; nothing outside it is believed here either.
fn minutes(count: u32) -> Duration {
    Duration::from_secs(u64::from(count.clamp(1, 1440)) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_dictionary() {
        let settings = Settings::default();
        assert_eq!(settings.rest(), Duration::from_secs(24 * 3600));
        assert_eq!(settings.rest_on_error(), Duration::from_secs(3600));
        assert_eq!(settings.servers(), []);
    }

    #[test]
    fn static_servers_count_by_priority_and_only_where_they_are_asked_for() {
        let server = |text| HostPort::parse(text).expect("valid");
        let mut settings = Settings {
            static_servers: [
                server(""),
                server("b.example:5"),
                server(""),
                server("a.example"),
            ],
            ..Settings::default()
        };
        assert_eq!(settings.servers(), []);
        settings.config_source = ConfigSource::AutomaticWithFallback;
        let names: Vec<String> = settings.servers().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b.example:5", "a.example"]);
    }
}
