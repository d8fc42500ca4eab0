//! The log: from notices to the local log table and syslog.

use super::names::Names;
use super::services::Gate;
use super::settled::Follower;
use crate::north::syslog::io::{Logger, Looking, send};
use crate::north::syslog::settings::Settings;
use crate::north::syslog::status::Row;
use crate::schema::Index;
use crate::schema::nlm::{self, local_log_messages};
use crate::tree::{Configured, Tree};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;

/// Keeps the logger's settings as the tree says.
pub(super) async fn configure(tree: Tree, logger: Logger) {
    let follower = Follower::new(&tree, &Settings::claims());
    loop {
        follower.next().await;
        let snapshot = tree.snapshot();
        logger.configure(Settings::read(&snapshot));
        counters(&tree, &logger);
        tree.follows("Nlm", snapshot.version());
    }
}

/// Sends to the syslog receiver while the service runs.
pub(super) async fn deliver(gate: Gate, logger: Logger, names: Names) {
    gate.supervise(|mut stop| {
        let names = names.clone();
        let lookup = move |name: String| -> Looking {
            let names = names.clone();
            Box::pin(async move { names.addresses(&name).await.first().copied() })
        };
        let sending = send(logger.clone(), Arc::new(lookup));
        async move {
            tokio::select! {
                () = sending => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    })
    .await;
}

/// Shows the local log as a table, and tells when it has grown.
pub(super) async fn show(tree: Tree, logger: Logger, grown: watch::Sender<u64>) {
    let mut newest = logger.follow();
    let mut shown = 0;
    let mut rows: VecDeque<u32> = VecDeque::new();
    loop {
        let entries = logger.since(shown);
        shown = entries.last().map_or(shown, |entry| entry.number);
        let kept = usize::try_from(logger.counters().max_entries).unwrap_or(usize::MAX);
        tree.live().publish(|live| {
            for entry in &entries {
                let row = Row::from(entry.as_ref());
                let index = Index::number(row.index);
                live.set(local_log_messages::LOCAL_TIME, &index, row.local_time);
                live.set(
                    local_log_messages::SERVICE_NUMKEY,
                    &index,
                    row.service_numkey,
                );
                live.set(
                    local_log_messages::NOTIFICATION_ID,
                    &index,
                    row.notification_id,
                );
                if let Some(severity) = severity(row.severity) {
                    live.set(local_log_messages::SEVERITY, &index, severity);
                }
                live.set(
                    local_log_messages::SERVICE_TEXTKEY,
                    &index,
                    row.service_textkey,
                );
                live.set(local_log_messages::MESSAGE, &index, row.message);
                rows.push_back(row.index);
            }
            while rows.len() > kept
                && let Some(oldest) = rows.pop_front()
            {
                live.remove(local_log_messages::TABLE, &Index::number(oldest));
            }
        });
        counters(&tree, &logger);
        grown.send_replace(shown);
        if newest.changed().await.is_err() {
            return;
        }
    }
}

fn severity(number: u16) -> Option<local_log_messages::Severity> {
    crate::schema::Enumerated::from_number(i32::from(number))
}

fn counters(tree: &Tree, logger: &Logger) {
    let counters = logger.counters();
    tree.live().publish(|live| {
        live.scalar(nlm::LOCAL_LOG_MAX_NB_ENTRIES, counters.max_entries);
        live.scalar(nlm::LOCAL_LOG_NB_ERROR_ENTRIES, counters.error_entries);
        live.scalar(
            nlm::LOCAL_LOG_NB_CRITICAL_ENTRIES,
            counters.critical_entries,
        );
    });
}
