//! What each object of SipEp changes on the wire.
//!
//! Each story sets an object in a tree, hands the stack the settings that are
//! read out of it, and compares what the network then sees with what it sees
//! of the default: an object that is not read, or not obeyed, fails here.

pub(crate) mod answers;
pub(crate) mod credentials;
pub(crate) mod keep_alive;
pub(crate) mod links;
pub(crate) mod register;
pub(crate) mod registrations;
pub(crate) mod transports;

use std::collections::BTreeMap;
use std::net::IpAddr;

use demarc::schema::{Index, Name, Value, ep_adm};
use demarc::sip::message::Request;
use demarc::sip::settings::{Settings, Unit};
use demarc::tree::{Actor, Configured, Creation, Transaction, Tree};

use super::registrar::Manner;
use super::world::World;

/// The registrar of every story, where it names no other.
const REGISTRAR: &str = "198.51.100.1:5060";
/// Another server.
const OTHER: &str = "198.51.100.9:5060";

/// One assignment: an object of SipEp, and its value as a script writes it.
type Wish<'a> = (&'a str, &'a str);

/// What every story begins with: one gateway that registers one user.
const BASE: [Wish<'static>; 7] = [
    ("Gateway[Name=default].Type", "trunkGateway"),
    ("Gateway[Name=default].NetworkInterface", "Lan1"),
    ("DefaultStaticRegistrarServerHost", REGISTRAR),
    ("UnitRegistrations[Index=1].Username", "100"),
    ("UnitRegistrations[Index=1].GatewayName", "default"),
    ("Authentication[Index=1].Username", "100"),
    ("Authentication[Index=1].Password", "secret"),
];

/// A stack, its network, and the tree that tells it what to do.
struct Told {
    tree: Tree,
    world: World,
}

impl Told {
    /// Two registrars that grant everything, and a stack that has not begun.
    fn new(wishes: &[Wish<'_>]) -> Self {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::device());
        let endpoints = ep_adm::endpoint::TABLE;
        txn.create(endpoints, Index::text("Port01"), Creation::Active);
        tree.commit_and_wait(txn, 0).expect("granted");
        let mut world = World::new();
        world.add_registrar(REGISTRAR, Manner::default());
        world.add_registrar(OTHER, Manner::default());
        let told = Self { tree, world };
        told.commit(&BASE);
        told.commit(wishes);
        told
    }

    /// As [`Told::new`], and so many seconds after its beginning.
    fn after(seconds: u64, wishes: &[Wish<'_>]) -> Self {
        let mut told = Self::new(wishes);
        told.begin(seconds);
        told
    }

    fn begin(&mut self, seconds: u64) {
        self.world.settings = self.settings();
        self.world.apply();
        self.world.seconds(seconds);
    }

    /// Changes objects while the stack runs, and lets a second pass.
    fn set(&mut self, wishes: &[Wish<'_>]) {
        self.commit(wishes);
        self.begin(1);
    }

    fn commit(&self, wishes: &[Wish<'_>]) {
        let mut txn = Transaction::new(Actor::device());
        for (name, value) in wishes {
            let name = Name::parse(&format!("SipEp.{name}")).expect("a name");
            let value = Value::parse(value, &name.column.get().syntax).expect("a value");
            txn.assign(name, value);
        }
        self.tree.commit_and_wait(txn, 0).expect("granted");
    }

    fn settings(&self) -> Settings {
        let addresses: BTreeMap<String, IpAddr> = [
            ("Lan1".to_owned(), IpAddr::from([192, 0, 2, 1])),
            ("Lan2".to_owned(), IpAddr::from([192, 0, 2, 2])),
        ]
        .into();
        let unlocked = [("Port01".to_owned(), true)].into();
        let unit = Unit {
            product: "Gateway".into(),
            version: "7".into(),
            profile: "Plain".into(),
            instance_id: "urn:uuid:00000000-0000-1000-8000-00907f000001".into(),
        };
        Settings::read(&self.tree.snapshot())
            .with_addresses(&addresses)
            .with_endpoints(&unlocked)
            .with_unit(unit)
    }

    /// The REGISTERs that the registrar was sent.
    fn registers(&self) -> Vec<&Request> {
        self.world.registers(0)
    }

    /// The last REGISTER that the registrar was sent, as text.
    fn register(&self) -> String {
        let register = self.registers().last().copied().expect("a REGISTER");
        String::from_utf8(register.to_bytes()).expect("text")
    }

    /// The listeners as `transport:port`, in order of their names.
    fn listens(&self) -> Vec<String> {
        let mut listens = self.world.listens();
        listens.sort();
        listens
    }

    /// Everything that was sent, as text.
    fn sent(&self) -> String {
        let octets = self.world.octets.iter();
        octets.map(|it| String::from_utf8_lossy(it)).collect()
    }
}

/// Fails unless the REGISTER has `part` with each wish, and has it not before.
fn shows_in_the_register(base: &[Wish<'_>], changes: &[(Wish<'_>, &str)]) {
    for (wish, part) in changes {
        let mut told = Told::after(1, base);
        let before = told.sent();
        assert!(!before.contains(part), "{part} without {wish:?}: {before}");
        told.set(&[*wish]);
        let now = told.sent().split_off(before.len());
        assert!(now.contains(part), "no {part} with {wish:?}: {now}");
    }
}
