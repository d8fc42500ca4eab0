//! What the TR-069 client is told: the Cwmp objects, as plain data.

use super::periodic::Period;
use super::retry::Pace;
use crate::schema::{ColumnId, Secret, cwmp};
use crate::tree::{Configured, Snapshot, View};
use crate::view;
use crate::wire::soap::message::DeviceIdStruct;
use crate::wire::time::UnixTime;
use std::time::Duration;

view! {
    /// The scalars of Cwmp.
    struct Scalars: cwmp {
        /// The first element of every path.
        root: cwmp::RootElement = ROOT_ELEMENT,
        /// Where connection requests are heard.
        interface: String = NETWORK_INTERFACE,
        /// 0 is 7547.
        port: u32 = LISTENING_PORT,
        /// Who says the URL.
        source: cwmp::AcsUrlConfigSource = ACS_URL_CONFIG_SOURCE,
        /// As configured.
        static_url: String = ACS_STATIC_URL,
        /// As the DHCP server says.
        dhcp_url: String = DHCP_ACS_URL,
        /// As the DHCP server says.
        dhcp_code: String = DHCP_PROVISIONING_CODE,
        /// Towards the ACS.
        username: String = USERNAME,
        /// Towards the ACS.
        password: Secret = PASSWORD,
        /// Of connection requests.
        request_username: String = CONNECTION_REQUEST_USERNAME,
        /// Of connection requests.
        request_password: Secret = CONNECTION_REQUEST_PASSWORD,
        /// Of connection requests.
        request_path: String = CONNECTION_REQUEST_PATH,
        /// Of connection requests.
        request_uri: cwmp::InteropConnectionRequestUri = INTEROP_CONNECTION_REQUEST_URI,
        /// Periodic sessions.
        periodic: bool = PERIODIC_INFORM_ENABLE,
        /// Seconds.
        interval: u32 = PERIODIC_INFORM_INTERVAL,
        /// Their anchor.
        anchor: String = PERIODIC_INFORM_TIME,
        /// Whether TR-104 is shown.
        tr104: bool = TR104_ENABLE,
        /// How types are judged.
        types: cwmp::InteropParameterTypeValidation = INTEROP_PARAMETER_TYPE_VALIDATION,
        /// Cipher suites of HTTPS.
        cipher_suite: cwmp::TransportHttpsCipherSuite = TRANSPORT_HTTPS_CIPHER_SUITE,
        /// Lowest version of TLS.
        tls_version: cwmp::TransportHttpsTlsVersion = TRANSPORT_HTTPS_TLS_VERSION,
        /// How the ACS is judged.
        validation: cwmp::TransportCertificateValidation = TRANSPORT_CERTIFICATE_VALIDATION,
        /// In every Inform.
        provisioning_code: String = PROVISIONING_CODE,
        /// In every Inform.
        parameter_key: String = PARAMETER_KEY,
        /// Seconds.
        session_timeout: u32 = SESSION_TIMEOUT,
        /// Seconds.
        retry_minimum: u32 = RETRY_MINIMUM_WAIT_INTERVAL,
        /// Thousandths.
        retry_multiplier: u32 = RETRY_INTERVAL_MULTIPLIER,
        /// Seconds.
        throttle: u32 = ACTIVE_NOTIFICATION_THROTTLE,
        /// How paths are said.
        instance_mode: cwmp::InstanceMode = INSTANCE_MODE,
        /// Instances made by naming them.
        auto_create: bool = AUTO_CREATE_INSTANCES,
        /// Seconds.
        change_deadline: u32 = ACS_CHANGE_DEADLINE,
        /// Who answered the last 0 BOOTSTRAP.
        known_url: String = KNOWN_ACS_URL,
        /// How lightweight notifications are sent.
        light: cwmp::LightweightNotificationProtocols = LIGHTWEIGHT_NOTIFICATION_PROTOCOLS,
        /// Seconds between passive ones.
        light_interval: u32 = LIGHTWEIGHT_NOTIFICATION_TRIGGER_INTERVAL,
        /// Their anchor.
        light_anchor: String = LIGHTWEIGHT_NOTIFICATION_TRIGGER_TIME,
        /// "" is the ACS.
        light_host: String = UDP_LIGHTWEIGHT_NOTIFICATION_HOST,
        /// Where they are sent.
        light_port: u32 = UDP_LIGHTWEIGHT_NOTIFICATION_PORT,
        /// Sessions that say that the unit is alive.
        heartbeat: bool = HEARTBEAT_ENABLE,
        /// Seconds.
        heartbeat_interval: u32 = HEARTBEAT_REPORTING_INTERVAL,
        /// Their anchor.
        heartbeat_anchor: String = HEARTBEAT_INITIATION_TIME,
    }
}

