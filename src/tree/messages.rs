//! Every message that a device can log: one table.
//!
//! For engines, which name a message by its constant, and for docs/, which
//! print the table. A number is never used again for something else. What a
//! user must see without touching `minSeverity`, whose default is warning, is
//! a warning here even where nothing is wrong.

use super::notice::Service::{Aaa, Bni, Cert, Conf, Cwmp, EpAdm, Hoc, Nlm, Scm, SipEp, Snmp};
use super::notice::Severity::{self, Critical, Debug, Error, Info, Warning};
use super::notice::{Kind, Message, Service};

const fn m<const N: usize>(
    service: Service,
    id: u16,
    severity: Severity,
    template: &'static str,
) -> Message<N> {
    Message::new(Kind {
        service,
        id,
        severity,
        template,
    })
}

/// An interface got its address.
pub const INTERFACE_UP: Message<2> = m(Bni, 10, Info, "interface {name} is up with {address}");
/// An interface has none.
pub const INTERFACE_DOWN: Message<2> = m(Bni, 20, Error, "interface {name} is down: {reason}");

/// The device runs.
pub const DEVICE_STARTED: Message<1> = m(Scm, 10, Info, "Demarc {version} started");
/// The device stops.
pub const DEVICE_STOPPING: Message<1> = m(Scm, 20, Info, "Demarc stops: {reason}");
/// A service runs.
pub const SERVICE_STARTED: Message<1> = m(Scm, 30, Info, "service {service} started");
/// A service was stopped.
pub const SERVICE_STOPPED: Message<1> = m(Scm, 40, Info, "service {service} stopped");
/// A service that runs all the time was told to start again.
pub const SERVICE_RUNS_ON: Message<1> = m(
    Scm,
    45,
    Info,
    "service {service} acts by every change at once and runs on: there is nothing to start again",
);
/// A service cannot do its work, or a part of it.
pub const SERVICE_FAILED: Message<2> = m(Scm, 50, Critical, "service {service} failed: {reason}");
/// The device goes back to its profile.
pub const FACTORY_RESET: Message<1> = m(Scm, 60, Warning, "factory reset by {who}");

/// The clock was set from a server.
pub const TIME_SYNCHRONIZED: Message<2> = m(
    Hoc,
    10,
    Info,
    "time synchronized with {server}, offset {offset} ms",
);
/// A server gave no usable answer.
pub const TIME_SERVER_FAILED: Message<2> = m(Hoc, 20, Info, "SNTP server {server}: {reason}");
/// No server gave one.
pub const TIME_SERVERS_FAILED: Message<1> =
    m(Hoc, 30, Warning, "no SNTP server answered: {reason}");
/// A server asks to be left alone.
pub const TIME_SERVER_REFUSED: Message<2> = m(
    Hoc,
    40,
    Warning,
    "SNTP server {server} sent the kiss-o'-death {code}",
);
/// From now on the time is known.
pub const TIME_KNOWN: Message<2> = m(Hoc, 50, Info, "the time is known from {source}: {time}");
/// The time is not known.
pub const TIME_UNKNOWN: Message<1> = m(Hoc, 60, Warning, "the time is not known: {reason}");
/// The last known time is not on disk.
pub const TIME_NOT_KEPT: Message<1> = m(
    Hoc,
    70,
    Warning,
    "the last known time could not be written: {reason}",
);

