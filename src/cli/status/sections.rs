//! Which tables make the picture, and which of their states are good.
//!
//! Objects are named as text: what a device does not have is left out.

/// A table of things that work or do not.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    /// `Service.Table`.
    pub(super) table: &'static str,
    /// The columns that are shown, the state among them.
    pub(super) show: &'static [&'static str],
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
    /// Columns of the reason's table that are shown too.
    pub(super) also: &'static [&'static str],
    /// What to look at where no reason is given.
    pub(super) change: &'static str,
}

pub(super) const SECTIONS: &[Section] = &[
    Section {
        title: "Services",
        table: "Scm.ServicesInfo",
        show: &["Name", "ExecState"],
        state: "ExecState",
        good: &["started"],
        waiting: &["starting", "stopping", "stopped"],
        leaving: &[],
        reason: ("Conf.ServiceVersion", "LastError"),
        also: &[],
        change: "restart it by Scm.ServiceCommands",
    },
    Section {
        title: "Network interfaces",
        table: "Bni.NetworkInterfacesStatus",
        show: &["InterfaceName", "InterfaceStatus", "IpAddr"],
        state: "InterfaceStatus",
        good: &["active"],
        waiting: &[],
        leaving: &[],
        reason: ("", ""),
        also: &[],
        change: "see Bni.NetworkInterfaces",
    },
    Section {
        title: "Gateways",
        table: "SipEp.GatewayStatus",
        show: &["Name", "State", "NetworkInterface", "Port", "SecurePort"],
        state: "State",
        good: &["Ready"],
        waiting: &["Restarting"],
        leaving: &[],
        reason: ("SipEp.GatewayStatusReason", "Text"),
        also: &[],
        change: "see SipEp.Gateway",
    },
    Section {
        title: "Links",
        table: "SipEp.TlsPersistentConnectionStatus",
        show: &[
            "Gateway",
            "State",
            "RemoteHost",
            "RemoteHostIpAddr",
            "LocalPort",
        ],
        state: "State",
        good: &["up"],
        waiting: &["waitingUp"],
        leaving: &["waitingShutdown"],
        reason: ("SipEp.TlsPersistentConnectionStatusReason", "Text"),
        also: &[],
        change: "see SipEp.TransportConfig",
    },
    Section {
        title: "Registrations",
        table: "SipEp.RegistrationStatus",
        show: &["Gateway", "State", "Endpoint", "Username", "Registrar"],
        state: "State",
        good: &["registered", "refreshing"],
        waiting: &["registering", "unregistering", "unregistered"],
        leaving: &[],
        reason: ("SipEp.RegistrationStatusReason", "Text"),
        also: &[],
        change: "see SipEp.UserAgent and SipEp.Authentication",
    },
    Section {
        title: "Certificates",
        table: "Cert.CertificateDetail",
        show: &["FileName", "State", "DaysLeft", "Store", "SubjectAltNames"],
        state: "State",
        good: &["valid"],
        waiting: &["time not known"],
        leaving: &[],
        reason: ("", ""),
        also: &[],
        change: "install a new one by `demarc cert add`",
    },
    Section {
        title: "Certificate transfers",
        table: "Cert.Transfer",
        show: &["Index", "State", "Url", "Finished"],
        state: "State",
        good: &["done"],
        waiting: &["idle", "running"],
        leaving: &[],
        reason: ("Cert.Transfer", "Reason"),
        also: &[],
        change: "see Cert.Transfer",
    },
];

/// Scalars that work or do not: title, state, good values, reason, what to look at.
pub(super) const SCALARS: &[Scalar] = &[
    Scalar {
        title: "SNMP",
        state: "Snmp.ListenState",
        good: None,
        reason: "Snmp.ListenReason",
        change: "see Snmp.NetworkInterface and Snmp.Port",
    },
    Scalar {
        title: "Clock",
        state: "Hoc.ClockState",
        good: Some("known"),
        reason: "Hoc.ClockReason",
        change: "see Hoc.ClockSource",
    },
    Scalar {
        title: "Journal",
        state: "Conf.JournalState",
        good: Some("writing"),
        reason: "Conf.StoreReason",
        change: "see the disk of the data folder",
    },
    Scalar {
        title: "Database",
        state: "Conf.StoreState",
        good: Some("writing"),
        reason: "Conf.StoreReason",
        change: "see the disk of the data folder",
    },
];

/// One scalar that says how something is.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) title: &'static str,
    pub(super) state: &'static str,
    /// The good value; none where anything but "" is good.
    pub(super) good: Option<&'static str>,
    pub(super) reason: &'static str,
    pub(super) change: &'static str,
}

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
    let names = identity.chain(scalars).chain(tables);
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
            for short in section.show {
                let name = format!("{}.{short}", section.table);
                assert!(Selection::parse(&name).is_ok(), "{name}");
            }
            for short in section.also.iter().chain([&section.reason.1]) {
                let name = format!("{}.{short}", section.reason.0);
                assert!(section.reason.0.is_empty() || Selection::parse(&name).is_ok());
            }
        }
    }
}
