//! Names to addresses: the device's own hosts, then its DNS servers.

use crate::certs::io::Lookup;
use crate::schema::hoc::{self, dns_servers_info};
use crate::schema::{ColumnId, Index};
use crate::sip::io::Resolver;
use crate::tree::{Configured, Snapshot, Tree, View};
use crate::view;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolverConfig, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Hosts, TokioResolver};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

view! {
    /// Who names the DNS servers.
    struct Source: hoc {
        /// Only `static` counts the rows below; else the host's resolver does.
        source: hoc::DnsServersConfigSource = DNS_SERVERS_CONFIG_SOURCE,
    }
}

view! {
    /// A configured DNS server.
    struct Server: hoc::static_dns_servers {
        /// From 1.
        priority: u32 = PRIORITY,
        /// None where it is "".
        address: Option<IpAddr> = IP_ADDRESS,
    }
}

view! {
    /// A name of the device's own.
    struct Host: hoc::static_hosts {
        /// The name.
        name: String = NAME,
        /// Addresses with commas between.
        addresses: String = IP_ADDRESSES,
    }
}

/// How names are resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// None: the host's own resolver configuration.
    servers: Option<Vec<IpAddr>>,
    hosts: Vec<(String, Vec<IpAddr>)>,
}

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        [
            Source::COLUMNS,
            Server::COLUMNS,
            Host::COLUMNS,
            &[hoc::static_hosts::DELETE.id()],
        ]
        .concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        let source: Source = snapshot.scalars();
        let servers = snapshot.view::<Server>();
        let servers = servers.into_iter().filter_map(|(_, server)| server.address);
        let hosts = snapshot.view::<Host>().into_iter().map(|(_, host)| {
            let addresses = host.addresses.split(',');
            let addresses = addresses.filter_map(|text| text.trim().parse().ok());
            (host.name, addresses.collect())
        });
        Self {
            servers: (source.source == hoc::DnsServersConfigSource::Static)
                .then(|| servers.collect()),
            hosts: hosts.collect(),
        }
    }
}

/// The device's resolver; clones are the same one.
#[derive(Clone)]
pub(crate) struct Names {
    current: watch::Sender<Resolver>,
    /// What the first resolver was made from.
    first: Settings,
}

impl Names {
    /// A resolver for these settings.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            current: watch::Sender::new(resolver(settings)),
            first: settings.clone(),
        }
    }

    /// Follows the settings and shows the servers in use.
    pub(super) async fn run(self, tree: Tree, mut settings: watch::Receiver<Settings>) {
        let mut known = self.first;
        loop {
            let version = tree.snapshot().version();
            let now = settings.borrow_and_update().clone();
            // Whoever waits for an answer asks anew when there is another resolver.
            if now != known {
                self.current.send_replace(resolver(&now));
            }
            tree.live().publish(|live| {
                live.clear(dns_servers_info::TABLE);
                for (priority, server) in (1..).zip(servers(&now)) {
                    let index = Index::number(priority);
                    live.set(dns_servers_info::IP_ADDRESS, &index, server.to_string());
                }
            });
            known = now;
            tree.follows("Hoc", version);
            if settings.changed().await.is_err() {
                return;
            }
        }
    }

    /// The addresses of a name, in the order to try; none where it has none.
    pub(crate) async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        if let Ok(address) = name.parse() {
            return vec![address];
        }
        let resolver = self.current.borrow().resolver.clone();
        match resolver.lookup_ip(name).await {
            Ok(found) => found.iter().collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The same for the certificates.
    pub(super) fn lookup(&self) -> Lookup {
        let names = self.clone();
        Arc::new(move |name| {
            let names = names.clone();
            Box::pin(async move { names.addresses(&name).await })
        })
    }

    /// The resolver itself, as it changes, for SIP's own order of questions.
    pub(crate) fn resolver(&self) -> watch::Receiver<Resolver> {
        self.current.subscribe()
    }
}

/// The servers that are asked.
fn servers(settings: &Settings) -> Vec<IpAddr> {
    let own = settings.servers.as_ref();
    own.cloned().unwrap_or_else(host_servers)
}

/// The resolver of these settings.
fn resolver(settings: &Settings) -> Resolver {
    let asked = servers(settings).into_iter();
    let asked = asked.map(NameServerConfig::udp_and_tcp);
    let config = ResolverConfig::from_parts(None, Vec::new(), asked.collect());
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = PATIENCE;
    let mut resolver = builder
        .build()
        .expect("a resolver without TLS has nothing that could fail");
    let hosts = Arc::new(hosts(settings));
    resolver.set_hosts(hosts.clone());
    Resolver { resolver, hosts }
}

/// The host's own names, then the device's.
fn hosts(settings: &Settings) -> Hosts {
    let mut hosts = Hosts::from_system().unwrap_or_default();
    for (name, addresses) in &settings.hosts {
        for address in addresses {
            let line = format!("{address} {name}\n");
            // A line made of an address and a name is well formed; a bad name is left out.
            let _ = hosts.read_hosts_conf(line.as_bytes());
        }
    }
    hosts
}

/// The servers of the host's own resolver.
fn host_servers() -> Vec<IpAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("nameserver "))
        .filter_map(|address| address.trim().parse().ok())
        .collect()
}

/// How long one question waits for its answer; it is asked twice.
const PATIENCE: Duration = Duration::from_secs(2);
