//! A device of which only the tree and the certificates run, without sockets.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{Engine, Input, Output};
use crate::certs::guards::guards;
use crate::certs::keyring::Keyring;
use crate::certs::settings::Settings;
use crate::certs::status::Status;
use crate::certs::testing::NOW;
use crate::certs::time::{Now, TlsTime};
use crate::certs::transfer::Order;
use crate::certs::url::Unit;
use crate::certs::work::Job;
use crate::schema::Name;
use crate::schema::cert::transfer::State;
use crate::tree::{
    Actor, Backing, Configured, Invocation, Operation, OperationError, Subscription, Transaction,
    Tree, Value,
};

/// A device: its tree, its engine, and what the engine wanted.
pub(super) struct Device {
    pub(super) tree: Tree,
    pub(super) engine: Engine,
    pub(super) subscription: Subscription,
    pub(super) keyring: Arc<Keyring>,
    pub(super) start: Instant,
    pub(super) now: Now,
    pub(super) fetches: Vec<(Job, Order)>,
    pub(super) aborted: Vec<Job>,
    pub(super) said: Vec<String>,
    pub(super) shown: Option<Status>,
    pub(super) kept: Vec<u8>,
}

impl Device {
    pub(super) fn new() -> Self {
        let (tree, _) = Tree::open(Backing::Memory, guards(), vec![]).expect("memory");
        let claims = Settings::claims().into_iter();
        let tables = claims.map(|column| column.get().table);
        let subscription = tree.subscribe(tables, || {});
        let keyring = Arc::new(Keyring::new(TlsTime::Known(NOW)));
        let unit = Unit {
            serial: "42".to_owned(),
            ..Unit::default()
        };
        let start = Instant::now();
        let mut device = Self {
            engine: Engine::new(keyring.clone(), unit, b""),
            tree,
            subscription,
            keyring,
            start,
            now: Now {
                monotonic: start,
                time: TlsTime::Known(NOW),
            },
            fetches: Vec::new(),
            aborted: Vec::new(),
            said: Vec::new(),
            shown: None,
            kept: Vec::new(),
        };
        device.read_tree();
        device
    }

    pub(super) fn set(&mut self, wishes: &[(&str, Value)]) {
        let mut txn = Transaction::new(Actor::local());
        for (name, value) in wishes {
            txn.assign(Name::parse(name).expect("a name"), value.clone());
        }
        self.tree.commit_and_wait(txn, 0).expect("granted");
        self.read_tree();
    }

    pub(super) fn read_tree(&mut self) {
        self.give(Input::Settings(Settings::read(&self.tree.snapshot())));
        for command in self.subscription.commands() {
            self.give(Input::Command(command));
        }
    }

    pub(super) fn give(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Fetch(job, order) => self.fetches.push((job, order)),
                Output::Abort(job) => self.aborted.push(job),
                Output::Commit(job, txn) => {
                    let outcome = self.tree.commit_and_wait(txn, 0);
                    self.give(Input::Committed(job, outcome));
                    self.read_tree();
                }
                Output::Answer(answer, outcome) => answer(outcome),
                Output::Publish(status) => self.shown = Some(status),
                Output::Keep(kept) => self.kept = kept,
                Output::Notice(notice) => self.said.push(notice.text),
            }
        }
    }

    pub(super) fn invoke(
        &mut self,
        operation: &'static Operation,
        arguments: &[(&'static str, &str)],
        blob: Option<&str>,
    ) -> mpsc::Receiver<Result<String, OperationError>> {
        let (send, receive) = mpsc::channel();
        let arguments = arguments.iter();
        self.give(Input::Invocation(Invocation {
            operation,
            arguments: arguments
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            blob: blob.map(|blob| blob.as_bytes().to_vec()),
            actor: Actor::local(),
            answer: Box::new(move |outcome| send.send(outcome).expect("the test waits")),
        }));
        receive
    }

    /// As after a restart of the process; what the engine had under way is gone.
    pub(super) fn restart(&mut self) {
        self.engine = Engine::new(self.keyring.clone(), Unit::default(), &self.kept);
        self.read_tree();
    }

    pub(super) fn after(&mut self, seconds: u64) {
        self.now.monotonic = self.start + Duration::from_secs(seconds);
        let passed = i64::try_from(seconds).expect("small");
        self.now.time = TlsTime::Known(NOW + passed);
        self.give(Input::Timeout);
    }

    pub(super) fn progress(&self, row: u32) -> (State, &str) {
        let progress = &self.shown.as_ref().expect("shown").transfers[&row];
        (progress.state, progress.reason.as_str())
    }

    pub(super) fn fetched(&mut self, content: &str) {
        let (job, _) = self.fetches.pop().expect("a fetch");
        let content = Zeroizing::new(content.as_bytes().to_vec());
        self.give(Input::Fetched(job, Ok(content)));
    }
}
