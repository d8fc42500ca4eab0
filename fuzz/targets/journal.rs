//! Journal frames with fitting checksums and any body.
//!
//! `length 1 | body` again and again: what no checksum stops must be refused
//! with a name or read as rows.
#![no_main]

use demarc::tree::store::OnDamage;
use demarc_fuzz::journal::{DEVICE, Folder, UNSALTED, frames};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<Folder> = LazyLock::new(|| Folder::new("journal"));

fuzz_target!(|octets: &[u8]| {
    let file = frames(bodies(octets));
    match FOLDER.open_with(UNSALTED, &file, OnDamage::Refuse) {
        Ok(store) => {
            let stored = store.load(DEVICE).expect("it was opened");
            let history = store.history(DEVICE, usize::MAX).expect("readable");
            let newest = history.first().map_or(0, |record| record.version);
            assert_eq!(stored.version, newest, "no version without its commit");
            for row in &stored.rows {
                let told = history.iter().flat_map(|record| &record.rows);
                let mut puts = told.filter_map(|change| change.after.as_ref());
                assert!(
                    puts.any(|value| *value == row.value),
                    "no row without its commit"
                );
            }
            store.close();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn bodies(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = octets.split_first()?;
        let (body, rest) = rest.split_at(usize::from(length).min(rest.len()));
        octets = rest;
        Some(body)
    })
}
