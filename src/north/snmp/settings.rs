//! What the agent is told: who may ask, from where, and in which versions.
//!
//! A value of this is complete and unchanging; a change of the tree makes a
//! new one. Secrets are in it, so it is never printed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use thiserror::Error;

use super::access::Rights;
use super::user::{AuthAlgorithm, User};
use crate::schema::aaa::{user_snmp, users};
use crate::schema::{ColumnId, Secret};
use crate::tree::{Configured, Snapshot, View};
use crate::view;
use crate::wire::credential::Credential;

view! {
    /// The scalars of the agent, both modules.
    struct Scalars: snmp {
        /// SNMPv1 is served.
        v1: bool = ENABLE_SNMP_V1,
        /// SNMPv2c is served.
        v2c: bool = ENABLE_SNMP_V2,
        /// SNMPv3 is served.
        v3: bool = ENABLE_SNMP_V3,
        /// The one community; empty: none.
        community: Secret = COMMUNITY,
        /// Whose rights the community has; "": read only.
        user: String = SNMP_USER,
        /// UDP port.
        port: u16 = PORT,
        /// Interface name; "": the management interface.
        interface: String = NETWORK_INTERFACE,
        /// Comma-separated prefixes; "": any.
        sources: String = ALLOWED_SOURCES,
    }
}

view! {
    /// Where managers ask.
    struct Management: hoc {
        /// Interface name.
        interface: String = MANAGEMENT_INTERFACE,
    }
}

view! {
    /// A user of the device.
    struct UserRow: aaa::users {
        /// The name.
        name: String = USER_NAME,
        /// What is kept of the password.
        password: Secret = PASSWORD,
        /// What the user may do.
        rights: users::AccessRights = ACCESS_RIGHTS,
    }
}

view! {
    /// How a user asks by SNMPv3.
    struct UserSnmp: aaa::user_snmp {
        /// The name.
        name: String = USER_NAME,
        /// Digest.
        auth: user_snmp::AuthProtocol = AUTH_PROTOCOL,
        /// Cipher.
        privacy: user_snmp::PrivProtocol = PRIV_PROTOCOL,
        /// What is kept of the privacy password; empty: the password serves both.
        password: Secret = PRIV_PASSWORD,
    }
}

/// The agent's settings as the tree holds them, before keys are made of them.
#[derive(Clone, PartialEq)]
pub struct Config {
    scalars: Scalars,
    users: Vec<(UserRow, UserSnmp)>,
    /// The interface to listen on.
    pub interface: String,
    /// The UDP port to listen on.
    pub port: u16,
}

impl Configured for Config {
    fn claims() -> Vec<ColumnId> {
        [
            Scalars::COLUMNS,
            Management::COLUMNS,
            UserRow::COLUMNS,
            UserSnmp::COLUMNS,
            &[users::DELETE.id()],
        ]
        .concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        let scalars: Scalars = snapshot.scalars();
        let management: Management = snapshot.scalars();
        let rows = snapshot.view::<UserRow>().into_iter();
        let users = rows.filter_map(|(index, user)| Some((user, snapshot.read(&index)?)));
        Self {
            interface: match scalars.interface.is_empty() {
                true => management.interface,
                false => scalars.interface.clone(),
            },
            port: scalars.port,
            users: users.collect(),
            scalars,
        }
    }
}

impl Config {
    /// What the agent works with: keys instead of credentials.
    pub fn settings(&self) -> Settings {
        Settings {
            v1: self.scalars.v1,
            v2c: self.scalars.v2c,
            v3: self.scalars.v3,
            communities: self.communities(),
            users: self.users.iter().filter_map(user).map(Arc::new).collect(),
            // A guard refuses a list that cannot be read; should one be there, nobody enters.
            sources: SourceFilter::parse(&self.scalars.sources)
                .unwrap_or_else(|_| SourceFilter::nobody()),
            max_response: DEFAULT_MAX_RESPONSE,
        }
    }

    fn communities(&self) -> Vec<Community> {
        if self.scalars.community.is_empty() {
            return Vec::new();
        }
        let user = self
            .users
            .iter()
            .find(|(user, _)| user.name == self.scalars.user);
        vec![Community {
            secret: self.scalars.community.expose().into(),
            user: self.scalars.user.as_str().into(),
            rights: user.map_or(Rights::Observer, |(user, _)| rights(user.rights)),
        }]
    }
}

fn rights(rights: users::AccessRights) -> Rights {
    match rights {
        users::AccessRights::Admin => Rights::Admin,
        users::AccessRights::User => Rights::User,
        users::AccessRights::Observer => Rights::Observer,
    }
}

/// The user as USM knows it; none without a password or an algorithm.
fn user((row, snmp): &(UserRow, UserSnmp)) -> Option<User> {
    let (name, algorithm) = algorithm(snmp.auth)?;
    let password = Credential::parse(row.password.expose())?;
    let auth_key = password.key(name)?;
    let rights = rights(row.rights);
    let user = match snmp.privacy {
        user_snmp::PrivProtocol::None => {
            User::authenticated(&row.name, rights, algorithm, auth_key)
        }
        user_snmp::PrivProtocol::Aes128 => {
            let own = Credential::parse(snmp.password.expose());
            let priv_key = own
                .as_ref()
                .and_then(|own| own.key(name))
                .unwrap_or(auth_key);
            // RFC 3826 §3.1.2.1: the first 128 bits of the localized key.
            User::encrypted(&row.name, rights, algorithm, auth_key, priv_key.get(..16)?)
        }
    };
    user.ok()
}