/// Who changed what.
pub const CHANGE_COMMITTED: Message<5> = m(
    Conf,
    10,
    Info,
    "{user} by {face} from {address} made version {version}: {objects}",
);
/// Who was not let.
pub const CHANGE_REFUSED: Message<4> = m(
    Conf,
    20,
    Info,
    "{user} by {face} from {address} was refused: {reason}",
);
/// The disk is full.
pub const STORE_FULL: Message<0> = m(
    Conf,
    30,
    Critical,
    "the disk is full: changes are refused until space returns",
);
/// It is full no longer.
pub const STORE_WRITES_AGAIN: Message<0> = m(Conf, 40, Warning, "changes are taken again");
/// The outcome of a write is not known.
pub const STORE_STOPPED: Message<1> = m(
    Conf,
    50,
    Critical,
    "changes are refused until a restart: {reason}",
);
/// A copy of the configuration on disk was repaired or replaced.
pub const STORE_REPAIR: Message<1> = m(Conf, 60, Warning, "{what}");
/// The folder came from another host.
pub const FOLDER_COPIED: Message<0> = m(
    Conf,
    70,
    Warning,
    "the data folder came from another host: the SNMP engine has a new id",
);
/// A setting of another firmware.
pub const SETTING_DROPPED: Message<1> = m(
    Conf,
    80,
    Warning,
    "{object} is on disk, but this firmware does not know it or does not allow its value",
);
/// A script ran.
pub const SCRIPT_DONE: Message<2> = m(Conf, 90, Info, "script {name} done, assignments: {count}");
/// A script did not, or not whole.
pub const SCRIPT_FAILED: Message<2> = m(Conf, 100, Error, "script {name} failed: {reason}");
/// A service acts on a new version.
pub const CHANGE_APPLIED: Message<2> = m(
    Conf,
    110,
    Debug,
    "service {service} applied version {version}",
);
/// A provisional change stays.
pub const CHANGE_CONFIRMED: Message<2> = m(
    Conf,
    130,
    Info,
    "the change of version {version} is confirmed by {what}",
);
/// A provisional change was undone.
pub const CHANGE_UNDONE: Message<3> = m(
    Conf,
    140,
    Warning,
    "the change of version {version} ({objects}) is undone: {reason}",
);
/// A provisional change stays although nobody confirmed it.
pub const CHANGE_NOT_UNDONE: Message<3> = m(
    Conf,
    150,
    Error,
    "the change of version {version} ({objects}) could not be undone and stays: {reason}",
);
/// An old value acts as a safer one.
pub const SETTING_RAISED: Message<3> = m(
    Conf,
    120,
    Warning,
    "{object}={value} is stored but acts as {safe}",
);

/// The agent listens.
pub const SNMP_LISTENING: Message<1> = m(Snmp, 10, Info, "listening on {address}");
/// It does not.
pub const SNMP_NOT_LISTENING: Message<2> =
    m(Snmp, 20, Error, "cannot listen on {address}: {reason}");
/// A request was not who it said.
pub const SNMP_NOT_AUTHENTIC: Message<3> = m(
    Snmp,
    30,
    Warning,
    "request from {address} refused: {reason}{more}",
);
/// A request from where none may come.
pub const SNMP_SOURCE_REFUSED: Message<2> = m(
    Snmp,
    40,
    Warning,
    "request from {address} refused: not in Snmp.AllowedSources{more}",
);
/// A datagram was no SNMP.
pub const SNMP_MALFORMED: Message<3> = m(
    Snmp,
    50,
    Debug,
    "datagram from {address} dropped: {reason}{more}",
);

// Aaa 10, 20 and 30 (login failed, user locked, user unlocked) wait for a login.
/// The administrator's password was made anew.
pub const ADMIN_RECOVERED: Message<1> = m(
    Aaa,
    40,
    Warning,
    "user {user} has a new password from the console",
);

/// The receiver's name has no address.
pub const SYSLOG_UNRESOLVED: Message<2> = m(
    Nlm,
    10,
    Warning,
    "syslog server {server} not found ({reason}): change Nlm.SyslogRemoteHost",
);
/// The receiver cannot be sent to.
pub const SYSLOG_UNREACHABLE: Message<2> = m(
    Nlm,
    20,
    Warning,
    "cannot send to syslog server {server}: {reason}",
);
/// Messages did not leave.
pub const SYSLOG_DROPPED: Message<2> = m(
    Nlm,
    30,
    Warning,
    "{count} messages to syslog server {server} were dropped",
);

