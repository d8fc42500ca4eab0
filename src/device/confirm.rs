//! Counts the seconds of provisional changes, and ends them.
//!
//! A change is confirmed by hand or by what it was asked to prove; else it is
//! undone. The seconds are those of the monotonic clock: setting the time
//! neither hurries nor saves a change. After a restart nobody knows how long
//! the device was away, so every change that waits is undone at once.

use super::settled::Follower;
use super::system::TimeOfDay;
use crate::north::cwmp::io::PROBE;
use crate::schema::conf::{self, pending_change, service_version};
use crate::schema::cwmp::{self, AcsStatus};
use crate::schema::sip_ep::registration_status::{self, State};
use crate::schema::sip_ep::tls_persistent_connection_status as link;
use crate::schema::{ColumnId, Index, TableId, Value};
use crate::tree::{Actor, Command, Outcome, PendingChange, Reason, Refusal, Tree, messages};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub(super) fn claims() -> Vec<ColumnId> {
    vec![
        pending_change::CONFIRM.id(),
        pending_change::GO_BACK.id(),
        conf::CONFIRM_WITHIN.id(),
    ]
}

/// A commit between reading and undoing sends us round again; not for ever.
const ATTEMPTS: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(250);

/// Undoes what was still waiting when the device stopped; before its services start.
pub(super) fn undo_after_restart(tree: &Tree, at: u64) {
    for change in tree.pending_changes().into_iter().rev() {
        let (send, receive) = std::sync::mpsc::channel();
        tree.go_back(change.version, &Actor::device(), at, move |outcome| {
            // Whoever waits below is there until it has come.
            let _ = send.send(outcome);
        });
        if let Ok(outcome) = receive.recv() {
            say(
                tree,
                &change,
                "the device restarted before it was confirmed",
                &outcome,
            );
            if outcome.is_err() {
                tree.confirm(change.version, &Actor::device(), at, |_| {});
            }
        }
    }
}

/// What works now and has to work after a change of these tables: the
/// registrations of each gateway that are all up, and the ACS.
pub(super) fn probes(tree: &Tree, changed: &[TableId]) -> Vec<String> {
    let services = changed.iter().map(|table| table.get().service.get().name);
    let services: BTreeSet<&str> = services.collect();
    let concerns = |list: &[&str]| list.iter().any(|service| services.contains(service));
    let mut probes = Vec::new();
    if concerns(&["SipEp", "Cert", "Hoc", "Bni"]) {
        probes.extend(working(tree));
    }
    if concerns(&["Cwmp", "Cert"]) && acs_is_reached(tree) {
        probes.push(PROBE.to_owned());
    }
    probes
}

fn acs_is_reached(tree: &Tree) -> bool {
    let rows = tree.live().rows();
    let row = rows.row(cwmp::ACS_STATUS.id().get().table, &Index::scalar());
    let status = row.and_then(|row| row.live(cwmp::ACS_STATUS.id()));
    status == Some(&Value::Integer(AcsStatus::Connected as i32))
}

/// The gateways whose registrations and links are all up, as probes.
fn working(tree: &Tree) -> BTreeSet<String> {
    let rows = tree.live().rows();
    let mut good: BTreeMap<String, bool> = BTreeMap::new();
    for (_, row) in rows.rows(registration_status::TABLE).iter() {
        let state = row.live(registration_status::STATE.id());
        let up = [State::Registered, State::Refreshing]
            .iter()
            .any(|wanted| state == Some(&Value::Integer(*wanted as i32)));
        let gateway = text(row.live(registration_status::GATEWAY.id()));
        *good.entry(gateway).or_insert(true) &= up;
    }
    for (_, row) in rows.rows(link::TABLE).iter() {
        let up = row.live(link::STATE.id()) == Some(&Value::Integer(link::State::Up as i32));
        let gateway = text(row.live(link::GATEWAY.id()));
        good.entry(gateway).and_modify(|good| *good &= up);
    }
    let good = good.into_iter().filter(|(_, good)| *good);
    good.filter_map(|(gateway, _)| registration_probe(&gateway))
        .collect()
}

fn text(value: Option<&Value>) -> String {
    let octets = value.and_then(Value::as_octets).unwrap_or_default();
    String::from_utf8_lossy(octets).into_owned()
}

/// Probes are separated by spaces; a gateway whose name has one proves nothing.
fn registration_probe(gateway: &str) -> Option<String> {
    let plain = !gateway.is_empty() && !gateway.contains(char::is_whitespace);
    plain.then(|| format!("{REGISTRATION}{gateway}"))
}

/// Whether the SIP stack acts by a version.
fn applied(tree: &Tree, version: u32) -> bool {
    let rows = tree.live().rows();
    let row = rows.row(service_version::TABLE, &Index::text("SipEp"));
    let applied = row.map(|row| text(row.live(service_version::APPLIED_VERSION.id())));
    applied.is_some_and(|applied| applied.parse().unwrap_or(0_u64) >= u64::from(version))
}

/// A change that waits, and what it has still to prove.
struct Waiting {
    change: PendingChange,
    until: Instant,
    unproven: BTreeSet<String>,
    /// Since when every registration that is asked for stands, under the new version.
    standing: Option<Instant>,
}

impl Waiting {
    /// A registration proves a change only once it has stood for a while: a
    /// new link may still be on its way while the old one looks well.
    fn watch(&mut self, working: &BTreeSet<String>, applied: bool, now: Instant) {
        let asked = self.unproven.iter();
        let mut asked = asked.filter(|probe| probe.starts_with(REGISTRATION));
        let stands = applied && asked.all(|probe| working.contains(probe));
        match (stands, self.standing) {
            (false, _) => self.standing = None,
            (true, None) => self.standing = Some(now),
            (true, Some(since)) if now - since >= STANDING => {
                self.unproven
                    .retain(|probe| !probe.starts_with(REGISTRATION));
            }
            (true, Some(_)) => {}
        }
    }

