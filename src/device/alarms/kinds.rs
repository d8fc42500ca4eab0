//! The alarms that there are, each a status object and the values of it that
//! are no good.
//!
//! An alarm is a state, not a message: it stands while its status object says
//! so, and can be neither forgotten nor cleared too early.

use crate::schema::{
    ColumnId, Index, Name, Value, bni, cert, conf, cwmp, hoc, row_name, sip_ep, snmp,
};
use crate::tree::Instances;
use std::collections::BTreeMap;

/// An alarm that the device can raise.
#[derive(Debug)]
pub(super) struct Kind {
    /// `supportedAlarmIndex`: never used again for another.
    pub(super) number: u32,
    /// In the words of ITU-T X.733.
    pub(super) event_type: &'static str,
    /// In the words of ITU-T X.733 and X.736.
    pub(super) cause: &'static str,
    pub(super) severity: Severity,
    pub(super) problem: &'static str,
    state: ColumnId,
    is_wrong: Verdict,
    /// The column that says why.
    reason: Option<ColumnId>,
    /// Columns of the row that say what it is about.
    about: &'static [ColumnId],
}

/// `supportedAlarmSeverity` and all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Severity {
    Critical = 100,
    Major = 200,
    Minor = 300,
    Warning = 400,
    Cleared = 600,
}

/// Which values of a status are an alarm, as they are displayed.
#[derive(Debug)]
enum Verdict {
    These(&'static [&'static str]),
    /// "" is no value.
    AllBut(&'static [&'static str]),
}

/// What is wrong with one row or scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The row or scalar by name.
    pub(super) object: String,
    /// What is wrong, and with what.
    pub(super) problem: String,
    /// Why.
    pub(super) text: String,
}

/// Which alarm, and of which row.
pub(super) type Key = (u32, Index);

