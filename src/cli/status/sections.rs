//! Which tables make the picture, and which of their states are good.
//!
//! Objects are named as text: what a device does not have is left out.

/// A table of things that work or do not.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    /// `Service.Table`.
    pub(super) table: &'static str,
    /// The columns that are shown, each with its heading.
    pub(super) show: &'static [(&'static str, &'static str)],
    /// The column that says how it is.
    pub(super) state: &'static str,
    /// Its good values.
    pub(super) good: &'static [&'static str],
    /// Its values on the way to a good one, or where nothing is wanted.
    pub(super) waiting: &'static [&'static str],
    /// Its values on the way out, which are no fault whatever their reason.
    pub(super) leaving: &'static [&'static str],
    /// The table with the same key that says why, and its column.
    pub(super) reason: (&'static str, &'static str),
    /// Columns of the reason's table that are shown too, with their headings.
    pub(super) also: &'static [(&'static str, &'static str)],
    /// What is good stands in one line.
    pub(super) brief: bool,
    /// What to change where the reason names nothing.
    pub(super) change: &'static str,
}

pub(super) const SECTIONS: &[Section] = &[
    Section {
        title: "Services",
        table: "Scm.ServicesInfo",
        show: &[("service", "Name"), ("state", "ExecState")],
        state: "ExecState",
        good: &["started"],
        waiting: &["starting", "stopping", "stopped"],
        leaving: &[],
        reason: ("Conf.ServiceVersion", "LastError"),
        also: &[],
        brief: true,
        change: "start it by Scm.ServiceCommands",
    },
    Section {
        title: "Network interfaces",
        table: "Bni.NetworkInterfacesStatus",
        show: &[
            ("interface", "InterfaceName"),
            ("state", "InterfaceStatus"),
            ("address", "IpAddr"),
        ],
        state: "InterfaceStatus",
        good: &["active"],
        waiting: &[],
        leaving: &[],
        reason: ("", ""),
        also: &[],
        brief: false,
        change: "see Bni.NetworkInterfaces",
    },
    Section {
        title: "Gateways",
        table: "SipEp.GatewayStatus",
        show: &[
            ("gateway", "Name"),
            ("state", "State"),
            ("interface", "NetworkInterface"),
            ("port", "Port"),
            ("TLS port", "SecurePort"),
        ],
        state: "State",
        good: &["Ready"],
        waiting: &["Restarting"],
        leaving: &[],
        reason: ("SipEp.GatewayStatusReason", "Text"),
        also: &[],
        brief: false,
        change: "see SipEp.Gateway and SipEp.TransportConfig",
    },
    Section {
        title: "Links",
        table: "SipEp.TlsPersistentConnectionStatus",
        show: &[
            ("gateway", "Gateway"),
            ("state", "State"),
            ("server", "RemoteHost"),
            ("address", "RemoteHostIpAddr"),
            ("local port", "LocalPort"),
        ],
        state: "State",
        good: &["up"],
        waiting: &["waitingUp"],
        leaving: &["waitingShutdown"],
        reason: ("SipEp.TlsPersistentConnectionStatusReason", "Text"),
        also: &[
            ("TLS", "Version"),
            ("cipher suite", "CipherSuite"),
            ("since", "Since"),
            ("next attempt", "NextAttempt"),
        ],
        brief: false,
        change: "is the server right? See SipEp.DefaultStaticProxyHomeDomainHost, \
                 SipEp.DefaultStaticRegistrarServerHost, SipEp.GwSpecificProxy and \
                 SipEp.GwSpecificRegistration",
    },
    Section {
        title: "Registrations",
        table: "SipEp.RegistrationStatus",
        show: &[
            ("gateway", "Gateway"),
            ("state", "State"),
            ("endpoint", "Endpoint"),
            ("user", "Username"),
            ("registrar", "Registrar"),
        ],
        state: "State",
        good: &["registered", "refreshing"],
        waiting: &["registering", "unregistering", "unregistered"],
        leaving: &[],
        reason: ("SipEp.RegistrationStatusReason", "Text"),
        also: &[("next", "NextAction"), ("at", "NextTime")],
        brief: false,
        change: "see SipEp.UserAgent, SipEp.Authentication, \
                 SipEp.DefaultStaticRegistrarServerHost and SipEp.GwSpecificRegistration",
    },
    Section {
        title: "Certificates",
        table: "Cert.CertificateDetail",
        show: &[
            ("file", "FileName"),
            ("state", "State"),
            ("days left", "DaysLeft"),
            ("kind", "Store"),
            ("names", "SubjectAltNames"),
        ],
        state: "State",
        good: &["valid"],
        waiting: &["time not known"],
        leaving: &[],
        reason: ("", ""),
        also: &[],
        brief: false,
        change: "install a new one: demarc cert add --name {FileName} --type {Store} FILE",
    },
    Section {
        title: "Certificate transfers",
        table: "Cert.Transfer",
        show: &[
            ("transfer", "Index"),
            ("state", "State"),
            ("from", "Url"),
            ("finished", "Finished"),
        ],
        state: "State",
        good: &["done"],
        waiting: &["idle", "running"],
        leaving: &[],
        reason: ("Cert.Transfer", "Reason"),
        also: &[],
        brief: false,
        change: "see Cert.Transfer",
    },
];

