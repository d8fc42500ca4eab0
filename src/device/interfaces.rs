//! Names of interfaces and their addresses (Bni).
//!
//! A name stands for an address of the host, or for whatever address an
//! operating-system interface has. Which of them is there is looked at when
//! the settings change and every few seconds: links come and go without us.

use crate::schema::bni::{network_interfaces, network_interfaces_status};
use crate::schema::{self, ColumnId, Enumerated, Index};
use crate::tree::{Configured, Snapshot, Tree, View, messages};
use crate::view;
use nix::ifaddrs::getifaddrs;
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::watch;

view! {
    /// One configured interface.
    struct Interface: bni::network_interfaces {
        /// What other settings call it.
        name: String = INTERFACE_NAME,
        /// The operating system's name for it, or "".
        link: String = LINK_NAME,
        /// Whether it is IPv4 or IPv6.
        family: network_interfaces::ConnectionType = CONNECTION_TYPE,
        /// `address/length`, or "".
        address: String = STATIC_IP_ADDR,
        /// Whether it counts at all.
        active: bool = ACTIVATION,
    }
}

/// The interfaces as configured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings(Vec<(Index, Interface)>);

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        [Interface::COLUMNS, &[network_interfaces::DELETE.id()]].concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        Self(snapshot.view())
    }
}

/// The addresses of all interfaces that are up, by name.
pub(crate) type Addresses = BTreeMap<String, IpAddr>;

/// The state of one row.
#[derive(Clone, Debug, PartialEq)]
struct State {
    config: network_interfaces::ConfigStatus,
    up: Result<(IpAddr, u8), network_interfaces_status::InterfaceStatus>,
}

/// How often the host's links are looked at.
const LOOK: Duration = Duration::from_secs(3);