/// The client's settings as they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `acsUrl` as it is in use; None where there is none.
    pub url: Option<String>,
    /// Who says so, for the reason where there is none.
    pub source: cwmp::AcsUrlConfigSource,
    /// `knownAcsUrl`.
    pub known_url: String,
    /// Towards the ACS; "" where the unit names itself.
    pub username: String,
    /// Towards the ACS.
    pub password: Secret,
    /// How the ACS's certificate is judged.
    pub validation: cwmp::TransportCertificateValidation,
    /// Kept, and warned of where it is not safe.
    pub cipher_suite: cwmp::TransportHttpsCipherSuite,
    /// Kept, and warned of where it is not safe.
    pub tls_version: cwmp::TransportHttpsTlsVersion,
    /// The interface's name; "" is Uplink.
    pub interface: String,
    /// How connection requests are heard.
    pub requests: Requests,
    /// Periodic sessions; None: off.
    pub period: Option<Period>,
    /// Sessions that say that the unit is alive; None: off.
    pub heartbeat: Option<Period>,
    /// How lightweight notifications are sent; None: they are not.
    pub lightweight: Option<Lightweight>,
    /// The shape of the waits after failures.
    pub pace: Pace,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Between two sessions for active notifications.
    pub throttle: Duration,
    /// How parameters are named, typed and made.
    pub model: Model,
    /// After which a change of how the ACS is reached is undone; None: never.
    pub change_deadline: Option<u32>,
}

/// How connection requests are heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    /// Never 0.
    pub port: u16,
    /// Without its first slash.
    pub path: String,
    /// "" refuses all.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// Whether the digest's uri may be another than the request's.
    pub any_uri: bool,
}

/// How lightweight notifications are sent (TR-069 annex M).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lightweight {
    /// "" is that of the ACS.
    pub host: String,
    /// Never 0.
    pub port: u16,
    /// When passive ones are sent; None: with an active one.
    pub period: Option<Period>,
}

/// How parameters are named, typed and made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// `Device` or `InternetGatewayDevice`.
    pub root: &'static str,
    /// Whether the VoiceService is shown.
    pub tr104: bool,
    /// Whether a value's type has to be its parameter's.
    pub strict_types: bool,
    /// Whether paths are said with aliases.
    pub aliases: bool,
    /// Whether naming an alias makes its instance.
    pub auto_create: bool,
    /// `ProvisioningCode`, the DHCP server's where it is empty.
    pub provisioning_code: String,
}

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        Scalars::COLUMNS.to_vec()
    }

    fn read(snapshot: &Snapshot) -> Self {
        let rows: Vec<(_, Scalars)> = snapshot.view();
        let Some((_, scalars)) = rows.into_iter().next() else {
            unreachable!("scalars are a row that is always there");
        };
        scalars.settings()
    }
}

impl Settings {
    /// Whom the unit says it is towards the ACS: its own name where no other
    /// is set (TR-069 §3.4.4).
    pub fn username_of(&self, who: &DeviceIdStruct) -> String {
        match self.username.as_str() {
            "" if who.product_class.is_empty() => format!("{}-{}", who.oui, who.serial_number),
            "" => format!("{}-{}-{}", who.oui, who.product_class, who.serial_number),
            named => named.to_owned(),
        }
    }

    /// What of it acts as something safer: the object, its value, and what it acts as.
    pub fn raised(&self) -> Vec<[&'static str; 3]> {
        use cwmp::{TransportHttpsCipherSuite as Suite, TransportHttpsTlsVersion as Version};
        let suite = match self.cipher_suite {
            Suite::CS1 => Some("cS1"),
            Suite::CS2 => Some("cS2"),
            Suite::CS3 => None,
        };
        let version = match self.tls_version {
            Version::SSLv3 => Some("sSLv3"),
            Version::TLSv1 => Some("tLSv1"),
            Version::TLSv1_1 => Some("tLSv1-1"),
            Version::TLSv1_2 => None,
        };
        let suite = suite.map(|value| ["Cwmp.TransportHttpsCipherSuite", value, "cS3"]);
        let version = version.map(|value| ["Cwmp.TransportHttpsTlsVersion", value, "tLSv1-2"]);
        suite.into_iter().chain(version).collect()
    }
}

