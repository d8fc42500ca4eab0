//! What the TR-069 client is told: the Cwmp objects, as plain data.

use super::added::Added;
use super::model::Known;
use super::periodic::Period;
use super::retry::Pace;
use super::transfers::Policy;
use crate::schema::{ColumnId, Secret, cwmp};
use crate::tree::{Configured, Snapshot, View};
use crate::view;
use crate::wire::host_port::HostPort;
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
        /// Whether there are UDP connection requests.
        stun: bool = TR111_STUN_ENABLE,
        /// Who says where they are to be sent.
        stun_server: String = TR111_STUN_SERVER_HOST,
        /// Seconds, the least and the greatest.
        stun_period: String = TR111_STUN_KEEP_ALIVE_PERIOD,
        /// Towards the STUN server.
        stun_username: String = TR111_STUN_USERNAME,
        /// Towards the STUN server.
        stun_password: Secret = STUN_PASSWORD,
        /// Whether UDP connection requests prove nothing.
        unproven: bool = INTEROP_ALLOW_UNAUTHENTICATED_UDP_CONNECTION_REQUESTS,
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
        /// Seconds, as the DHCP server says; 0: it does not.
        dhcp_retry_minimum: u32 = DHCP_RETRY_MINIMUM_WAIT_INTERVAL,
        /// Thousandths, as the DHCP server says; 0: it does not.
        dhcp_retry_multiplier: u32 = DHCP_RETRY_INTERVAL_MULTIPLIER,
        /// Seconds.
        throttle: u32 = ACTIVE_NOTIFICATION_THROTTLE,
        /// How paths are said.
        instance_mode: cwmp::InstanceMode = INSTANCE_MODE,
        /// Instances made by naming them.
        auto_create: bool = AUTO_CREATE_INSTANCES,
        /// Seconds.
        change_deadline: u32 = ACS_CHANGE_DEADLINE,
        /// Whether PKCS#12 is taken.
        pkcs12: bool = PKCS12_IMPORT,
        /// Whether the ACS is told of transfers that it did not ask for.
        autonomous: bool = AUTONOMOUS_COMPLETE_ENABLE,
        /// Which way.
        autonomous_direction: cwmp::AutonomousCompleteTransferType = AUTONOMOUS_COMPLETE_TRANSFER_TYPE,
        /// How they ended.
        autonomous_result: cwmp::AutonomousCompleteResultType = AUTONOMOUS_COMPLETE_RESULT_TYPE,
        /// Of which files.
        autonomous_files: String = AUTONOMOUS_COMPLETE_FILE_TYPE,
        /// What opens it.
        passphrase: Secret = PKCS12_PASSPHRASE,
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
    /// How they are heard over UDP; None: they are not.
    pub stun: Option<Stun>,
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
    /// What opens a PKCS#12 file; None: none is taken.
    pub pkcs12: Option<Secret>,
    /// Which transfers it is told of that it did not ask for.
    pub autonomous: Policy,
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

