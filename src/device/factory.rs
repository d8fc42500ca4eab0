//! The factory state: what comes with the unit, then the profile, then the
//! secrets of the first boot.

use super::DeviceError;
use super::files::write_durably;
use super::identity::Identity;
use super::services::SERVICES;
use crate::certs::install_anchors;
use crate::north::script::{Act, Script};
use crate::schema::cwmp::config_file;
use crate::schema::{
    self, ColumnId, Index, Name, Role, RowLife, TableId, Typed, Value, aaa, cwmp, ep_adm, hoc, nlm,
    scm, snmp,
};
use crate::tree::{Actor, Creation, Face, Row, Snapshot, Transaction, Tree, messages};
use crate::wire::time::UnixTime;
use openssl::rand::rand_bytes;
use std::path::{Path, PathBuf};

/// A profile: a script and a folder of trust anchors.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// What `%profile%` says.
    pub(super) name: String,
    /// Its script.
    pub(super) script: String,
    /// Its anchors, each a name and a file's octets.
    pub(super) anchors: Vec<(String, Vec<u8>)>,
    /// Its public key for images, as PEM: `firmware.pem`.
    pub(super) firmware_key: Option<Vec<u8>>,
}

/// The profile that is built in.
const BUILT_IN: &str = include_str!("../../certs/profile/profile.script");
/// The largest file of a profile that is read, in octets.
const LARGEST: u64 = 1 << 20;

impl Profile {
    /// The built-in profile, or the one in a folder (a script alone is a profile too).
    pub(super) fn read(path: Option<&Path>) -> Result<Self, DeviceError> {
        let Some(path) = path else {
            return Ok(Self {
                name: "Default".to_owned(),
                script: BUILT_IN.to_owned(),
                anchors: Vec::new(),
                firmware_key: None,
            });
        };
        let folder = path.is_dir();
        let file = if folder {
            path.join("profile.script")
        } else {
            path.to_owned()
        };
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let anchors = if folder {
            anchors(&path.join("anchors"))?
        } else {
            Vec::new()
        };
        let key = path.join("firmware.pem");
        let firmware_key = match folder && key.exists() {
            true => Some(read(&key)?),
            false => None,
        };
        let script = String::from_utf8_lossy(&read(&file)?).into_owned();
        Ok(Self {
            name,
            script,
            anchors,
            firmware_key,
        })
    }
}

fn anchors(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, DeviceError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let fault = |error: std::io::Error| DeviceError::io(folder, &error);
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in folder.read_dir().map_err(fault)? {
        files.push(entry.map_err(fault)?.path());
    }
    files.retain(|file| {
        let ending = file.extension().map(|ending| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| {
            ["pem", "crt", "der", "cer"]
                .iter()
                .any(|known| ending == *known)
        })
    });
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            Ok((name.into_owned(), read(file)?))
        })
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, DeviceError> {
    let fault = |error: std::io::Error| DeviceError::io(path, &error);
    let length = path.metadata().map_err(fault)?.len();
    if length > LARGEST {
        let why = format!("it is larger than {LARGEST} octets");
        return Err(DeviceError::Script(path.display().to_string(), why));
    }
    std::fs::read(path).map_err(fault)
}

/// Brings a tree of version 0 to the factory state; a later one gets only
/// the rows that this firmware adds.
pub(super) fn prepare(
    tree: &Tree,
    home: &Path,
    identity: &Identity,
    profile: &Profile,
    at: u64,
) -> Result<(), DeviceError> {
    if tree.snapshot().version() > 0 {
        let mut txn = Transaction::new(Actor::device());
        own_rows(&mut txn, &tree.snapshot(), identity);
        own_script(&mut txn, &tree.snapshot(), profile);
        return commit(tree, txn, "the unit's own rows", at);
    }
    let secrets = Secrets::make()?;
    // On disk before it counts: a crash between the two leaves no unit without a known password.
    secrets.write(home)?;
    let mut txn = factory_state(tree, identity, profile)?;
    if at > 0 {
        let date = UnixTime::from_secs(at).to_string();
        assign(&mut txn, config_file::DATE, &Index::number(PROFILE), &date);
    }
    secrets.assign(&mut txn);
    commit(tree, txn, &format!("profile {}", profile.name), at)
}

/// The factory state without secrets: what `diff` and `export` compare with.
pub(super) fn baseline(
    tree: &Tree,
    identity: &Identity,
    profile: &Profile,
) -> Result<(), DeviceError> {
    let txn = factory_state(tree, identity, profile)?;
    commit(tree, txn, &format!("profile {}", profile.name), 0)
}

