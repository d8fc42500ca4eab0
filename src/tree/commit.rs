//! A commit: from a transaction to what everybody reads.
//!
//! Validation runs on a private tip under a lock; the journal makes the
//! commit durable on its own thread; then the snapshot is published, the
//! watchers are told, and the writer is answered, in this order.

use super::actor::Actor;
use super::codec::RowCodec;
use super::confirm::{self, Promise};
use super::device_tree::{Backing, Shared, Tree};
use super::refusal::Refusal;
use super::said::committed;
use super::snapshot::Snapshot;
use super::step::Step;
use super::store::StoreError;
use super::txn::Transaction;
use super::watch::{Command, changed_tables};
use crate::schema::{Index, TableId, Value};
use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError, mpsc};

/// Who writes a commit to the disk.
#[derive(Clone, Copy)]
enum Writer {
    /// The store's thread: the caller goes on.
    Thread,
    /// The caller, who waits for it anyway.
    Caller,
}

/// Who waits until what was committed before is on disk.
pub(super) type Waiter = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// How a commit ended.
pub type Outcome = Result<Committed, Vec<Refusal>>;

/// A commit that is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The version in which it is true.
    pub version: u64,
}

impl Tree {
    /// Checks a transaction and, if it may be, makes it true.
    ///
    /// `at` is the time in seconds since 1970, 0 while unknown. `done` hears
    /// the outcome once: at once on a refusal, else when it is on disk, then
    /// on the committing thread. It must not block.
    pub fn commit(&self, txn: Transaction, at: u64, done: impl FnOnce(Outcome) + Send + 'static) {
        self.commit_by(Writer::Thread, txn, at, done);
    }

    fn commit_by(
        &self,
        writer: Writer,
        mut txn: Transaction,
        at: u64,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let done = self.saying_refusals(txn.actor().clone(), at, done);
        if let Err(refusals) = self.derive(&mut txn) {
            return done(Err(refusals));
        }
        let tip = self.lock_tip();
        let candidate = match txn.check(&tip, &self.shared.guards) {
            Ok(candidate) => candidate,
            Err(refusals) => {
                drop(tip);
                return done(Err(refusals));
            }
        };
        let rows: Vec<(TableId, Index)> = candidate
            .changed_rows()
            .map(|(table, index)| (table, index.clone()))
            .collect();
        let commands = candidate.commands;
        let mut next = candidate.after;
        if rows.is_empty() {
            let version = tip.version();
            drop(tip);
            return self.settle_unchanged(version, commands, done);
        }
        next.set_version(tip.version() + 1);
        let at_once = self.promise(&tip, &mut next, rows, &commands, txn.actor(), at);
        let rows = match at_once {
            Ok(rows) => rows,
            Err(refusal) => {
                drop(tip);
                return done(Err(vec![refusal]));
            }
        };
        let step = Step {
            next: Arc::new(next),
            rows,
            commands,
            actor: txn.actor().clone(),
            at,
        };
        self.persist(writer, tip, step, done);
    }

    /// As [`Tree::commit`], and waits: for scripts, start-up and tests. Whoever
    /// waits anyway writes to the disk himself where nobody else does.
    pub fn commit_and_wait(&self, txn: Transaction, at: u64) -> Outcome {
        let (send, receive) = mpsc::channel();
        self.commit_by(Writer::Caller, txn, at, move |outcome| {
            // The receiver waits below; a send cannot be lost.
            let _ = send.send(outcome);
        });
        let closed = || Err(vec![Refusal::unavailable("the store is closed")]);
        receive.recv().unwrap_or_else(|_| closed())
    }