const COMMUNICATIONS: &str = "Communications Alarm";
const PROCESSING: &str = "Processing Error Alarm";
const SECURITY: &str = "Time Domain Violation";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        number: 1,
        event_type: COMMUNICATIONS,
        cause: "Communications Protocol Error",
        severity: Severity::Major,
        problem: "a registration is lost",
        state: sip_ep::registration_status::STATE.id(),
        is_wrong: Verdict::AllBut(&[
            "registered",
            "refreshing",
            "registering",
            "unregistering",
            "unregistered",
        ]),
        reason: Some(sip_ep::registration_status_reason::TEXT.id()),
        about: &[
            sip_ep::registration_status::GATEWAY.id(),
            sip_ep::registration_status::ENDPOINT.id(),
            sip_ep::registration_status::USERNAME.id(),
            sip_ep::registration_status::REGISTRAR.id(),
        ],
    },
    Kind {
        number: 2,
        event_type: COMMUNICATIONS,
        cause: "Communications Subsystem Failure",
        severity: Severity::Major,
        problem: "a link is down",
        state: sip_ep::tls_persistent_connection_status::STATE.id(),
        is_wrong: Verdict::These(&["down"]),
        reason: Some(sip_ep::tls_persistent_connection_status_reason::TEXT.id()),
        about: &[
            sip_ep::tls_persistent_connection_status::GATEWAY.id(),
            sip_ep::tls_persistent_connection_status::REMOTE_HOST.id(),
        ],
    },
    Kind {
        number: 3,
        event_type: COMMUNICATIONS,
        cause: "Underlying Resource Unavailable",
        severity: Severity::Major,
        problem: "a gateway is not ready",
        state: sip_ep::gateway_status::STATE.id(),
        is_wrong: Verdict::AllBut(&["Ready", "Restarting"]),
        reason: Some(sip_ep::gateway_status_reason::TEXT.id()),
        about: &[sip_ep::gateway_status::NAME.id()],
    },
    Kind {
        number: 4,
        event_type: COMMUNICATIONS,
        cause: "LAN Error",
        severity: Severity::Major,
        problem: "a network interface has no address",
        state: bni::network_interfaces_status::INTERFACE_STATUS.id(),
        is_wrong: Verdict::AllBut(&["active"]),
        reason: None,
        about: &[bni::network_interfaces_status::INTERFACE_NAME.id()],
    },
    Kind {
        number: 5,
        event_type: SECURITY,
        cause: "Key Expired",
        severity: Severity::Warning,
        problem: "a certificate expires soon",
        state: cert::certificate_detail::STATE.id(),
        is_wrong: Verdict::These(&["expiring soon"]),
        reason: None,
        about: CERTIFICATE,
    },
    Kind {
        number: 6,
        event_type: SECURITY,
        cause: "Key Expired",
        severity: Severity::Major,
        problem: "a certificate has expired",
        state: cert::certificate_detail::STATE.id(),
        is_wrong: Verdict::These(&["expired"]),
        reason: None,
        about: CERTIFICATE,
    },
    Kind {
        number: 7,
        event_type: PROCESSING,
        cause: "Timing Problem",
        severity: Severity::Minor,
        problem: "the time is not known",
        state: hoc::CLOCK_STATE.id(),
        is_wrong: Verdict::These(&["unknown"]),
        reason: Some(hoc::CLOCK_REASON.id()),
        about: &[],
    },
    Kind {
        number: 8,
        event_type: PROCESSING,
        cause: "File Error",
        severity: Severity::Minor,
        problem: "a transfer has failed",
        state: cert::transfer::STATE.id(),
        is_wrong: Verdict::These(&["failed"]),
        reason: Some(cert::transfer::REASON.id()),
        about: &[cert::transfer::INDEX.id()],
    },
    Kind {
        number: 9,
        event_type: PROCESSING,
        cause: "Storage Capacity Problem",
        severity: Severity::Critical,
        problem: "changes are refused",
        state: conf::JOURNAL_STATE.id(),
        is_wrong: Verdict::AllBut(&["writing"]),
        reason: Some(conf::STORE_REASON.id()),
        about: &[],
    },
    Kind {
        number: 10,
        event_type: PROCESSING,
        cause: "Storage Capacity Problem",
        severity: Severity::Minor,
        problem: "the database does not follow the journal",
        state: conf::STORE_STATE.id(),
        is_wrong: Verdict::AllBut(&["writing"]),
        reason: Some(conf::STORE_REASON.id()),
        about: &[],
    },
    Kind {
        number: 11,
        event_type: PROCESSING,
        cause: "Underlying Resource Unavailable",
        severity: Severity::Major,
        problem: "nothing is heard by SNMP",
        state: snmp::LISTEN_REASON.id(),
        is_wrong: Verdict::AllBut(&[]),
        reason: Some(snmp::LISTEN_REASON.id()),
        about: &[],
    },
    Kind {
        number: 12,
        event_type: COMMUNICATIONS,
        cause: "Communications Protocol Error",
        severity: Severity::Minor,
        problem: "the ACS is not reached",
        state: cwmp::ACS_STATUS.id(),
        is_wrong: Verdict::AllBut(&["starting", "connected", "noUrl"]),
        reason: Some(cwmp::ACS_REASON.id()),
        about: &[],
    },
    Kind {
        number: 13,
        event_type: PROCESSING,
        cause: "Configuration Or Customization Error",
        severity: Severity::Minor,
        problem: "a service could not do what it was told",
        state: conf::service_version::LAST_ERROR.id(),
        is_wrong: Verdict::AllBut(&[]),
        reason: Some(conf::service_version::LAST_ERROR.id()),
        about: &[conf::service_version::NAME.id()],
    },
];

const CERTIFICATE: &[ColumnId] = &[
    cert::certificate_detail::FILE_NAME.id(),
    cert::certificate_detail::POSITION.id(),
];

impl Verdict {
    fn finds(&self, value: &str) -> bool {
        match self {
            Self::These(wrong) => wrong.contains(&value),
            Self::AllBut(fine) => !value.is_empty() && !fine.contains(&value),
        }
    }
}

