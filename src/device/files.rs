//! Small files of the data folder, each written whole or not at all.

use super::DeviceError;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Writes a 0600 file beside its place, syncs it, renames it, syncs the folder.
pub(super) fn write_durably(path: &Path, octets: &[u8]) -> Result<(), DeviceError> {
    let fault = |error: std::io::Error| DeviceError::io(path, &error);
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside).map_err(fault)?;
    file.write_all(octets).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    fs::rename(&beside, path).map_err(fault)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let folder = fs::File::open(folder).map_err(fault)?;
    folder.sync_all().map_err(fault)
}

/// Makes a folder that only its owner may enter.
pub(super) fn private_folder(path: &Path) -> Result<(), DeviceError> {
    let fault = |error: std::io::Error| DeviceError::io(path, &error);
    fs::create_dir_all(path).map_err(fault)?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(fault)
}