/// From a configuration back to the factory state, with new secrets, which
/// are on disk before the transaction is made true.
pub(super) fn reset(
    now: &Snapshot,
    baseline: &Snapshot,
    home: &Path,
) -> Result<Transaction, DeviceError> {
    let mut txn = Transaction::new(Actor::device());
    for (table, object) in schema::tables() {
        if object.is_live() {
            continue;
        }
        for (index, row) in now.rows(table).iter() {
            match baseline.row(table, index) {
                Some(wanted) => restore(&mut txn, table, index, row, wanted),
                // Rows that follow go with their leaders.
                None if matches!(object.rows, RowLife::Free | RowLife::Kept) => {
                    txn.delete(table, index.clone());
                }
                None => {}
            }
        }
        for (index, wanted) in baseline.rows(table).iter() {
            if now.row(table, index).is_none() {
                if !matches!(object.rows, RowLife::Follow(_)) {
                    txn.create(table, index.clone(), Creation::Active);
                }
                restore(&mut txn, table, index, &Row::initial(table), wanted);
            }
        }
    }
    let secrets = Secrets::make()?;
    secrets.write(home)?;
    secrets.assign(&mut txn);
    Ok(txn)
}

/// Assigns what differs.
fn restore(txn: &mut Transaction, table: TableId, index: &Index, now: &Row, wanted: &Row) {
    for column in table.get().columns {
        let Role::Stored(slot) = column.get().role else {
            continue;
        };
        // A counter of managers (RFC 2579 TestAndIncr) is no setting.
        // What is made at random has no value in any profile.
        // Nor has when the profile was first applied.
        let setting = column.get().syntax.format != "TestAndIncr"
            && !REQUEST.contains(column)
            && *column != config_file::DATE.id();
        if let Some(value) = wanted
            .cell(slot)
            .filter(|_| setting && now.cell(slot) != wanted.cell(slot))
        {
            let name = Name {
                column: *column,
                index: index.clone(),
            };
            txn.assign(name, value.clone());
        }
    }
}

fn factory_state(
    tree: &Tree,
    identity: &Identity,
    profile: &Profile,
) -> Result<Transaction, DeviceError> {
    // Of what a profile assigns twice, the last counts, as in any script.
    let mut txn = Transaction::new(Actor {
        face: Face::Script,
        ..Actor::device()
    });
    own_rows(&mut txn, &tree.snapshot(), identity);
    let what = || format!("profile {}", profile.name);
    let script = Script::parse(&profile.script).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        DeviceError::Script(what(), lines.join("\n"))
    })?;
    for entry in script.entries {
        match entry.act {
            Act::Assign(name, value) => txn.assign(name, value),
            Act::Invoke(call) => {
                let why = format!("a profile only assigns, it cannot run {}", call.operation);
                return Err(DeviceError::Script(what(), why));
            }
        }
    }
    own_script(&mut txn, &tree.snapshot(), profile);
    install_anchors(&mut txn, &profile.anchors)
        .map_err(|bad| DeviceError::Script(what(), bad.to_string()))?;
    Ok(txn)
}

fn commit(tree: &Tree, txn: Transaction, what: &str, at: u64) -> Result<(), DeviceError> {
    match tree.commit_and_wait(txn, at) {
        Ok(_) => Ok(()),
        Err(reasons) => Err(DeviceError::Refused {
            what: what.to_owned(),
            reasons,
        }),
    }
}

/// The profile among the scripts that made the configuration.
fn own_script(txn: &mut Transaction, snapshot: &Snapshot, profile: &Profile) {
    let index = Index::number(PROFILE);
    if snapshot.row(config_file::TABLE, &index).is_some() {
        return;
    }
    txn.create(config_file::TABLE, index.clone(), Creation::Active);
    let name = &profile.name[..profile.name.floor_char_boundary(LONGEST_NAME)];
    assign(txn, config_file::NAME, &index, name);
    assign(
        txn,
        config_file::DESCRIPTION,
        &index,
        "the profile of the factory state",
    );
}

/// Its row; the last script of an ACS has the second.
const PROFILE: u32 = 1;
/// TR-181: names of files have at most 64 characters.
const LONGEST_NAME: usize = 64;

/// Rows that exist because the unit does: services, places for servers, ports.
fn own_rows(txn: &mut Transaction, snapshot: &Snapshot, identity: &Identity) {
    let mut make = |table: TableId, index: Index| {
        if snapshot.row(table, &index).is_none() {
            txn.create(table, index, Creation::Active);
        }
    };
    for (name, _, _) in SERVICES {
        make(scm::service_commands::TABLE, Index::text(name));
        make(scm::services_config::TABLE, Index::text(name));
    }
    for alarm in super::alarms::numbers() {
        make(nlm::supported_alarm::TABLE, Index::number(alarm));
    }
    for priority in 1..=PLACES {
        make(hoc::static_sntp_servers::TABLE, Index::number(priority));
        make(hoc::static_dns_servers::TABLE, Index::number(priority));
    }
    for endpoint in identity.endpoints() {
        make(ep_adm::endpoint::TABLE, Index::text(&endpoint));
    }
}

/// The dictionary's number of static servers.
const PLACES: u32 = 4;