/// Its name in a credential, and the algorithm.
fn algorithm(protocol: user_snmp::AuthProtocol) -> Option<(&'static str, AuthAlgorithm)> {
    Some(match protocol {
        user_snmp::AuthProtocol::None => return None,
        user_snmp::AuthProtocol::Sha1 => ("sha1", AuthAlgorithm::Sha1),
        user_snmp::AuthProtocol::Sha224 => ("sha224", AuthAlgorithm::Sha224),
        user_snmp::AuthProtocol::Sha256 => ("sha256", AuthAlgorithm::Sha256),
        user_snmp::AuthProtocol::Sha384 => ("sha384", AuthAlgorithm::Sha384),
        user_snmp::AuthProtocol::Sha512 => ("sha512", AuthAlgorithm::Sha512),
    })
}

/// The longest response, in octets: one Ethernet frame (RFC 3417 §3.2 asks
/// for at least 484, and recommends 1472).
pub const DEFAULT_MAX_RESPONSE: usize = 1472;

/// Everything that the agent is told.
pub struct Settings {
    /// Whether SNMPv1 is served.
    pub v1: bool,
    /// Whether SNMPv2c is served.
    pub v2c: bool,
    /// Whether SNMPv3 is served.
    pub v3: bool,
    /// Who may ask in v1 and v2c.
    pub communities: Vec<Community>,
    /// Who may ask in v3.
    pub users: Vec<Arc<User>>,
    /// From where anyone may ask.
    pub sources: SourceFilter,
    /// The longest response, in octets.
    pub max_response: usize,
}

/// A community and the user with whose rights it acts.
pub struct Community {
    /// The community string; an empty one admits nobody.
    pub secret: Arc<[u8]>,
    /// The user's name, "" for none.
    pub user: Arc<str>,
    /// The user's rights.
    pub rights: Rights,
}

impl Default for Settings {
    /// Nobody may ask; v3 only.
    fn default() -> Self {
        Self {
            v1: false,
            v2c: false,
            v3: true,
            communities: Vec::new(),
            users: Vec::new(),
            sources: SourceFilter::default(),
            max_response: DEFAULT_MAX_RESPONSE,
        }
    }
}

/// The networks that may send requests; none listed means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFilter {
    networks: Vec<(IpAddr, u8)>,
}

/// A network that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("network {position} is neither an address nor address/length")]
pub struct NetworkError {
    /// Which of the list, counted from 1.
    pub position: usize,
}

impl SourceFilter {
    /// Admits no source at all.
    pub fn nobody() -> Self {
        // 0.0.0.0 is the source of no request.
        Self {
            networks: vec![(IpAddr::from([0, 0, 0, 0]), 32)],
        }
    }

    /// Reads a list such as `192.0.2.0/24, 2001:db8::1`.
    pub fn parse(list: &str) -> Result<Self, NetworkError> {
        let mut networks = Vec::new();
        for (index, text) in list.split(',').map(str::trim).enumerate() {
            if text.is_empty() && list.trim().is_empty() {
                break;
            }
            let position = index + 1;
            networks.push(network(text).ok_or(NetworkError { position })?);
        }
        Ok(Self { networks })
    }

    /// Whether a datagram from `source` is looked at.
    pub fn admits(&self, source: SocketAddr) -> bool {
        // An IPv4 peer of a socket for both families shows as ::ffff:a.b.c.d.
        let address = source.ip().to_canonical();
        self.networks.is_empty()
            || self
                .networks
                .iter()
                .any(|&(network, length)| contains(network, length, address))
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(bits);
    (length <= bits).then_some((address, length))
}

fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let host_bits = u32::from(bits - length);
    let prefix = |bits: u128| bits.checked_shr(host_bits).unwrap_or(0);
    prefix(network) == prefix(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(list: &str, source: &str) -> bool {
        let filter = SourceFilter::parse(list).expect("a readable list");
        filter.admits(SocketAddr::new(source.parse().expect("an address"), 4000))
    }

    #[test]
    fn an_empty_list_admits_everybody() {
        assert!(admits("", "192.0.2.1"));
        assert!(admits("  ", "2001:db8::1"));
    }

    #[test]
    fn a_network_admits_its_own_addresses_only() {
        let list = "192.0.2.0/25, 2001:db8::/32, 198.51.100.7";
        assert!(admits(list, "192.0.2.127"));
        assert!(!admits(list, "192.0.2.128"));
        assert!(admits(list, "2001:db8:ffff::1"));
        assert!(!admits(list, "2001:db9::1"));
        assert!(admits(list, "198.51.100.7"));
        assert!(!admits(list, "198.51.100.8"));
    }

    #[test]
    fn length_0_admits_one_family() {
        assert!(admits("0.0.0.0/0", "203.0.113.9"));
        assert!(!admits("0.0.0.0/0", "2001:db8::1"));
        assert!(admits("::/0", "2001:db8::1"));
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        assert!(admits("192.0.2.0/24", "::ffff:192.0.2.9"));
    }

    #[test]
    fn an_unreadable_network_is_named_by_its_position() {
        let error = |list| SourceFilter::parse(list).err().map(|error| error.position);
        assert_eq!(error("192.0.2.0/33"), Some(1));
        assert_eq!(error("192.0.2.1, example"), Some(2));
        assert_eq!(error("192.0.2.1,,192.0.2.2"), Some(2));
        assert_eq!(error("::/129"), Some(1));
    }
}