/// How connection requests are heard over UDP.
#[derive(Clone, Debug, PartialEq)]
pub struct Stun {
    /// Who says where they are to be sent; None where neither it nor the ACS has a host.
    pub server: Option<HostPort>,
    /// The least time between two requests that keep the binding, not 0.
    pub least: Duration,
    /// The greatest, not less than the least; None: there is none.
    pub greatest: Option<Duration>,
    /// "" where the unit does not say who it is.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// Whether requests prove nothing.
    pub unproven: bool,
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
    /// The numbers of the last reading.
    pub known: Known,
}

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        let added = Added::claims();
        [Scalars::COLUMNS, &added].concat()
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
            known: Known::default(),
        };
        Settings {
            url: self.url(),
            stun: self.stun.then(|| self.stun_settings()),
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
                minimum: or_dhcp(self.retry_minimum, self.dhcp_retry_minimum, RETRY_MINIMUM),
                multiplier: or_dhcp(
                    self.retry_multiplier,
                    self.dhcp_retry_multiplier,
                    RETRY_MULTIPLIER,
                ),
            },
            timeout: seconds(self.session_timeout),
            throttle: seconds(self.throttle),
            change_deadline: Some(self.change_deadline).filter(|seconds| *seconds > 0),
            autonomous: Policy {
                enabled: self.autonomous,
                direction: self.autonomous_direction,
                result: self.autonomous_result,
                file_types: listed(&self.autonomous_files),
            },
            pkcs12: self.pkcs12.then_some(self.passphrase),
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

    fn stun_settings(&self) -> Stun {
        let range = match self.stun_period.as_str() {
            "" => "60-60",
            range => range,
        };
        let (least, greatest) = range.split_once('-').unwrap_or((range, range));
        // Not even a server that says so is asked more than once a second.
        let least = least.parse().unwrap_or(u32::MAX).max(1);
        let greatest = greatest.parse().ok().map(|it: u32| it.max(least));
        Stun {
            server: self.stun_server(),
            least: seconds(least),
            greatest: greatest.map(seconds),
            username: self.stun_username.clone(),
            password: self.stun_password.clone(),
            unproven: self.unproven,
        }
    }

    /// TR-181 STUNServerAddress: where it is empty, the host of the ACS's URL.
    fn stun_server(&self) -> Option<HostPort> {
        let parse = |text: &str| HostPort::parse(text).ok().flatten();
        if let Some(server) = parse(&self.stun_server) {
            return Some(server);
        }
        // A port may be set without a host.
        let port = self.stun_server.rsplit_once(':').map(|(_, port)| port);
        let url = self.url()?;
        let (_, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let mut server = parse(authority.rsplit('@').next()?)?;
        server.port = port.and_then(|port| port.parse().ok()).unwrap_or(0);
        Some(server)
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

/// What stands between commas.
fn listed(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What the DHCP server says counts while nobody has set anything (TR-069 §3.1).
fn or_dhcp(set: u32, dhcp: u32, default: u32) -> u32 {
    match dhcp {
        0 => set,
        dhcp if set == default => dhcp,
        _ => set,
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

/// The default of retryMinimumWaitInterval.
const RETRY_MINIMUM: u32 = 5;
/// The default of retryIntervalMultiplier.
const RETRY_MULTIPLIER: u32 = 2000;
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
    fn the_stun_server_is_the_acs_where_no_other_is_named() {
        let server = |host: &str, url: &str| {
            let settings = with(&[
                ("Cwmp.AcsUrlConfigSource", Value::Integer(200)),
                ("Cwmp.AcsStaticUrl", url.into()),
                ("Cwmp.Tr111StunEnable", Value::Integer(1)),
                ("Cwmp.Tr111StunServerHost", host.into()),
            ]);
            let server = settings.stun.expect("on").server;
            server.map(|server| server.to_string())
        };
        let url = "https://u:p@acs.example:7548/x?y";
        assert_eq!(server("", url).as_deref(), Some("acs.example"));
        assert_eq!(server("0.0.0.0:99", url).as_deref(), Some("acs.example:99"));
        assert_eq!(server("stun.example", url).as_deref(), Some("stun.example"));
        let six = server("", "http://[2001:db8::1]:80/");
        assert_eq!(six.as_deref(), Some("2001:db8::1"));
        assert_eq!(server("", ""), None);
        assert_eq!(with(&[]).stun, None);
    }

    #[test]
    fn the_period_of_the_binding_is_never_turned_round() {
        let period = |text: &str| {
            let stun = with(&[
                ("Cwmp.Tr111StunEnable", Value::Integer(1)),
                ("Cwmp.Tr111StunKeepAlivePeriod", text.into()),
            ])
            .stun
            .expect("on");
            let greatest = stun.greatest.map(|greatest| greatest.as_secs());
            (stun.least.as_secs(), greatest)
        };
        assert_eq!(period(""), (60, Some(60)));
        assert_eq!(period("30-300"), (30, Some(300)));
        assert_eq!(period("30-20"), (30, Some(30)));
        assert_eq!(period("0-"), (1, None));
    }

    #[test]
    fn what_dhcp_says_of_retries_counts_until_somebody_sets_it() {
        let pace = |more: &[(&str, Value)]| {
            let dhcp = [
                ("Cwmp.DhcpRetryMinimumWaitInterval", Value::Unsigned(7)),
                ("Cwmp.DhcpRetryIntervalMultiplier", Value::Unsigned(3000)),
            ];
            let pace = with(&[&dhcp[..], more].concat()).pace;
            (pace.minimum, pace.multiplier)
        };
        assert_eq!(pace(&[]), (7, 3000));
        let set = ("Cwmp.RetryMinimumWaitInterval", Value::Unsigned(9));
        assert_eq!(pace(&[set]), (9, 3000));
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