impl Kind {
    /// The one of a number.
    pub(super) fn of(number: u32) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.number == number)
    }

    /// The columns that it is read from.
    pub(super) fn columns(&self) -> impl Iterator<Item = ColumnId> {
        std::iter::once(self.state).chain(self.reason)
    }

    fn find(&self, view: &Instances, into: &mut BTreeMap<Key, Standing>) {
        let table = self.state.get().table;
        for (index, _) in view.rows(table).iter() {
            let said = |column: ColumnId| said(view, column, index);
            let state = said(self.state);
            if !self.is_wrong.finds(&state) || is_switched_off(view, self.state, index) {
                continue;
            }
            let about: Vec<String> = self.about.iter().map(|column| said(*column)).collect();
            let about = about.join(" ");
            let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
            let problem = match about.as_str() {
                "" => self.problem.to_owned(),
                about => format!("{}: {about}", self.problem),
            };
            let standing = Standing {
                object: row_name(table, index),
                problem,
                text: self.reason.map_or_else(|| state.clone(), said),
            };
            into.insert((self.number, index.clone()), standing);
        }
    }
}

/// Everything that is wrong now.
pub(super) fn standing(view: &Instances) -> BTreeMap<Key, Standing> {
    let mut all = BTreeMap::new();
    for kind in KINDS {
        kind.find(view, &mut all);
    }
    all
}

fn said(view: &Instances, column: ColumnId, index: &Index) -> String {
    let name = Name {
        column,
        index: index.clone(),
    };
    let value = view.read(&name);
    value.map_or_else(String::new, |value| value.display(&column.get().syntax))
}

/// An interface that is not wanted has no address by intent.
fn is_switched_off(view: &Instances, state: ColumnId, index: &Index) -> bool {
    let name = Name {
        column: bni::network_interfaces::ACTIVATION.id(),
        index: index.clone(),
    };
    state == bni::network_interfaces_status::INTERFACE_STATUS.id()
        && view.read(&name) == Some(Value::Integer(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::sip_ep::registration_status::{self, State};
    use crate::tree::Tree;

    #[test]
    fn numbers_are_in_order_and_no_two_kinds_read_alike() {
        assert!(KINDS.is_sorted_by(|a, b| a.number < b.number));
        // TR-181 FaultMgmt.SupportedAlarm.{i}.: the unique key.
        let keys: std::collections::BTreeSet<_> = KINDS
            .iter()
            .map(|kind| (kind.event_type, kind.cause, kind.problem))
            .collect();
        assert_eq!(keys.len(), KINDS.len());
    }

    #[test]
    fn a_registration_is_wrong_when_it_is_refused_and_not_while_it_is_tried() {
        let tree = Tree::in_memory();
        let index = Index::number(1);
        let state = |state: State| {
            tree.live().publish(|live| {
                live.set(registration_status::STATE, &index, state);
                live.set(registration_status::USERNAME, &index, "1000");
                live.set(
                    sip_ep::registration_status_reason::TEXT,
                    &index,
                    "403 Forbidden",
                );
            });
            standing(&tree.instances())
        };
        assert!(!state(State::Registering).contains_key(&(1, index.clone())));
        let wrong = state(State::AuthFailed);
        let one = &wrong[&(1, index.clone())];
        assert_eq!(one.object, "SipEp.RegistrationStatus[Index=1]");
        assert_eq!(one.problem, "a registration is lost: 1000");
        assert_eq!(one.text, "403 Forbidden");
    }

    #[test]
    fn an_interface_that_is_switched_off_is_no_alarm() {
        use crate::schema::bni::network_interfaces_status::{self as status, InterfaceStatus};
        use crate::tree::{Actor, Transaction};
        let tree = Tree::in_memory();
        let set = |name: &str, value: Value| {
            let mut txn = Transaction::new(Actor::local());
            txn.assign(Name::parse(name).expect("a name"), value);
            tree.commit_and_wait(txn, 0).expect("granted");
        };
        set("Bni.NetworkInterfaces[Idx=1].InterfaceName", "Lan1".into());
        set("Bni.NetworkInterfaces[Idx=1].Activation", Value::Integer(1));
        let down = InterfaceStatus::LinkDown;
        tree.live()
            .publish(|live| live.set(status::INTERFACE_STATUS, &Index::number(1), down));
        let key = (4, Index::number(1));
        assert!(standing(&tree.instances()).contains_key(&key));
        set("Bni.NetworkInterfaces[Idx=1].Activation", Value::Integer(0));
        assert!(!standing(&tree.instances()).contains_key(&key));
    }
}