/// How an ACS asks for a session; made at random with the other secrets.
const REQUEST: [ColumnId; 3] = [
    cwmp::CONNECTION_REQUEST_USERNAME.id(),
    cwmp::CONNECTION_REQUEST_PASSWORD.id(),
    cwmp::CONNECTION_REQUEST_PATH.id(),
];

/// What the first boot makes at random.
struct Secrets {
    admin: String,
    privacy: String,
    /// Who may ask for a TR-069 session, with what password, at what path.
    /// None: they stay as they are.
    request: Option<[String; 3]>,
}

impl Secrets {
    fn make() -> Result<Self, DeviceError> {
        Ok(Self {
            admin: password()?,
            privacy: password()?,
            request: Some([password()?, password()?, password()?]),
        })
    }

    fn write(&self, home: &Path) -> Result<(), DeviceError> {
        let request = self.request.iter().map(|[user, password, _]| {
            format!(
                "acs-connection-request-user: {user}\nacs-connection-request-password: {password}\n"
            )
        });
        let request: String = request.collect();
        let text = format!(
            "snmp-user: admin\nsnmp-auth: SHA-256\nsnmp-auth-password: {admin}\nsnmp-priv: AES\nsnmp-priv-password: {privacy}\nadmin-password: {admin}\n{request}",
            admin = self.admin,
            privacy = self.privacy,
        );
        write_durably(&home.join("first-boot.txt"), text.as_bytes())
    }

    fn assign(&self, txn: &mut Transaction) {
        let admin = Index::text("admin");
        assign(txn, aaa::users::PASSWORD, &admin, &self.admin);
        assign(txn, aaa::user_snmp::PRIV_PASSWORD, &admin, &self.privacy);
        assign(txn, snmp::SNMP_USER, &Index::scalar(), "");
        let Some([user, password, path]) = &self.request else {
            return;
        };
        let scalar = Index::scalar();
        assign(txn, cwmp::CONNECTION_REQUEST_USERNAME, &scalar, user);
        assign(txn, cwmp::CONNECTION_REQUEST_PASSWORD, &scalar, password);
        assign(txn, cwmp::CONNECTION_REQUEST_PATH, &scalar, path);
    }
}

fn assign<K>(txn: &mut Transaction, column: Typed<K>, index: &Index, text: &str) {
    let name = Name {
        column: column.id(),
        index: index.clone(),
    };
    txn.assign(name, Value::from(text));
}

/// A new admin password for a stopped device; SNMPv3 gets it too.
pub(super) fn recover_admin(tree: &Tree, home: &Path, at: u64) -> Result<(), DeviceError> {
    let secrets = Secrets {
        // An ACS may have set its own by now.
        request: None,
        ..Secrets::make()?
    };
    let mut txn = Transaction::new(Actor::device());
    secrets.assign(&mut txn);
    let rights = Name {
        column: aaa::users::ACCESS_RIGHTS.id(),
        index: Index::text("admin"),
    };
    let admin = aaa::users::AccessRights::Admin as i32;
    txn.assign(rights, Value::Integer(admin));
    commit(tree, txn, "the new password", at)?;
    secrets.write(home)?;
    write_durably(&home.join(RECOVERED), b"admin\n")
}

/// Left by a recovery for the next run, whose log is told of it.
const RECOVERED: &str = "admin-recovered";

/// Says at the start that the administrator's password was made anew.
pub(super) fn say_recovered(tree: &Tree, home: &Path) {
    if std::fs::remove_file(home.join(RECOVERED)).is_ok() {
        tree.notify(&messages::ADMIN_RECOVERED.with([&"admin"]));
    }
}

/// Twenty letters of an alphabet of 32 without look-alikes: 100 bits.
fn password() -> Result<String, DeviceError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 20];
    rand_bytes(&mut random).map_err(|_| DeviceError::NoRandomness)?;
    let letters = random
        .iter()
        .map(|octet| char::from(ALPHABET[usize::from(octet % 32)]));
    Ok(letters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit whose profile this is.
    fn unit(script: &str) -> Tree {
        let profile = Profile {
            name: "carrier".to_owned(),
            script: script.to_owned(),
            anchors: Vec::new(),
            firmware_key: None,
        };
        let tree = Tree::in_memory();
        baseline(&tree, &Identity::default(), &profile).expect("a factory state");
        tree
    }

    #[test]
    fn of_what_a_profile_assigns_twice_the_last_counts() {
        let tree = unit("Hoc.SystemName=one\nHoc.SystemName=two\n");
        let snapshot = tree.snapshot();
        let name = snapshot.cell(hoc::SYSTEM_NAME.id(), &Index::scalar());
        assert_eq!(name, Some(&Value::from("two")));
    }

    #[test]
    fn the_profile_is_the_first_script_of_the_configuration() {
        let tree = unit("");
        let snapshot = tree.snapshot();
        let name = snapshot.cell(config_file::NAME.id(), &Index::number(PROFILE));
        assert_eq!(name, Some(&Value::from("carrier")));
    }
}
