//! Secrets at rest.
//!
//! A secret column is sealed with the device key before it goes to the store,
//! bound to the place that it belongs to: moved to another row it does not
//! open. The key is a file of its own, outside the database. Nothing here
//! prints, and no octet of the key outlives the sealer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use openssl::rand::rand_bytes;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use super::journal::sync_folder;

/// Seals and opens with one device's key: AES-256-GCM (NIST SP 800-38D).
pub struct Sealer {
    key: Zeroizing<[u8; KEY]>,
}

/// Why a secret or the device key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not sealed with this key for this place, or changed since.
    #[error("the secret does not open with this device key")]
    DoesNotOpen,
    /// The key file may be read by others than its owner.
    #[error("{} may be read by others, its mode must be 600", .0.display())]
    Exposed(PathBuf),
    /// The key file does not hold 32 octets.
    #[error("{} is not a device key", .0.display())]
    NotAKey(PathBuf),
    /// The operating system refused.
    #[error("{}: {kind}", path.display())]
    Io {
        /// The key file or its folder.
        path: PathBuf,
        /// What it said.
        kind: ErrorKind,
    },
    /// The cryptographic library refused.
    #[error("the cryptographic library failed")]
    Crypto,
}

/// The sealer of the key in a file, which is made at random where there is none.
///
/// A new key is durable before it is used. [`SealError::Exposed`] where anyone
/// but the owner may read, write or execute the file.
pub fn device_key(path: &Path) -> Result<Sealer, SealError> {
    let refused = |error: io::Error| SealError::Io {
        path: path.to_owned(),
        kind: error.kind(),
    };
    match File::open(path) {
        Ok(file) => read_key(path, file),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let sealer = Sealer::random()?;
            write_key(path, &sealer).map_err(refused)?;
            Ok(sealer)
        }
        Err(error) => Err(refused(error)),
    }
}

fn read_key(path: &Path, mut file: File) -> Result<Sealer, SealError> {
    let refused = |error: io::Error| SealError::Io {
        path: path.to_owned(),
        kind: error.kind(),
    };
    let about = file.metadata().map_err(refused)?;
    if about.mode() & 0o077 != 0 {
        return Err(SealError::Exposed(path.to_owned()));
    }
    if about.len() != KEY as u64 {
        return Err(SealError::NotAKey(path.to_owned()));
    }
    let mut key = Zeroizing::new([0; KEY]);
    file.read_exact(&mut *key).map_err(refused)?;
    Ok(Sealer { key })
}

/// Whole under its name or not there at all.
fn write_key(path: &Path, sealer: &Sealer) -> io::Result<()> {
    let unfinished = path.with_extension("key.unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(&*sealer.key)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

impl Sealer {
    /// A sealer with a key of its own, for a test or a backup.
    pub fn random() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY]);
        rand_bytes(&mut *key).map_err(|_| SealError::Crypto)?;
        Ok(Self { key })
    }

    /// Seals a secret for one place (device, table, key, column), encoded without ambiguity by the caller.
    ///
    /// ```text
    /// format 1 | nonce 12 | ciphertext n | tag 16
    /// ```
    pub fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        rand_bytes(&mut nonce).map_err(|_| SealError::Crypto)?;
        let mut tag = [0; TAG];
        let cipher = Cipher::aes_256_gcm();
        let hidden = encrypt_aead(cipher, &*self.key, Some(&nonce), context, plain, &mut tag)
            .map_err(|_| SealError::Crypto)?;
        Ok([&[FORMAT], &nonce[..], &hidden, &tag].concat())
    }

    /// Opens what was sealed for the same place; what comes back is wiped when it is dropped.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let parts = split(sealed).ok_or(SealError::DoesNotOpen)?;
        let (nonce, hidden, tag) = parts;
        let cipher = Cipher::aes_256_gcm();
        decrypt_aead(cipher, &*self.key, Some(nonce), context, hidden, tag)
            .map(Zeroizing::new)
            .map_err(|_| SealError::DoesNotOpen)
    }
}

fn split(sealed: &[u8]) -> Option<(&[u8; NONCE], &[u8], &[u8; TAG])> {
    let (&format, rest) = sealed.split_first()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (hidden, tag) = rest.split_last_chunk()?;
    (format == FORMAT).then_some((nonce, hidden, tag))
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Sealer")
    }
}

const KEY: usize = 32;
/// SP 800-38D §8.2.2: 96 random bits; with one key at most 2^32 seals, more than a device makes.
const NONCE: usize = 12;
const TAG: usize = 16;
const FORMAT: u8 = 1;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tree::store::scratch::Scratch;

    #[test]
    fn a_secret_opens_for_its_own_place_only() {
        let sealer = Sealer::random().expect("random octets");
        let sealed = sealer.seal(b"secret", b"row 1").expect("seals");
        let opened = sealer.open(&sealed, b"row 1").expect("its own place");
        assert_eq!(&opened[..], b"secret");
        assert_eq!(sealer.open(&sealed, b"row 2"), Err(SealError::DoesNotOpen));
        let other = Sealer::random().expect("random octets");
        assert_eq!(other.open(&sealed, b"row 1"), Err(SealError::DoesNotOpen));
    }

    #[test]
    fn a_changed_or_shortened_secret_does_not_open() {
        let sealer = Sealer::random().expect("random octets");
        let sealed = sealer.seal(b"secret", b"").expect("seals");
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert_eq!(sealer.open(&flipped, b""), Err(SealError::DoesNotOpen));
            assert_eq!(sealer.open(&sealed[..at], b""), Err(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let sealer = Sealer::random().expect("random octets");
        let twice = [(); 2].map(|()| sealer.seal(b"", b"").expect("seals"));
        assert_ne!(twice[0], twice[1]);
        assert!(!twice[0].is_empty());
    }

    #[test]
    fn a_device_key_is_made_once_and_read_back() {
        let folder = Scratch::folder();
        let path = folder.join("device.key");
        let sealed = device_key(&path)
            .expect("made")
            .seal(b"x", b"")
            .expect("seals");
        let again = device_key(&path).expect("read");
        assert_eq!(&again.open(&sealed, b"").expect("the same key")[..], b"x");
        let mode = fs::metadata(&path).expect("it is there").mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&*folder).expect("readable").count(), 1);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = Scratch::folder();
        let path = folder.join("device.key");
        device_key(&path).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
        assert_eq!(device_key(&path).err(), Some(SealError::Exposed(path)));
    }

    #[test]
    fn a_short_key_is_refused() {
        let folder = Scratch::folder();
        let path = folder.join("device.key");
        device_key(&path).expect("made");
        fs::write(&path, b"short").expect("ours");
        assert_eq!(device_key(&path).err(), Some(SealError::NotAKey(path)));
    }

    #[test]
    fn debug_prints_no_octet_of_the_key() {
        let sealer = Sealer::random().expect("random octets");
        assert_eq!(format!("{sealer:?}"), "Sealer");
    }
}