/// One scalar that says how something is.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) title: &'static str,
    pub(super) state: &'static str,
    /// The good value; none where anything but "" is good.
    pub(super) good: Option<&'static str>,
    /// The value on the way to it.
    pub(super) waiting: Option<&'static str>,
    /// The value where nothing is wanted, and nothing shown.
    pub(super) absent: Option<&'static str>,
    pub(super) reason: &'static str,
    /// What to change where the reason names nothing.
    pub(super) change: &'static str,
}

pub(super) const SCALARS: &[Scalar] = &[
    Scalar {
        title: "SNMP",
        state: "Snmp.ListenState",
        good: None,
        waiting: None,
        absent: None,
        reason: "Snmp.ListenReason",
        change: "see Snmp.NetworkInterface, Snmp.Port and Scm.ServiceCommands",
    },
    Scalar {
        title: "Clock",
        state: "Hoc.ClockState",
        good: Some("known"),
        waiting: None,
        absent: None,
        reason: "Hoc.ClockReason",
        change: "see Hoc.ClockSource",
    },
    Scalar {
        title: "ACS",
        state: "Cwmp.AcsStatus",
        good: Some("connected"),
        waiting: Some("starting"),
        absent: Some("noUrl"),
        reason: "Cwmp.AcsReason",
        change: "see demarc cwmp and Cwmp.AcsStaticUrl",
    },
    Scalar {
        title: "Journal",
        state: "Conf.JournalState",
        good: Some("writing"),
        waiting: None,
        absent: None,
        reason: "Conf.StoreReason",
        change: "see the disk of the data folder",
    },
    Scalar {
        title: "Database",
        state: "Conf.StoreState",
        good: Some("writing"),
        waiting: None,
        absent: None,
        reason: "Conf.StoreReason",
        change: "see the disk of the data folder",
    },
];

/// Who the device is: what it is called in the picture, and its scalar.
pub(super) const IDENTITY: &[(&str, &str)] = &[
    ("product", "Dcm.UnitInfoProductName"),
    ("serial number", "Dcm.UnitInfoSerialNumber"),
    ("MAC address", "Dcm.UnitInfoMacAddress"),
    ("hardware", "Dcm.UnitInfoHardwareRevision"),
    ("name", "Hoc.SystemName"),
    ("location", "Hoc.SystemLocation"),
    ("time", "Hoc.SystemTime"),
    ("up for", "Hoc.SystemUptime"),
    ("configuration", "Conf.ConfigVersion"),
    ("last change", "Conf.LastCommit"),
    ("last refused", "Conf.LastRefusal"),
    ("last repair", "Conf.LastRepair"),
    ("ready LED", "SipEp.ReadyLed"),
];

/// Every table and scalar of the picture.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let identity = IDENTITY.iter().map(|(_, name)| *name);
    let scalars = SCALARS
        .iter()
        .flat_map(|scalar| [scalar.state, scalar.reason]);
    let tables = SECTIONS
        .iter()
        .flat_map(|section| [section.table, section.reason.0]);
    let beside = super::beside::NAMES.iter().copied();
    let names = identity.chain(scalars).chain(tables).chain(beside);
    names.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Selection;

    #[test]
    fn every_name_is_one_of_the_schema() {
        for name in names() {
            assert!(Selection::parse(name).is_ok(), "{name}");
        }
        for section in SECTIONS {
            for (_, short) in section.show {
                let name = format!("{}.{short}", section.table);
                assert!(Selection::parse(&name).is_ok(), "{name}");
            }
            let (table, column) = section.reason;
            let also = section.also.iter().map(|(_, short)| *short);
            for short in also.chain([column]) {
                let name = format!("{table}.{short}");
                assert!(table.is_empty() || Selection::parse(&name).is_ok());
            }
        }
    }

    #[test]
    fn what_to_change_is_named_and_there() {
        let changes = SECTIONS.iter().map(|section| section.change);
        for change in changes.chain(SCALARS.iter().map(|scalar| scalar.change)) {
            let words = change.split([' ', ',']).filter(|word| word.contains('.'));
            for word in words {
                assert!(Selection::parse(word).is_ok(), "{word}");
            }
        }
    }
}
