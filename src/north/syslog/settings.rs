//! What the log is told: Nlm's objects, and `minSeverity` of each service.
//!
//! Plain data with the defaults of the MIB. The names of the device and of the
//! process come beside it: they are no settings.

use crate::schema::{self, ColumnId, Index, Value};
use crate::tree::notice::{Service, Severity};
use crate::tree::{Configured, Snapshot, View};
use crate::view;
use crate::wire::host_port::HostPort;

view! {
    /// The scalars of Nlm.
    struct Nlm: nlm {
        /// The receiver.
        remote_host: Option<HostPort> = SYSLOG_REMOTE_HOST,
        /// Messages.
        local_size: u32 = LOCAL_LOG_SIZE,
    }
}

view! {
    /// What the device is called.
    struct System: hoc {
        /// HOSTNAME, where it has no blank.
        name: String = SYSTEM_NAME,
    }
}

/// The log's settings as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `syslogRemoteHost`: the receiver; none where it is "". Port 0 is 514.
    pub remote_host: Option<HostPort>,
    /// `localLogSize`: how many messages the local log keeps, 10 to 10000.
    pub local_size: u32,
    /// `minSeverity` of each service.
    pub thresholds: Thresholds,
    /// The HOSTNAME of syslog messages; "" where the device has none.
    pub host_name: String,
}

/// Who logs, beside what is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name of the device within its process.
    pub device: String,
    /// The process.
    pub process: Option<u32>,
}

/// The lowest severity of each service that is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds([Threshold; Service::ALL.len()]);

/// A value of `minSeverity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// disable(0): nothing is logged.
    Disabled,
    /// What is at least as grave is logged.
    AtLeast(Severity),
}

impl Settings {
    /// How many messages the local log keeps.
    pub(super) fn ring_size(&self) -> usize {
        self.local_size.clamp(LOCAL_LEAST, LOCAL_MOST) as usize
    }
}

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        let severities = Service::ALL.into_iter().filter_map(min_severity);
        [Nlm::COLUMNS, System::COLUMNS]
            .concat()
            .into_iter()
            .chain(severities)
            .collect()
    }

    fn read(snapshot: &Snapshot) -> Settings {
        let nlm: Nlm = snapshot.scalars();
        let system: System = snapshot.scalars();
        let mut thresholds = Thresholds::default();
        for service in Service::ALL {
            let cell = min_severity(service)
                .and_then(|column| snapshot.cell(column, &Index::scalar()))
                .and_then(Value::number);
            let threshold = cell
                .and_then(|number| u16::try_from(number).ok())
                .and_then(Threshold::from_number);
            if let Some(threshold) = threshold {
                thresholds.set(service, threshold);
            }
        }
        Settings {
            remote_host: nlm.remote_host,
            local_size: nlm.local_size,
            thresholds,
            host_name: system.name,
        }
    }
}

/// `minSeverity` of a service, if it has one.
fn min_severity(service: Service) -> Option<ColumnId> {
    let owner = schema::service(service.name())?;
    schema::columns()
        .find(|(_, column)| column.name == "minSeverity" && column.table.get().service == owner)
        .map(|(id, _)| id)
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            remote_host: None,
            local_size: 500,
            thresholds: Thresholds::default(),
            host_name: String::new(),
        }
    }
}

impl Thresholds {
    /// The threshold of a service.
    pub fn of(&self, service: Service) -> Threshold {
        self.0[slot(service)]
    }

    /// Sets the threshold of a service.
    pub fn set(&mut self, service: Service, threshold: Threshold) {
        self.0[slot(service)] = threshold;
    }

    /// Whether a service's messages of this severity are logged.
    pub fn pass(&self, service: Service, severity: Severity) -> bool {
        match self.of(service) {
            Threshold::Disabled => false,
            Threshold::AtLeast(least) => severity >= least,
        }
    }
}

/// `minSeverity` is warning unless it is set.
impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds([Threshold::AtLeast(Severity::Warning); Service::ALL.len()])
    }
}

impl Threshold {
    /// The threshold with a number of `minSeverity`; `None` where it has none.
    pub fn from_number(number: u16) -> Option<Threshold> {
        if number == 0 {
            return Some(Threshold::Disabled);
        }
        let severity = Severity::ALL.into_iter().find(|s| s.number() == number);
        severity.map(Threshold::AtLeast)
    }
}

/// Where a service stands in the list of all.
fn slot(service: Service) -> usize {
    Service::ALL.partition_point(|other| *other < service)
}

const LOCAL_LEAST: u32 = 10;
const LOCAL_MOST: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_passes_warnings_and_what_is_graver() {
        let thresholds = Thresholds::default();
        for service in Service::ALL {
            assert!(!thresholds.pass(service, Severity::Info));
            assert!(thresholds.pass(service, Severity::Warning));
            assert!(thresholds.pass(service, Severity::Critical));
        }
    }

    #[test]
    fn each_service_has_a_threshold_of_its_own() {
        let mut thresholds = Thresholds::default();
        for (number, passing) in [(0, 0), (100, 5), (200, 4), (300, 3), (400, 2), (500, 1)] {
            let threshold = Threshold::from_number(number).expect("of the MIB");
            thresholds.set(Service::SipEp, threshold);
            let passed = Severity::ALL
                .iter()
                .filter(|s| thresholds.pass(Service::SipEp, **s));
            assert_eq!(passed.count(), passing, "{number}");
            assert_eq!(
                thresholds.of(Service::Cert),
                Threshold::AtLeast(Severity::Warning)
            );
        }
        assert_eq!(Threshold::from_number(150), None);
    }
}
