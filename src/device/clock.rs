//! The clock: its settings, its status, and the last known time on disk.

use super::files::write_durably;
use super::names::Names;
use super::settled::settings;
use crate::clock::io::{Looking, Ports, Told, run};
use crate::clock::{Client, Start, Time};
use crate::schema::BUILD_DATE;
use crate::tree::Tree;
use crate::wire::time::UnixTime;
use openssl::rand::rand_bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Runs the clock; `time` tells everyone.
pub(super) async fn keep(
    tree: Tree,
    home: PathBuf,
    names: Names,
    time: watch::Sender<Option<Time>>,
) {
    let last_known = last_known(&home);
    let start = Start {
        build_date: built(),
        last_known,
    };
    let random = || {
        let mut octets = [0; 8];
        // Without randomness an answer is only easier to forge.
        let _ = rand_bytes(&mut octets);
        u64::from_ne_bytes(octets)
    };
    let client = Client::new(start, Box::new(random));
    let (settings, follow) = settings(&tree, "Hoc");
    let (told, mut tell) = mpsc::channel(16);
    let lookup = move |name: String| -> Looking {
        let names = names.clone();
        Box::pin(async move { names.addresses(&name).await })
    };
    let ports = Ports {
        settings,
        time,
        told,
        lookup: Arc::new(lookup),
    };
    let show = async {
        while let Some(told) = tell.recv().await {
            match told {
                Told::Status(status) => tree.live().publish(|live| status.publish(live)),
                Told::LastKnown(time) => remember(&tree, &home, time),
                Told::Notice(notice) => tree.notify(&notice),
            }
        }
    };
    tokio::select! {
        () = run(client, ports) => {}
        () = follow => {}
        () = show => {}
    }
}

/// When this software was built: no right clock is earlier.
pub(super) fn built() -> UnixTime {
    UnixTime::from_secs(BUILD_DATE.parse().unwrap_or_default())
}

fn path(home: &Path) -> PathBuf {
    home.join("last-known-time")
}

fn last_known(home: &Path) -> Option<UnixTime> {
    let text = std::fs::read_to_string(path(home)).ok()?;
    text.trim().parse().ok().map(UnixTime::from_secs)
}

fn remember(tree: &Tree, home: &Path, time: UnixTime) {
    let text = format!("{}\n", time.secs());
    if let Err(error) = write_durably(&path(home), text.as_bytes()) {
        tree.notify(&crate::tree::messages::TIME_NOT_KEPT.with([&error]));
    }
}