/// A gateway changed its state.
pub const GATEWAY_STATE: Message<3> = m(SipEp, 10, Info, "gateway {gateway}: {state}: {reason}");
/// A gateway cannot work.
pub const GATEWAY_FAILED: Message<2> = m(SipEp, 20, Error, "gateway {gateway}: {reason}");
/// A gateway opens its link.
pub const LINK_ESTABLISHING: Message<3> = m(
    SipEp,
    100,
    Warning,
    "gateway {gateway}: establishing persistent connection to {server} from port {port}",
);
/// The link is up.
pub const LINK_UP: Message<3> = m(
    SipEp,
    110,
    Info,
    "gateway {gateway}: persistent connection to {server} is up from port {port}",
);
/// The link is down.
pub const LINK_DOWN: Message<3> = m(
    SipEp,
    120,
    Error,
    "gateway {gateway}: persistent connection to {server} is down: {reason}",
);
/// The handshake was refused, by us or by the peer.
pub const TLS_REFUSED: Message<3> = m(
    SipEp,
    130,
    Warning,
    "gateway {gateway}: TLS with {server} refused: {reason}",
);
/// A step of a handshake.
pub const TLS_STEP: Message<3> = m(
    SipEp,
    140,
    Debug,
    "gateway {gateway}: TLS with {server}: {step}",
);
/// A link waits for the time.
pub const LINK_WAITS_FOR_TIME: Message<1> = m(
    SipEp,
    150,
    Warning,
    "gateway {gateway}: Waiting for time synchronization",
);
/// The link moves back to a server that is to be preferred.
pub const LINK_FAILBACK: Message<2> = m(SipEp, 160, Info, "gateway {gateway}: back to {server}");
/// Another server takes over.
pub const SERVER_FAILOVER: Message<4> = m(
    SipEp,
    170,
    Warning,
    "gateway {gateway}: {server} gives way to {next}: {reason}",
);
/// The LED of the host does not follow.
pub const READY_LED_FAILED: Message<2> = m(
    SipEp,
    180,
    Warning,
    "the Ready LED {file} does not follow: {reason}: see SipEp.ReadyLedFile",
);
/// A user agent is registered.
pub const REGISTERED: Message<3> = m(
    SipEp,
    200,
    Info,
    "gateway {gateway}: {user} registered at {server}",
);
/// A user agent is registered, and something is odd about it.
pub const REGISTERED_ODDLY: Message<4> = m(
    SipEp,
    205,
    Warning,
    "gateway {gateway}: {user} at {server}: {remark}",
);
/// A user agent is registered no longer, as was asked.
pub const UNREGISTERED: Message<3> = m(
    SipEp,
    210,
    Info,
    "gateway {gateway}: {user} unregistered at {server}",
);
/// A registration failed.
pub const REGISTRATION_FAILED: Message<4> = m(
    SipEp,
    220,
    Error,
    "gateway {gateway}: registration of {user} at {server} failed: {reason}",
);
/// The registrar does not take the credentials.
pub const CREDENTIALS_REFUSED: Message<4> = m(
    SipEp,
    230,
    Error,
    "gateway {gateway}: {server} refuses the credentials of {user} in realm {realm}",
);
/// A name has no address.
pub const NAME_UNRESOLVED: Message<3> = m(
    SipEp,
    240,
    Error,
    "gateway {gateway}: {name} not resolved: {reason}",
);
/// A message was not SIP.
pub const SIP_MALFORMED: Message<2> =
    m(SipEp, 250, Info, "message from {address} refused: {reason}");
/// The keep-alive went unanswered.
pub const KEEP_ALIVE_LOST: Message<2> = m(
    SipEp,
    260,
    Error,
    "gateway {gateway}: no keep-alive answer from {server}",
);
/// The keep-alive is answered again.
pub const KEEP_ALIVE_ANSWERED: Message<1> = m(
    SipEp,
    270,
    Info,
    "gateway {gateway}: the server answers keep-alives again",
);

/// An endpoint changed its state.
pub const ENDPOINT_STATE: Message<2> = m(EpAdm, 10, Info, "endpoint {endpoint}: {state}");

/// A session with the ACS went well.
pub const ACS_SESSION: Message<2> = m(Cwmp, 10, Info, "session with {acs}: {events}");
/// A session with the ACS did not.
pub const ACS_NOT_REACHED: Message<3> = m(
    Cwmp,
    20,
    Warning,
    "no session with {acs}: {reason}; next attempt in {seconds} s",
);
/// The ACS wanted the unit to start again, and it could not.
pub const ACS_WISH_FAILED: Message<2> = m(
    Cwmp,
    30,
    Error,
    "the ACS asked for {operation}, which was not done: {reason}",
);
/// A file was moved for the ACS, or the ACS is told of one.
pub const ACS_TRANSFER_DONE: Message<2> = m(Cwmp, 70, Info, "{file} transferred: {url}");
/// A file was not moved.
pub const ACS_TRANSFER_FAILED: Message<3> =
    m(Cwmp, 80, Warning, "{file} not transferred: {url}: {reason}");