/// Follows the settings and the host's links; tells the addresses as they change.
pub(super) async fn run(
    tree: Tree,
    mut settings: watch::Receiver<Settings>,
    tell: watch::Sender<Addresses>,
) {
    let mut shown: Option<Vec<(Interface, State)>> = None;
    loop {
        let version = tree.snapshot().version();
        let interfaces = settings.borrow_and_update().0.clone();
        let links = links();
        let states: Vec<(Index, Interface, State)> = interfaces
            .iter()
            .map(|(index, interface)| {
                let state = state(interface, &interfaces, &links);
                (index.clone(), interface.clone(), state)
            })
            .collect();
        let now: Vec<_> = states
            .iter()
            .map(|(_, i, s)| (i.clone(), s.clone()))
            .collect();
        if shown.as_ref() != Some(&now) {
            publish(&tree, &states);
            announce(&tree, shown.as_deref().unwrap_or_default(), &now);
            shown = Some(now);
            tell.send_replace(addresses(&states));
            tree.troubled("Bni", &trouble(&states));
        }
        tree.follows("Bni", version);
        tokio::select! {
            changed = settings.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The addresses that settings give at this moment: for start-up, before anything runs.
pub(super) fn addresses_now(settings: &Settings) -> Addresses {
    let links = links();
    let states = settings.0.iter().map(|(index, interface)| {
        let state = state(interface, &settings.0, &links);
        (index.clone(), interface.clone(), state)
    });
    addresses(&states.collect::<Vec<_>>())
}

fn addresses(states: &[(Index, Interface, State)]) -> Addresses {
    let up = states.iter().filter_map(|(_, interface, state)| {
        let (address, _) = state.up.as_ref().ok()?;
        Some((interface.name.clone(), *address))
    });
    up.collect()
}

/// Each link of the host with its addresses and prefix lengths.
fn links() -> Vec<(String, IpAddr, u8)> {
    let Ok(all) = getifaddrs() else {
        return Vec::new();
    };
    all.filter_map(|link| {
        let address = ip(link.address.as_ref()?)?;
        let mask = link.netmask.as_ref().and_then(ip);
        Some((link.interface_name, address, mask.map_or(0, prefix)))
    })
    .collect()
}

fn ip(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

fn prefix(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => u32::from(mask).leading_ones(),
        IpAddr::V6(mask) => u128::from(mask).leading_ones(),
    };
    u8::try_from(ones).unwrap_or(128)
}

fn state(
    interface: &Interface,
    all: &[(Index, Interface)],
    links: &[(String, IpAddr, u8)],
) -> State {
    use network_interfaces::ConfigStatus;
    use network_interfaces_status::InterfaceStatus;
    let wanted = interface.address.split('/').next().unwrap_or_default();
    let config = if interface.name.is_empty() {
        ConfigStatus::EmptyInterfaceName
    } else if all
        .iter()
        .filter(|(_, other)| other.name == interface.name)
        .count()
        > 1
    {
        ConfigStatus::DuplicateInterfaceName
    } else if interface.link.is_empty() && wanted.is_empty() {
        ConfigStatus::InvalidLinkName
    } else if !wanted.is_empty() && !wanted.parse().is_ok_and(is_a_hosts) {
        ConfigStatus::InvalidStaticIpAddr
    } else {
        ConfigStatus::ValidConfig
    };
    let up = if config != ConfigStatus::ValidConfig {
        Err(InterfaceStatus::InvalidConfig)
    } else if !interface.active {
        Err(InterfaceStatus::LinkDown)
    } else {
        let v6 = interface.family == network_interfaces::ConnectionType::Ip6Static;
        let wanted: Option<IpAddr> = wanted.parse().ok();
        let fits = |(link, address, _): &&(String, IpAddr, u8)| match wanted {
            // All of 127/8 is the host's own, although only one address of it is listed.
            Some(wanted) if wanted.is_loopback() && address.is_loopback() => {
                wanted.is_ipv6() == address.is_ipv6()
            }
            Some(wanted) => *address == wanted,
            None => *link == interface.link && address.is_ipv6() == v6,
        };
        let link_fits = |(link, ..): &&(String, IpAddr, u8)| {
            interface.link.is_empty() || *link == interface.link
        };
        let found = links.iter().filter(link_fits).find(fits);
        found
            .map(|(_, address, prefix)| (wanted.unwrap_or(*address), *prefix))
            .ok_or(InterfaceStatus::LinkDown)
    };
    State { config, up }
}

/// The first interface that is wanted and not up, and what to change; "" if all are.
fn trouble(states: &[(Index, Interface, State)]) -> String {
    let first = states
        .iter()
        .find(|(_, interface, state)| interface.active && state.up.is_err());
    let Some((index, interface, state)) = first else {
        return String::new();
    };
    let row = schema::row_name(network_interfaces::TABLE, index);
    let name = &interface.name;
    match state.config {
        network_interfaces::ConfigStatus::ValidConfig => format!(
            "interface {name} has no address on this host: change {row}.StaticIpAddr or {row}.LinkName"
        ),
        fault => format!("interface {name} cannot be used: {} in {row}", label(fault)),
    }
}

/// Whether a host can have the address at all: one that means all, many or none is nobody's.
fn is_a_hosts(address: IpAddr) -> bool {
    let everybody = matches!(address, IpAddr::V4(four) if four.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || everybody)
}

fn label(fault: network_interfaces::ConfigStatus) -> &'static str {
    let syntax = &network_interfaces::CONFIG_STATUS.id().get().syntax;
    syntax.label(i64::from(fault.number())).unwrap_or_default()
}

fn publish(tree: &Tree, states: &[(Index, Interface, State)]) {
    tree.live().publish(|live| {
        live.clear(network_interfaces::TABLE);
        live.clear(network_interfaces_status::TABLE);
        for (index, interface, state) in states {
            live.set(network_interfaces::CONFIG_STATUS, index, state.config);
            let (status, address) = match &state.up {
                Ok((address, prefix)) => (
                    network_interfaces_status::InterfaceStatus::Active,
                    format!("{address}/{prefix}"),
                ),
                Err(status) => (*status, String::new()),
            };
            live.set(
                network_interfaces_status::INTERFACE_NAME,
                index,
                &interface.name,
            );
            live.set(network_interfaces_status::INTERFACE_STATUS, index, status);
            live.set(network_interfaces_status::LINK_NAME, index, &interface.link);
            live.set(network_interfaces_status::IP_ADDR, index, address);
        }
    });
}

fn announce(tree: &Tree, before: &[(Interface, State)], now: &[(Interface, State)]) {
    let up = |list: &[(Interface, State)]| -> HashSet<(String, IpAddr)> {
        let up = list.iter().filter_map(|(interface, state)| {
            let (address, _) = state.up.as_ref().ok()?;
            Some((interface.name.clone(), *address))
        });
        up.collect()
    };
    let (before, after) = (up(before), up(now));
    for (name, address) in after.difference(&before) {
        tree.notify(&messages::INTERFACE_UP.with([name, address]));
    }
    let gone = before
        .iter()
        .filter(|(name, _)| !after.iter().any(|(other, _)| other == name));
    for (name, address) in gone {
        let reason = format!("the host no longer has {address}");
        tree.notify(&messages::INTERFACE_DOWN.with([name, &reason]));
    }
}
