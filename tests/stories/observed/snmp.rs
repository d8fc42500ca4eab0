//! Who may ask the agent what, where and how.
//!
//! A manager of another make (async-snmp) asks a whole device before and
//! after each change.

use std::net::SocketAddr;
use std::time::Duration;

use async_snmp::v3::{AuthProtocol, PrivProtocol};
use async_snmp::{Auth, Client, Oid, Retry, UsmConfig, Value};

use crate::services::{COMMUNITY, Folder, World, eventually, free_port};

const SYS_NAME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 5, 0];
const PASSWORD: &str = "authentication";

/// Reads sysName.0, or writes it.
enum Request {
    Read,
    Write,
}

fn is_answered(at: SocketAddr, way: &Auth, request: &Request) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = Client::builder(at, way.clone())
            .request_timeout(Duration::from_millis(200))
            .retry(Retry::none());
        let client = client.connect().await.expect("a client");
        let name = Oid::from_slice(&SYS_NAME);
        match request {
            Request::Read => client.get(&name).await.is_ok(),
            Request::Write => client.set(&name, Value::from("named")).await.is_ok(),
        }
    })
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn reads(at: SocketAddr, way: &Auth) {
    let what = format!("{way:?} is answered at {at}");
    eventually(&what, || is_answered(at, way, &Request::Read));
}

fn reads_not(at: SocketAddr, way: &Auth) {
    let what = format!("{way:?} is not answered at {at}");
    eventually(&what, || !is_answered(at, way, &Request::Read));
}

fn set(world: &World, wishes: &[(&str, &str)]) {
    for (name, value) in wishes {
        world.set(name, value).expect(name);
    }
}

/// A user `ann` with these algorithms.
fn ann(auth: AuthProtocol, privacy: Option<&str>, password: &str) -> Auth {
    let user = UsmConfig::new("ann");
    let user = match privacy {
        Some(own) => user.auth_priv(auth, password, PrivProtocol::Aes128, own),
        None => user.auth(auth, password),
    };
    Auth::from(user.expect("long enough"))
}

#[test]
pub(crate) fn the_agent_answers_the_versions_and_communities_that_are_set() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let at = local(world.snmp);
    let (v1, v2c) = (Auth::v1(COMMUNITY), Auth::v2c(COMMUNITY));
    reads(at, &v2c);
    reads_not(at, &v1);
    set(
        &world,
        &[
            ("Snmp.EnableSnmpV1", "enable"),
            ("Snmp.EnableSnmpV2", "disable"),
        ],
    );
    reads(at, &v1);
    reads_not(at, &v2c);
    set(&world, &[("Snmp.Community", "another")]);
    reads_not(at, &v1);
    reads(at, &Auth::v1("another"));
    set(&world, &[("Aaa.Users[UserName=ann].Password", PASSWORD)]);
    let ann = ann(AuthProtocol::Sha256, Some(PASSWORD), PASSWORD);
    reads(at, &ann);
    set(&world, &[("Snmp.EnableSnmpV3", "disable")]);
    reads_not(at, &ann);
    world.end();
}

#[test]
pub(crate) fn a_community_acts_with_the_rights_of_the_user_that_is_set() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let (at, v2c) = (local(world.snmp), Auth::v2c(COMMUNITY));
    reads(at, &v2c);
    assert!(!is_answered(at, &v2c, &Request::Write), "it only reads");
    set(&world, &[("Snmp.SnmpUser", "admin")]);
    eventually("it writes", || is_answered(at, &v2c, &Request::Write));
    assert_eq!(world.read("Hoc.SystemName"), "named");
    world.end();
}

