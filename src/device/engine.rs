//! The SNMP engine's id and its count of boots (RFC 3411 §5, RFC 3414 §2.2).
//!
//! Kept beside the configuration, so that no restore takes it back, and on
//! disk before the engine speaks. A folder that was copied to another host
//! gets a new id: two engines with one id would accept each other's messages.

use super::DeviceError;
use super::files::write_durably;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The engine as this start found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineState {
    /// The random part of the engine id.
    pub random: [u8; 8],
    /// This boot's number.
    pub boots: u32,
    /// Whether the folder came from another host, so that the id is new.
    pub copied: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    engine: String,
    boots: u32,
    host: String,
}

/// RFC 3414 §2.2.2: latched there until the engine is made anew.
const MOST_BOOTS: u32 = 0x7fff_ffff;

impl EngineState {
    /// Counts this boot and writes it down before answering.
    pub fn open(folder: &Path) -> Result<Self, DeviceError> {
        Self::open_on(folder, &host_mark())
    }

    fn open_on(folder: &Path, host: &str) -> Result<Self, DeviceError> {
        let path = folder.join("engine.toml");
        let stored = match fs::read_to_string(&path) {
            Ok(text) => Some(
                toml::from_str::<Stored>(&text)
                    .map_err(|error| DeviceError::identity(&path, error.message()))?,
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(DeviceError::io(&path, &error)),
        };
        let same_host =
            |stored: &Stored| stored.host.is_empty() || host.is_empty() || stored.host == host;
        let copied = stored.as_ref().is_some_and(|stored| !same_host(stored));
        let kept = stored.filter(|_| !copied);
        let (random, boots) = match kept
            .as_ref()
            .and_then(|stored| Some((octets(&stored.engine)?, stored.boots)))
        {
            Some((random, boots)) => (random, boots.saturating_add(1).min(MOST_BOOTS)),
            None => (fresh()?, 1),
        };
        let stored = Stored {
            engine: hex(&random),
            boots,
            host: host.to_owned(),
        };
        let text = toml::to_string(&stored)
            .map_err(|error| DeviceError::identity(&path, error.to_string()))?;
        write_durably(&path, text.as_bytes())?;
        Ok(Self {
            random,
            boots,
            copied,
        })
    }
}

/// What tells one host from another: its machine id, hashed; "" where there is none.
fn host_mark() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim() {
        "" => String::new(),
        id => hex(&sha256(id.as_bytes())[..8]),
    }
}

fn fresh() -> Result<[u8; 8], DeviceError> {
    let mut random = [0; 8];
    rand_bytes(&mut random).map_err(|_| DeviceError::NoRandomness)?;
    Ok(random)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}

fn octets(hex: &str) -> Option<[u8; 8]> {
    u64::from_str_radix(hex, 16)
        .ok()
        .filter(|_| hex.len() == 16)
        .map(u64::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_counts_and_a_copied_folder_gets_another_engine() {
        let folder = std::env::temp_dir().join(format!("demarc-engine-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let first = EngineState::open_on(&folder, "a").expect("made");
        let second = EngineState::open_on(&folder, "a").expect("read");
        assert_eq!((first.boots, second.boots), (1, 2));
        assert_eq!(first.random, second.random);
        let copied = EngineState::open_on(&folder, "b").expect("read");
        assert!(copied.copied && copied.boots == 1 && copied.random != first.random);
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn boots_stay_at_their_largest_and_a_damaged_file_is_not_read_as_a_new_engine() {
        let folder = std::env::temp_dir().join(format!("demarc-boots-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("engine.toml");
        let last = format!("engine = \"0102030405060708\"\nboots = {MOST_BOOTS}\nhost = \"a\"\n");
        fs::write(&file, last).expect("written");
        for _ in 0..2 {
            let state = EngineState::open_on(&folder, "a").expect("read");
            assert_eq!(
                (state.boots, state.random),
                (MOST_BOOTS, [1, 2, 3, 4, 5, 6, 7, 8])
            );
        }
        fs::write(&file, "boots = \"many\"").expect("written");
        assert!(matches!(
            EngineState::open_on(&folder, "a"),
            Err(DeviceError::Identity { .. })
        ));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