    fn is_proven(&self) -> bool {
        !self.change.probes.is_empty() && self.unproven.is_empty()
    }
}

const REGISTRATION: &str = "registration:";
/// How long registrations have to stand.
const STANDING: Duration = Duration::from_secs(5);
/// How often they are looked at while a change waits for them.
const LOOK: Duration = Duration::from_millis(500);

/// Follows provisional changes to their end.
pub(super) async fn run(tree: Tree, time: TimeOfDay) {
    let follower = Follower::new(&tree, &claims());
    let (tell, mut proofs) = mpsc::unbounded_channel();
    tree.on_proof(Arc::new(move |probe, version| {
        // Nobody listens any more once the device has stopped.
        let _ = tell.send((probe.to_owned(), version));
    }));
    let mut waiting: BTreeMap<u32, Waiting> = BTreeMap::new();
    loop {
        learn(&tree, &mut waiting);
        let due = waiting.values().map(|change| change.until).min();
        let due = async {
            match due {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let looking = waiting.values().any(|known| !known.unproven.is_empty());
        let at = || time().map_or(0, |time| time.secs());
        tokio::select! {
            commands = follower.next() => {
                for command in commands {
                    obey(&tree, &waiting, &command, at()).await;
                }
            }
            Some((probe, version)) = proofs.recv() => {
                let asked = waiting.values_mut();
                for known in asked.filter(|known| u64::from(known.change.version) <= version) {
                    known.unproven.remove(&probe);
                }
            }
            () = tokio::time::sleep(LOOK), if looking => {
                let (working, now) = (working(&tree), Instant::now());
                for known in waiting.values_mut() {
                    let applied = applied(&tree, known.change.version);
                    known.watch(&working, applied, now);
                }
            }
            () = due => {
                let now = Instant::now();
                let late = waiting.values().filter(|known| known.until <= now);
                // The newest first: each lies on those before it.
                for known in late.rev() {
                    let change = &known.change;
                    let why = format!("it was not confirmed within {} s", change.within);
                    undo(&tree, change, &Actor::device(), &why, at()).await;
                }
            }
        }
        for known in waiting.values().filter(|known| known.is_proven()) {
            let by = known.change.probes.join(" ");
            confirm(&tree, &known.change, &Actor::device(), &by, at()).await;
        }
    }
}

/// Somebody decides by hand.
async fn obey(tree: &Tree, waiting: &BTreeMap<u32, Waiting>, command: &Command, at: u64) {
    let known = command.row.arcs().first();
    let Some(known) = known.and_then(|version| waiting.get(version)) else {
        return;
    };
    let by = command.actor.to_string();
    if command.column == pending_change::CONFIRM.id() {
        confirm(tree, &known.change, &command.actor, &by, at).await;
    } else if command.column == pending_change::GO_BACK.id() {
        let why = format!("{by} wanted it");
        undo(tree, &known.change, &command.actor, &why, at).await;
    }
}

/// What is new begins to wait; what is gone no longer does.
fn learn(tree: &Tree, waiting: &mut BTreeMap<u32, Waiting>) {
    let pending = tree.pending_changes();
    waiting.retain(|version, _| pending.iter().any(|change| change.version == *version));
    for change in pending {
        waiting.entry(change.version).or_insert_with(|| Waiting {
            until: Instant::now() + Duration::from_secs(change.within.into()),
            unproven: change.probes.iter().cloned().collect(),
            standing: None,
            change,
        });
    }
}

async fn confirm(tree: &Tree, change: &PendingChange, actor: &Actor, by: &str, at: u64) {
    let (send, receive) = oneshot::channel();
    tree.confirm(change.version, actor, at, move |outcome| {
        // The receiver waits below.
        let _ = send.send(outcome);
    });
    if let Ok(Ok(_)) = receive.await {
        tree.notify(&messages::CHANGE_CONFIRMED.with([&change.version, &by]));
    }
}

async fn undo(tree: &Tree, change: &PendingChange, actor: &Actor, why: &str, at: u64) {
    let mut outcome = Err(Vec::new());
    for _ in 0..ATTEMPTS {
        let (send, receive) = oneshot::channel();
        tree.go_back(change.version, actor, at, move |outcome| {
            // The receiver waits below.
            let _ = send.send(outcome);
        });
        outcome = receive.await.unwrap_or_else(|_| Err(Vec::new()));
        if outcome.is_ok() || !busy(&outcome) {
            break;
        }
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
    }
    say(tree, change, why, &outcome);
    if outcome.is_err() {
        // It cannot be undone: it stays, and says so, rather than trying for ever.
        confirm(tree, change, &Actor::device(), "nobody", at).await;
    }
}

/// Somebody changed the tree between reading it and going back, or the disk is full.
fn busy(outcome: &Outcome) -> bool {
    let unavailable = |refusal: &Refusal| matches!(refusal.reason, Reason::Unavailable(_));
    matches!(outcome, Err(refusals) if refusals.iter().all(unavailable))
}

fn say(tree: &Tree, change: &PendingChange, why: &str, outcome: &Outcome) {
    let (version, objects) = (change.version, &change.objects);
    match outcome {
        Ok(_) => tree.notify(&messages::CHANGE_UNDONE.with([&version, objects, &why])),
        Err(refusals) => {
            let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            let reasons = reasons.join("; ");
            tree.notify(&messages::CHANGE_NOT_UNDONE.with([&version, objects, &reasons]));
        }
    }
}
