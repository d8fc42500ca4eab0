//! A device on its data folder: what it is made of before it runs.

use super::DeviceError;
use super::engine::EngineState;
use super::factory::{self, Profile};
use super::files::private_folder;
use super::identity::Identity;
use super::{clock, confirm, interfaces, names, services, users};
use crate::clock::io::read_clocks;
use crate::north::script::Script;
use crate::north::snmp::identity::EngineId;
use crate::schema::ColumnId;
use crate::tree::{
    Actor, Backing, Configured, Derive, DeviceId, Face, Guard, OpenError, Rights, Sealer, Store,
    StoreOptions, Tree, device_key,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a start is given.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// A profile folder or script; none: the built-in one.
    pub profile: Option<PathBuf>,
    /// What is applied at every start, in one transaction before the services.
    pub start: Script,
}

/// A device, opened and not yet running.
pub struct Device {
    pub(super) home: PathBuf,
    pub(super) identity: Identity,
    pub(super) engine: EngineState,
    pub(super) engine_id: EngineId,
    pub(super) profile: Profile,
    pub(super) tree: Tree,
    pub(super) store: Store,
    pub(super) dropped: Vec<String>,
    /// Operations of the start-up script, for when there are engines.
    pub(super) start_up: Script,
}

/// The device that has a store for itself.
const ONLY: DeviceId = DeviceId(1);

impl Device {
    /// The device of a data folder, with a store of its own in it.
    pub fn open(folder: &Path, options: &DeviceOptions) -> Result<Self, DeviceError> {
        private_folder(folder)?;
        let store = Store::open(folder, StoreOptions::default())?;
        Self::open_on(&store, ONLY, folder, options)
    }

    /// A device of a store that others may share; `folder` is its own.
    pub fn open_on(
        store: &Store,
        device: DeviceId,
        folder: &Path,
        options: &DeviceOptions,
    ) -> Result<Self, DeviceError> {
        private_folder(folder)?;
        let identity = Identity::open(folder)?;
        let engine = EngineState::open(folder)?;
        let engine_id = EngineId::new(engine.random);
        let profile = Profile::read(options.profile.as_deref())?;
        let sealer = device_key(&folder.join("device.key"))?;
        let (tree, dropped) = open_tree(store, device, sealer, &engine_id)?;
        let at = wall_clock();
        factory::prepare(&tree, folder, &identity, &profile, at)?;
        confirm::undo_after_restart(&tree, at);
        let start_up = start_up(&tree, options.start.clone(), at)?;
        Ok(Self {
            home: folder.to_owned(),
            identity,
            engine,
            engine_id,
            profile,
            tree,
            store: store.clone(),
            dropped,
            start_up,
        })
    }

    /// Its tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its profile's snapshot: what `diff` compares with.
    pub(super) fn baseline(&self) -> Result<Tree, DeviceError> {
        let (tree, _) = Tree::open(Backing::Memory, Vec::new(), Vec::new())?;
        factory::baseline(&tree, &self.identity, &self.profile)?;
        Ok(tree)
    }

    /// A new admin password for a device that does not run.
    pub fn recover_admin(folder: &Path) -> Result<(), DeviceError> {
        let device = Self::open(folder, &DeviceOptions::default())?;
        factory::recover_admin(&device.tree, folder, wall_clock())
    }
}

/// Commits the assignments; what is left are operations.
fn start_up(tree: &Tree, script: Script, at: u64) -> Result<Script, DeviceError> {
    let actor = Actor {
        face: Face::Script,
        user: "start-up".to_owned(),
        address: String::new(),
        rights: Rights::Admin,
    };
    let (report, rest) = script.start(tree, actor, at);
    match report.complaints {
        complaints if complaints.is_empty() => Ok(rest),
        complaints => Err(DeviceError::StartUp(complaints)),
    }
}

fn open_tree(
    store: &Store,
    device: DeviceId,
    sealer: Sealer,
    engine_id: &EngineId,
) -> Result<(Tree, Vec<String>), OpenError> {
    let mut guards: Vec<Guard> = vec![services::system_services_run];
    guards.push(super::led::file_is_a_led);
    guards.extend(crate::certs::guards());
    guards.extend(crate::north::snmp::guard::guards());
    let derive: Vec<(ColumnId, Derive)> = users::rules(engine_id.as_bytes().to_vec());
    let backing = Backing::Store {
        store: store.clone(),
        device,
        sealer: Arc::new(sealer),
    };
    Tree::open(backing, guards, derive)
}

/// Seconds since 1970 if the system clock can be right, else 0.
fn wall_clock() -> u64 {
    let now = read_clocks().system;
    if now > clock::built() { now.secs() } else { 0 }
}

impl Device {
    pub(super) fn names(&self) -> names::Names {
        names::Names::new(&names::Settings::read(&self.tree.snapshot()))
    }

    pub(super) fn addresses(&self) -> interfaces::Addresses {
        interfaces::addresses_now(&interfaces::Settings::read(&self.tree.snapshot()))
    }
}