    fn lock_tip(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.shared
            .tip
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn derive(&self, txn: &mut Transaction) -> Result<(), Vec<Refusal>> {
        let rules = &self.shared.derive;
        let snapshot = self.snapshot();
        let derived = |column| rules.iter().any(|(known, _)| *known == column);
        txn.rewrite(derived, |name, value| {
            let rule = rules.iter().find(|(known, _)| *known == name.column);
            match (rule, value.as_octets()) {
                (Some((_, rule)), Some(octets)) => rule(&snapshot, name, octets).map(Value::octets),
                _ => Ok(value.clone()),
            }
        })
    }

    /// The rows of a commit, with the one that undoes it where that was asked for.
    fn promise(
        &self,
        before: &Snapshot,
        next: &mut Snapshot,
        mut rows: Vec<(TableId, Index)>,
        commands: &[Command],
        actor: &Actor,
        at: u64,
    ) -> Result<Vec<(TableId, Index)>, Refusal> {
        let Some(within) = confirm::asked(commands) else {
            return Ok(rows);
        };
        let prober = self
            .shared
            .prober
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let tables: Vec<TableId> = changed_tables(&rows).into_iter().collect();
        let promise = Promise {
            before,
            rows: &rows,
            actor,
            at,
            within,
            probes: &prober.map_or_else(Vec::new, |prober| prober(&tables)),
        };
        let pending = promise.keep(next)?;
        rows.push(pending);
        Ok(rows)
    }

    /// Nothing to write; true once everything before it is on disk.
    fn settle_unchanged(
        &self,
        version: u64,
        commands: Vec<Command>,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let shared = self.shared.clone();
        let waiter: Waiter = Box::new(move |result| {
            if result.is_ok() {
                shared.subscribers.tell(&[].into(), &commands);
            }
            done(
                result
                    .map(|()| Committed { version })
                    .map_err(|refusal| vec![refusal]),
            );
        });
        let mut waiting = self
            .shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.shared.published.load().version() >= version {
            drop(waiting);
            return waiter(Ok(()));
        }
        waiting.push_back((version, waiter));
    }

    fn persist(
        &self,
        writer: Writer,
        mut tip: MutexGuard<'_, Arc<Snapshot>>,
        step: Step,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let version = step.next.version();
        let Backing::Store {
            store,
            device,
            sealer,
        } = &self.shared.backing
        else {
            *tip = step.next.clone();
            self.shared.publish(step);
            drop(tip);
            return done(Ok(Committed { version }));
        };
        let codec = RowCodec::new(sealer.clone(), device.0);
        let record = match step.record(*device, &tip, &codec) {
            Ok(record) => record,
            Err(refusal) => {
                drop(tip);
                return done(Err(vec![refusal]));
            }
        };
        let before = std::mem::replace(&mut *tip, step.next.clone());
        let shared = self.shared.clone();
        let written = move |written: Result<(), StoreError>| {
            let outcome = match written {
                Ok(()) => {
                    shared.publish(step);
                    Ok(Committed { version })
                }
                Err(error) => {
                    let refusal = Refusal::unavailable(format!("nothing was changed: {error}"));
                    if !matches!(error, StoreError::Busy | StoreError::Closed) {
                        shared.fall_back(&refusal);
                    }
                    Err(vec![refusal])
                }
            };
            // Whoever hears the outcome may close the store: this must not be its last handle.
            drop(shared);
            done(outcome);
        };
        // Appended under the lock: the journal's order is the order of versions.
        let queued = match writer {
            Writer::Thread => store.append(record, Box::new(written)),
            Writer::Caller => store.append_to_lead(record, Box::new(written)),
        };
        if let Err((written, error)) = queued {
            *tip = before;
            drop(tip);
            return written(Err(error));
        }
        drop(tip);
        if let Writer::Caller = writer {
            store.lead();
        }
    }
}

impl Shared {
    /// The commit is on disk: everyone may see it.
    fn publish(&self, step: Step) {
        let version = step.next.version();
        self.published.store(step.next.clone());
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        self.live
            .publish(|live| audit.add(live, &step.actor, version, step.at, &step.rows));
        drop(audit);
        self.subscribers
            .tell(&changed_tables(&step.rows), &step.commands);
        self.say(&committed(&step.actor, version, &step.rows));
        self.release(version, &Ok(()));
    }

    /// The commit is not on disk: the tip goes back to what is.
    fn fall_back(&self, why: &Refusal) {
        let mut tip = self.tip.lock().unwrap_or_else(PoisonError::into_inner);
        *tip = self.published.load_full();
        drop(tip);
        self.release(u64::MAX, &Err(why.clone()));
    }

    fn release(&self, version: u64, result: &Result<(), Refusal>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, later) = waiting
            .drain(..)
            .partition(|(wanted, _)| *wanted <= version);
        *waiting = later;
        let due: VecDeque<(u64, Waiter)> = due;
        drop(waiting);
        for (_, waiter) in due {
            waiter(result.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Name, hoc};
    use crate::tree::refusal::Reason;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn wish(name: &str, value: &str) -> Transaction {
        let mut txn = Transaction::new(Actor::local());
        txn.assign(Name::parse(name).expect("a name"), Value::from(value));
        txn
    }

    #[test]
    fn a_watcher_is_told_once_a_commit_and_not_of_what_does_not_concern_it() {
        let tree = Tree::in_memory();
        let told = Arc::new(AtomicU32::new(0));
        let count = told.clone();
        let _subscription = tree.subscribe([hoc::static_hosts::TABLE], move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0)
            .expect("granted");
        assert_eq!(told.load(Ordering::Relaxed), 0);
        tree.commit_and_wait(wish("Hoc.StaticHosts[Index=1].Name", "y"), 0)
            .expect("granted");
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn each_commit_says_who_changed_what_and_never_to_which_value() {
        let tree = Tree::in_memory();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        tree.on_notice(move |notice| heard.lock().expect("unpoisoned").push(notice.text.clone()));
        tree.commit_and_wait(wish("Hoc.StaticHosts[Index=1].Name", "the-value"), 0)
            .expect("granted");
        let sentence = "admin by local from here made version 1: Hoc.StaticHosts[Index=1]";
        assert_eq!(*said.lock().expect("unpoisoned"), [sentence]);
    }

    #[test]
    fn a_guard_sees_before_and_after_and_names_what_it_refuses() {
        fn no_pbx(candidate: &crate::tree::Candidate<'_>) -> Vec<Refusal> {
            let index = Index::scalar();
            let column = hoc::SYSTEM_NAME.id();
            match candidate.after.cell(column, &index) {
                Some(name) if *name == Value::from("pbx") => {
                    vec![candidate.refuse(column, &index, "that is the other box")]
                }
                _ => Vec::new(),
            }
        }
        let (tree, _) = Tree::open(Backing::Memory, vec![no_pbx], Vec::new()).expect("a tree");
        let refused = tree
            .commit_and_wait(wish("Hoc.SystemName", "pbx"), 0)
            .expect_err("guarded");
        assert_eq!(
            refused[0].to_string(),
            "Hoc.SystemName: that is the other box"
        );
        assert_eq!(tree.snapshot().version(), 0);
    }

    #[test]
    fn an_equal_value_is_answered_without_a_new_version() {
        let tree = Tree::in_memory();
        tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0)
            .expect("granted");
        let again = tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0);
        assert_eq!(again, Ok(Committed { version: 1 }));
    }

    #[test]
    fn a_transaction_on_an_older_version_is_refused() {
        let tree = Tree::in_memory();
        tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0)
            .expect("granted");
        let stale = wish("Hoc.SystemName", "y").based_on(0);
        let refused = tree.commit_and_wait(stale, 0).expect_err("stale");
        assert!(matches!(refused[0].reason, Reason::Unavailable(_)));
    }
}