/// A datagram that wanted a session has none.
pub const UDP_REQUEST_REFUSED: Message<3> = m(
    Cwmp,
    40,
    Warning,
    "UDP connection request from {peer} refused: {reason}{more}",
);
/// How the STUN server is reached has changed.
pub const STUN_STATE: Message<1> = m(Cwmp, 50, Info, "STUN: {state}");
/// A row that the ACS added cannot be used.
pub const ADDED_ROW_UNFIT: Message<2> = m(
    Cwmp,
    90,
    Warning,
    "{row}, which the ACS has added, is not in use: {reason}",
);
/// A lightweight notification did not leave.
pub const ACS_NOT_ANNOUNCED: Message<2> = m(
    Cwmp,
    60,
    Warning,
    "cannot send lightweight notifications to {server}: {reason}: see Cwmp.UdpLightweightNotificationHost",
);
/// A certificate was installed.
pub const CERTIFICATE_INSTALLED: Message<2> = m(
    Cert,
    10,
    Info,
    "certificate {name} installed, SHA-256 {fingerprint}",
);
/// A certificate was deleted.
pub const CERTIFICATE_DELETED: Message<1> = m(Cert, 20, Info, "certificate {name} deleted");
/// A certificate was not taken.
pub const CERTIFICATE_REFUSED: Message<2> =
    m(Cert, 30, Error, "certificate {name} refused: {reason}");
/// A certificate will end.
pub const CERTIFICATE_EXPIRES_SOON: Message<3> = m(
    Cert,
    40,
    Warning,
    "certificate {name} expires in {days}, on {date}",
);
/// A certificate has ended.
pub const CERTIFICATE_EXPIRED: Message<2> =
    m(Cert, 50, Error, "certificate {name} expired on {date}");
/// A certificate was fetched.
pub const TRANSFER_DONE: Message<2> = m(Cert, 60, Info, "transfer {index} done: {url}");
/// A certificate was not.
pub const TRANSFER_FAILED: Message<3> =
    m(Cert, 70, Error, "transfer {index} failed: {url}: {reason}");
/// Certificates may come without TLS for a while.
pub const UNSECURE_TRANSFER_ON: Message<2> = m(
    Cert,
    80,
    Warning,
    "unsecure certificate transfer was activated by {who}, until {time}",
);
/// No longer.
pub const UNSECURE_TRANSFER_OFF: Message<0> =
    m(Cert, 90, Warning, "unsecure certificate transfer is over");
/// An authority will end, and with it what it signed.
pub const AUTHORITY_EXPIRES_SOON: Message<3> = m(
    Cert,
    100,
    Warning,
    "authority {name} expires in {days}, on {date}: whatever it signed is refused from then on",
);
/// An authority has ended, and with it what it signed.
pub const AUTHORITY_EXPIRED: Message<2> = m(
    Cert,
    110,
    Error,
    "authority {name} expired on {date}: whatever it signed is no longer trusted",
);
/// A change left a service without a host certificate.
pub const HOST_CERTIFICATE_LACKING: Message<3> = m(
    Cert,
    120,
    Warning,
    "{service} has no host certificate left to be {purpose}: {reason}",
);
/// A change left no authority.
pub const NO_AUTHORITY_LEFT: Message<0> = m(
    Cert,
    130,
    Warning,
    "no certificate of others is left: every TLS peer whose certificate is validated is refused",
);
/// A server is trusted although it is not known whether its certificate was revoked.
pub const REVOCATION_UNKNOWN: Message<2> = m(
    Cert,
    140,
    Warning,
    "whether {subject} was revoked is not known: {reason}; it is trusted all the same",
);