impl Scalars {
    fn settings(self) -> Settings {
        let code = match self.provisioning_code.is_empty() {
            true => self.dhcp_code.clone(),
            false => self.provisioning_code.clone(),
        };
        let model = Model {
            root: match self.root {
                cwmp::RootElement::Device => "Device",
                cwmp::RootElement::InternetGatewayDevice => "InternetGatewayDevice",
            },
            tr104: self.tr104,
            strict_types: self.types == cwmp::InteropParameterTypeValidation::Strict,
            aliases: self.instance_mode == cwmp::InstanceMode::InstanceAlias,
            auto_create: self.auto_create,
            provisioning_code: code,
        };
        Settings {
            url: self.url(),
            heartbeat: self.heartbeat.then(|| Period {
                interval: seconds(self.heartbeat_interval),
                anchor: UnixTime::parse(&self.heartbeat_anchor),
            }),
            lightweight: self.lightweight(),
            source: self.source,
            period: self.periodic.then(|| Period {
                interval: seconds(self.interval),
                anchor: UnixTime::parse(&self.anchor),
            }),
            requests: Requests {
                port: match u16::try_from(self.port) {
                    Ok(0) | Err(_) => CONNECTION_REQUEST_PORT,
                    Ok(port) => port,
                },
                path: self.request_path,
                username: self.request_username,
                password: self.request_password,
                any_uri: self.request_uri == cwmp::InteropConnectionRequestUri::MayDiffer,
            },
            pace: Pace {
                minimum: self.retry_minimum,
                multiplier: self.retry_multiplier,
            },
            timeout: seconds(self.session_timeout),
            throttle: seconds(self.throttle),
            change_deadline: Some(self.change_deadline).filter(|seconds| *seconds > 0),
            model,
            known_url: self.known_url,
            username: self.username,
            password: self.password,
            validation: self.validation,
            cipher_suite: self.cipher_suite,
            tls_version: self.tls_version,
            interface: self.interface,
        }
    }

    fn lightweight(&self) -> Option<Lightweight> {
        let period = Period {
            interval: seconds(self.light_interval),
            anchor: UnixTime::parse(&self.light_anchor),
        };
        match self.light {
            cwmp::LightweightNotificationProtocols::None => None,
            cwmp::LightweightNotificationProtocols::Udp => Some(Lightweight {
                host: self.light_host.clone(),
                port: u16::try_from(self.light_port).unwrap_or(CONNECTION_REQUEST_PORT),
                period: Some(period).filter(|period| !period.interval.is_zero()),
            }),
        }
    }

    fn url(&self) -> Option<String> {
        let some = |url: &String| Some(url.clone()).filter(|url| !url.is_empty());
        match self.source {
            cwmp::AcsUrlConfigSource::Dhcp => some(&self.dhcp_url),
            cwmp::AcsUrlConfigSource::Static => some(&self.static_url),
            cwmp::AcsUrlConfigSource::DhcpWithFailover => {
                some(&self.dhcp_url).or_else(|| some(&self.static_url))
            }
        }
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

/// IANA: cwmp.
const CONNECTION_REQUEST_PORT: u16 = 7547;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Name, Value};
    use crate::tree::{Actor, Transaction, Tree};

    fn with(assignments: &[(&str, Value)]) -> Settings {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::local());
        for (name, value) in assignments {
            txn.assign(Name::parse(name).expect("a name"), value.clone());
        }
        tree.commit_and_wait(txn, 0).expect("granted");
        Settings::read(&tree.snapshot())
    }

    #[test]
    fn the_url_comes_from_whom_the_source_names() {
        let urls = |source: i32| {
            with(&[
                ("Cwmp.AcsUrlConfigSource", Value::Integer(source)),
                ("Cwmp.DhcpAcsUrl", "http://dhcp/".into()),
                ("Cwmp.AcsStaticUrl", "http://static/".into()),
            ])
            .url
        };
        assert_eq!(urls(100).as_deref(), Some("http://dhcp/"));
        assert_eq!(urls(200).as_deref(), Some("http://static/"));
        assert_eq!(urls(300).as_deref(), Some("http://dhcp/"));
        let failover = with(&[
            ("Cwmp.AcsUrlConfigSource", Value::Integer(300)),
            ("Cwmp.AcsStaticUrl", "http://static/".into()),
        ]);
        assert_eq!(failover.url.as_deref(), Some("http://static/"));
        assert_eq!(with(&[]).url, None);
    }

    #[test]
    fn port_zero_is_the_one_of_iana() {
        assert_eq!(with(&[]).requests.port, 7547);
        let port = with(&[("Cwmp.ListeningPort", Value::Unsigned(8000))]);
        assert_eq!(port.requests.port, 8000);
    }

    #[test]
    fn a_period_has_its_anchor_where_one_is_set() {
        let on = ("Cwmp.PeriodicInformEnable", Value::Integer(1));
        let free = with(std::slice::from_ref(&on)).period.expect("on");
        assert_eq!((free.interval.as_secs(), free.anchor), (3600, None));
        let time = ("Cwmp.PeriodicInformTime", "2026-03-01T00:00:00Z".into());
        let anchored = with(&[on, time]).period.expect("on");
        assert_eq!(anchored.anchor, UnixTime::parse("2026-03-01T00:00:00Z"));
        assert_eq!(with(&[]).period, None);
    }
}