#[test]
pub(crate) fn the_agent_listens_where_it_is_set_to_and_answers_the_sources_that_are_allowed() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let v2c = Auth::v2c(COMMUNITY);
    let here = local(world.snmp);
    let there = SocketAddr::from(([127, 0, 0, 3], world.snmp));
    reads(here, &v2c);
    let row = |column: &str| format!("Bni.NetworkInterfaces[Idx=9].{column}");
    let (name, address, active) = (row("InterfaceName"), row("StaticIpAddr"), row("Activation"));
    set(
        &world,
        &[
            (&name, "Lan9"),
            (&address, "127.0.0.3/8"),
            (&active, "enable"),
            ("Hoc.ManagementInterface", "Lan9"),
        ],
    );
    reads(there, &v2c);
    reads_not(here, &v2c);
    set(&world, &[("Snmp.NetworkInterface", "Lan1")]);
    reads(here, &v2c);
    reads_not(there, &v2c);
    let port = free_port();
    set(&world, &[("Snmp.Port", &port.to_string())]);
    reads(local(port), &v2c);
    reads_not(here, &v2c);
    set(&world, &[("Snmp.AllowedSources", "192.0.2.0/24")]);
    reads_not(local(port), &v2c);
    set(&world, &[("Snmp.AllowedSources", "127.0.0.1")]);
    reads(local(port), &v2c);
    world.end();
}

#[test]
pub(crate) fn a_user_asks_with_the_algorithms_and_passwords_that_are_set() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let at = local(world.snmp);
    let row = |column: &str| format!("Aaa.UserSnmp[UserName=ann].{column}");
    let (auth, privacy, own) = (
        row("AuthProtocol"),
        row("PrivProtocol"),
        row("PrivPassword"),
    );
    set(&world, &[("Aaa.Users[UserName=ann].Password", PASSWORD)]);
    let way = ann(AuthProtocol::Sha256, Some(PASSWORD), PASSWORD);
    reads(at, &way);
    set(&world, &[(&auth, "sha512")]);
    reads_not(at, &way);
    reads(at, &ann(AuthProtocol::Sha512, Some(PASSWORD), PASSWORD));
    set(&world, &[(&own, "confidential")]);
    reads_not(at, &ann(AuthProtocol::Sha512, Some(PASSWORD), PASSWORD));
    reads(
        at,
        &ann(AuthProtocol::Sha512, Some("confidential"), PASSWORD),
    );
    set(&world, &[(&privacy, "none")]);
    reads_not(
        at,
        &ann(AuthProtocol::Sha512, Some("confidential"), PASSWORD),
    );
    let clear = ann(AuthProtocol::Sha512, None, PASSWORD);
    reads(at, &clear);
    set(
        &world,
        &[("Aaa.Users[UserName=ann].Password", "another-password")],
    );
    reads_not(at, &clear);
    let clear = ann(AuthProtocol::Sha512, None, "another-password");
    reads(at, &clear);
    set(&world, &[("Aaa.Users[UserName=ann].Delete", "delete")]);
    reads_not(at, &clear);
    world.end();
}

#[test]
pub(crate) fn a_user_may_do_what_its_rights_allow() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let at = local(world.snmp);
    let way = ann(AuthProtocol::Sha256, Some(PASSWORD), PASSWORD);
    set(
        &world,
        &[
            ("Aaa.Users[UserName=ann].Password", PASSWORD),
            ("Aaa.Users[UserName=ann].AccessRights", "observer"),
        ],
    );
    reads(at, &way);
    assert!(!is_answered(at, &way, &Request::Write));
    set(&world, &[("Aaa.Users[UserName=ann].AccessRights", "admin")]);
    eventually("she writes", || is_answered(at, &way, &Request::Write));
    world.end();
}

#[test]
pub(crate) fn a_command_runs_a_line_of_script_and_its_result_is_shown() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("it is ready", || world.answers_snmp());
    set(&world, &[("SnmpEx.Command", "Hoc.SystemName=commanded")]);
    eventually("it is done", || world.read("SnmpEx.LastResult") == "done");
    assert_eq!(world.read("Hoc.SystemName"), "commanded");
    world.end();
}
