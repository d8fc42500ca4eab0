//! A journal with octets changed or cut off: what a store recovers is a state
//! that was, or it refuses with a name.
//!
//! `place 2 | octet 1` again and again: the octet there is changed by
//! exclusive or; by 0, the file ends there.
#![no_main]

use std::sync::LazyLock;

use demarc::tree::store::OnDamage;
use demarc_fuzz::journal::{DEVICE, Folder, Written};
use libfuzzer_sys::fuzz_target;

static WRITTEN: LazyLock<Written> = LazyLock::new(|| Written::new(8));
static FOLDER: LazyLock<Folder> = LazyLock::new(|| Folder::new("recovery"));

fuzz_target!(|edits: &[u8]| {
    let mut file = WRITTEN.octets.clone();
    for edit in edits.chunks_exact(3).take(16) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        match (edit[2], file.len()) {
            (_, 0) => {}
            (0, length) => file.truncate(place % length),
            (octet, length) => file[place % length] ^= octet,
        }
    }
    for on_damage in [OnDamage::Refuse, OnDamage::Salvage] {
        match FOLDER.open_with(&WRITTEN.name, &file, on_damage) {
            Ok(store) => {
                let stored = store.load(DEVICE).expect("it was opened");
                assert!(WRITTEN.states.contains(&stored), "{stored:?} never was");
                store.close();
            }
            Err(error) => assert!(!error.to_string().is_empty() && on_damage == OnDamage::Refuse),
        }
    }
});
