//! A folder for one test, gone when it ends.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

pub(in crate::tree) struct Scratch(PathBuf);

impl Scratch {
    pub(in crate::tree) fn folder() -> Self {
        let mut name = [0; 8];
        openssl::rand::rand_bytes(&mut name).expect("the system has random octets");
        let name = format!("demarc-{:016x}", u64::from_le_bytes(name));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("the name is new");
        Self(folder)
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("nobody else removes it");
    }
}