/// All messages, by service and number.
pub const REGISTRY: &[Kind] = &[
    INTERFACE_UP.kind(),
    INTERFACE_DOWN.kind(),
    DEVICE_STARTED.kind(),
    DEVICE_STOPPING.kind(),
    SERVICE_STARTED.kind(),
    SERVICE_STOPPED.kind(),
    SERVICE_RUNS_ON.kind(),
    SERVICE_FAILED.kind(),
    FACTORY_RESET.kind(),
    TIME_SYNCHRONIZED.kind(),
    TIME_SERVER_FAILED.kind(),
    TIME_SERVERS_FAILED.kind(),
    TIME_SERVER_REFUSED.kind(),
    TIME_KNOWN.kind(),
    TIME_UNKNOWN.kind(),
    TIME_NOT_KEPT.kind(),
    CHANGE_COMMITTED.kind(),
    CHANGE_REFUSED.kind(),
    STORE_FULL.kind(),
    STORE_WRITES_AGAIN.kind(),
    STORE_STOPPED.kind(),
    STORE_REPAIR.kind(),
    FOLDER_COPIED.kind(),
    SETTING_DROPPED.kind(),
    SCRIPT_DONE.kind(),
    SCRIPT_FAILED.kind(),
    CHANGE_APPLIED.kind(),
    SETTING_RAISED.kind(),
    CHANGE_CONFIRMED.kind(),
    CHANGE_UNDONE.kind(),
    CHANGE_NOT_UNDONE.kind(),
    SNMP_LISTENING.kind(),
    SNMP_NOT_LISTENING.kind(),
    SNMP_NOT_AUTHENTIC.kind(),
    SNMP_SOURCE_REFUSED.kind(),
    SNMP_MALFORMED.kind(),
    ADMIN_RECOVERED.kind(),
    SYSLOG_UNRESOLVED.kind(),
    SYSLOG_UNREACHABLE.kind(),
    SYSLOG_DROPPED.kind(),
    GATEWAY_STATE.kind(),
    GATEWAY_FAILED.kind(),
    LINK_ESTABLISHING.kind(),
    LINK_UP.kind(),
    LINK_DOWN.kind(),
    TLS_REFUSED.kind(),
    TLS_STEP.kind(),
    LINK_WAITS_FOR_TIME.kind(),
    LINK_FAILBACK.kind(),
    SERVER_FAILOVER.kind(),
    READY_LED_FAILED.kind(),
    REGISTERED.kind(),
    REGISTERED_ODDLY.kind(),
    UNREGISTERED.kind(),
    REGISTRATION_FAILED.kind(),
    CREDENTIALS_REFUSED.kind(),
    NAME_UNRESOLVED.kind(),
    SIP_MALFORMED.kind(),
    KEEP_ALIVE_LOST.kind(),
    KEEP_ALIVE_ANSWERED.kind(),
    ENDPOINT_STATE.kind(),
    CERTIFICATE_INSTALLED.kind(),
    CERTIFICATE_DELETED.kind(),
    CERTIFICATE_REFUSED.kind(),
    CERTIFICATE_EXPIRES_SOON.kind(),
    CERTIFICATE_EXPIRED.kind(),
    TRANSFER_DONE.kind(),
    TRANSFER_FAILED.kind(),
    UNSECURE_TRANSFER_ON.kind(),
    UNSECURE_TRANSFER_OFF.kind(),
    AUTHORITY_EXPIRES_SOON.kind(),
    AUTHORITY_EXPIRED.kind(),
    HOST_CERTIFICATE_LACKING.kind(),
    NO_AUTHORITY_LEFT.kind(),
    REVOCATION_UNKNOWN.kind(),
    ACS_SESSION.kind(),
    ACS_NOT_REACHED.kind(),
    ACS_WISH_FAILED.kind(),
    UDP_REQUEST_REFUSED.kind(),
    STUN_STATE.kind(),
    ACS_NOT_ANNOUNCED.kind(),
    ACS_TRANSFER_DONE.kind(),
    ACS_TRANSFER_FAILED.kind(),
    ADDED_ROW_UNFIT.kind(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_this_file_is_in_the_registry() {
        let declared = include_str!("messages.rs")
            .lines()
            .filter(|line| line.starts_with("pub const") && line.contains(": Message<"))
            .count();
        assert_eq!(REGISTRY.len(), declared);
    }

    /// Registered, and on their way into the engines that say them.
    #[test]
    fn somebody_says_every_message() {
        let declared = include_str!("messages.rs").lines().filter_map(|line| {
            let rest = line.strip_prefix("pub const ")?;
            let (name, kind) = rest.split_once(':')?;
            kind.starts_with(" Message<").then_some(name)
        });
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut code = String::new();
        read_all(&root, &mut code);
        let words: std::collections::BTreeSet<&str> = code
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .collect();
        for name in declared {
            assert!(words.contains(name), "nobody says {name}");
        }
    }

    fn read_all(folder: &std::path::Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read_all(&path, into);
            } else if !path.ends_with("messages.rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                into.push_str(text.split("\nmod tests {").next().unwrap_or_default());
            }
        }
    }

    #[test]
    fn the_registry_is_in_order_and_no_number_stands_twice() {
        let names = REGISTRY.iter().map(|kind| (kind.service, kind.id));
        assert!(names.is_sorted_by(|a, b| a < b));
        assert!(REGISTRY.iter().all(|kind| kind.id > 0));
    }

    #[test]
    fn every_brace_of_a_template_is_closed_around_a_name() {
        for kind in REGISTRY {
            for part in kind.template.split('{').skip(1) {
                let (name, _) = part.split_once('}').expect(kind.template);
                assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase()));
            }
        }
    }

    #[test]
    fn a_link_that_is_being_established_shows_at_the_default_severity() {
        let notice = LINK_ESTABLISHING.with([&"default", &"sip.example.com", &16000]);
        assert_eq!(notice.severity, Warning);
        assert!(notice.text.contains("establishing persistent connection"));
    }
}
