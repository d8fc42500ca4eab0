//! The certificates of a device: settings, commands and what was fetched in;
//! commits, fetches, status and notices out.
//!
//! The one owner of what is kept and what is under way. It fills the keyring
//! and leaves everything that waits to whoever runs it. A transfer is fetched,
//! then installed by a commit in the name of whoever started it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::expiry::Expiry;
use super::install::{Place, digest, hex};
use super::keeper::{Change, Keeper, Listed};
use super::keyring::Keyring;
use super::operations::Wanted;
use super::settings::{Settings, TransferTls};
use super::status::{Progress, Status};
use super::time::{Now, TlsTime};
use super::transfer::{Order, TransferFailure, Wish};
use super::url::Unit;
use super::window::Window;
use super::work::{Job, Transfer, Work, Works};
use crate::schema::Index;
use crate::schema::cert;
use crate::schema::cert::transfer::{self, State};
use crate::tree::messages::{SETTING_RAISED, TRANSFER_DONE, TRANSFER_FAILED};
use crate::tree::notice::Notice;
use crate::tree::{Actor, Answer, Command, Invocation, OperationError, Outcome, Transaction};

/// What the certificates are told.
pub enum Input {
    /// The settings as they stand.
    Settings(Settings),
    /// A verb on a command column.
    Command(Command),
    /// An operation.
    Invocation(Invocation),
    /// A fetch ended.
    Fetched(Job, Result<Zeroizing<Vec<u8>>, TransferFailure>),
    /// A commit ended.
    Committed(Job, Outcome),
    /// Time has passed.
    Timeout,
}

/// What the certificates want done.
pub enum Output {
    /// Fetch this and say [`Input::Fetched`].
    Fetch(Job, Order),
    /// Nobody wants this fetch any longer.
    Abort(Job),
    /// Commit this and say [`Input::Committed`].
    Commit(Job, Transaction),
    /// Answer an invocation.
    Answer(Answer, Result<String, OperationError>),
    /// Show this.
    Publish(Status),
    /// Log this.
    Notice(Notice),
}

/// See the head of the file.
pub struct Engine {
    keyring: Arc<Keyring>,
    unit: Unit,
    settings: Option<Settings>,
    keeper: Keeper,
    files: Vec<Arc<Listed>>,
    expiry: Expiry,
    window: Window,
    progress: BTreeMap<u32, Progress>,
    works: Works,
    shown: Option<Status>,
    checked: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// Knows nothing yet; the first settings fill the keyring.
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, unit: Unit) -> Self {
        Self {
            keyring,
            unit,
            settings: None,
            keeper: Keeper::default(),
            files: Vec::new(),
            expiry: Expiry::default(),
            window: Window::default(),
            progress: BTreeMap::new(),
            works: Works::default(),
            shown: None,
            checked: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input.
    pub fn handle(&mut self, now: Now, input: Input) {
        if let Some(notice) = self.window.pass(now) {
            self.say(notice);
        }
        match input {
            Input::Settings(settings) => self.settle(settings),
            Input::Command(command) => self.obey(now, command),
            Input::Invocation(invocation) => self.invoke(now, invocation),
            Input::Fetched(job, fetched) => self.fetched(now, job, fetched),
            Input::Committed(job, outcome) => self.committed(now, job, outcome),
            Input::Timeout => {}
        }
        self.watch_dates(now);
        self.show(now);
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let check = self.checked.map(|at| at + CHECK);
        check.into_iter().chain(self.window.ends()).min()
    }

    fn settle(&mut self, settings: Settings) {
        let changes = self.keeper.settle(&settings, &self.keyring);
        self.files = self.keeper.listed();
        // At the start only what cannot be used is news.
        let first = self.settings.is_none();
        let news = changes.iter().filter(|change| !first || change.is_fault());
        for notice in news.map(Change::notice).collect::<Vec<_>>() {
            self.say(notice);
        }
        self.settle_transfers(&settings);
        self.warn_of_weak_tls(&settings.tls);
        self.settings = Some(settings);
        // Looks at the dates of what is new at once.
        self.checked = None;
    }

    fn settle_transfers(&mut self, settings: &Settings) {
        let gone: Vec<u32> = self.progress.keys().copied().collect();
        for row in gone {
            if !settings.transfers.contains_key(&row) {
                self.progress.remove(&row);
                self.abort(row);
            }
        }
        let reason = match self.settings {
            None => NOT_STARTED,
            Some(_) => "",
        };
        for row in settings.transfers.keys() {
            self.progress.entry(*row).or_insert_with(|| Progress {
                state: State::Idle,
                reason: reason.to_owned(),
                finished: None,
            });
        }
    }

    /// The transfer of a row that is no more.
    fn abort(&mut self, row: u32) {
        if let Some(job) = self.works.of_row(row) {
            self.works.end(job);
            self.outputs.push_back(Output::Abort(job));
        }
    }

    fn warn_of_weak_tls(&mut self, tls: &TransferTls) {
        let was = self.settings.as_ref().map(|settings| &settings.tls);
        let told = was.map(TransferTls::raised).unwrap_or_default();
        let raised = tls.raised().into_iter();
        for raised in raised.filter(|one| !told.contains(one)).collect::<Vec<_>>() {
            self.say(SETTING_RAISED.with([&raised.object, &raised.value, &raised.safe]));
        }
    }

    fn obey(&mut self, now: Now, command: Command) {
        if command.column == cert::UNSECURE_TRANSFER_ACTIVATE.id() {
            let notice = self.window.open(now, &command.actor);
            self.say(notice);
        } else if command.column == transfer::START.id() {
            self.start_row(now, &command.row, command.actor);
        }
    }

    fn start_row(&mut self, now: Now, index: &Index, actor: Actor) {
        let row = index.arcs().first().copied();
        let settings = self.settings.as_ref();
        let wish = row.and_then(|row| settings?.transfers.get(&row).cloned());
        let (Some(row), Some(wish)) = (row, wish) else {
            return;
        };
        if self.works.of_row(row).is_none() {
            self.start(now, &wish, actor, Some(row), None);
        }
    }

    fn start(
        &mut self,
        now: Now,
        wish: &Wish,
        actor: Actor,
        row: Option<u32>,
        answer: Option<Answer>,
    ) {
        let clear = self.window.clear();
        let planned = match self.works.is_full() {
            true => Err(BUSY.to_owned()),
            false => wish.plan(&self.unit, clear).map_err(|bad| bad.to_string()),
        };
        let (order, place) = match planned {
            Ok(plan) => plan,
            Err(reason) => {
                // The text as it was written, which may hold a secret, only up to its query.
                let url = wish.url.split('?').next().unwrap_or_default();
                return self.end_transfer(now, row, url, answer, Err(reason));
            }
        };
        if let Some(row) = row {
            self.set_progress(row, State::Running, String::new(), None);
        }
        let work = Work::Transfer(Transfer {
            row,
            actor,
            url: order.url.to_string(),
            place,
        });
        let job = self.works.begin(work, answer);
        self.outputs.push_back(Output::Fetch(job, order));
    }

    fn invoke(&mut self, now: Now, invocation: Invocation) {
        match Wanted::read(&invocation) {
            Err(reason) => self.answer(invocation.answer, Err(reason)),
            Ok(Wanted::Transfer(wish)) => {
                let (actor, answer) = (invocation.actor, invocation.answer);
                self.start(now, &wish, actor, None, Some(answer));
            }
            Ok(Wanted::Install(place, content)) => {
                let content = Zeroizing::new(content.0);
                let mut txn = Transaction::new(invocation.actor);
                match place.install(&mut txn, &content) {
                    Err(bad) => self.answer(invocation.answer, Err(bad.to_string())),
                    Ok(()) => self.commit(txn, installed(&place, &content), invocation.answer),
                }
            }
            Ok(Wanted::Delete(place)) => self.delete(&place, invocation),
        }
    }

    fn delete(&mut self, place: &Place, invocation: Invocation) {
        let key = (place.store, place.file.index());
        let settings = self.settings.as_ref();
        if !settings.is_some_and(|settings| settings.files.contains_key(&key)) {
            let reason = format!("there is no {} certificate {}", place.store, place.file);
            return self.answer(invocation.answer, Err(reason));
        }
        let mut txn = Transaction::new(invocation.actor);
        place.delete(&mut txn);
        self.commit(txn, format!("{} deleted", place.file), invocation.answer);
    }

    fn commit(&mut self, txn: Transaction, success: String, answer: Answer) {
        if self.works.is_full() {
            return self.answer(answer, Err(BUSY.to_owned()));
        }
        let job = self.works.begin(Work::Commit(success), Some(answer));
        self.outputs.push_back(Output::Commit(job, txn));
    }

    fn fetched(
        &mut self,
        now: Now,
        job: Job,
        fetched: Result<Zeroizing<Vec<u8>>, TransferFailure>,
    ) {
        let Some(transfer) = self.works.transfer(job) else {
            return;
        };
        let mut txn = Transaction::new(transfer.actor.clone());
        let installed = fetched.and_then(|file| Ok(transfer.place.install(&mut txn, &file)?));
        match installed {
            Ok(()) => self.outputs.push_back(Output::Commit(job, txn)),
            Err(failure) => self.end(now, job, Err(failure.to_string())),
        }
    }

    fn committed(&mut self, now: Now, job: Job, outcome: Outcome) {
        let outcome = outcome.map(|_| ()).map_err(|refusals| {
            let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            reasons.join("; ")
        });
        self.end(now, job, outcome);
    }

    fn end(&mut self, now: Now, job: Job, outcome: Result<(), String>) {
        let Some(task) = self.works.end(job) else {
            return;
        };
        match task.work {
            Work::Transfer(done) => {
                self.end_transfer(now, done.row, &done.url, task.answer, outcome);
            }
            Work::Commit(success) => {
                if let Some(answer) = task.answer {
                    self.answer(answer, outcome.map(|()| success));
                }
            }
        }
    }

    fn end_transfer(
        &mut self,
        now: Now,
        row: Option<u32>,
        url: &str,
        answer: Option<Answer>,
        outcome: Result<(), String>,
    ) {
        let name = row.map_or_else(|| "by Cert.Transfer".to_owned(), |row| row.to_string());
        self.say(match &outcome {
            Ok(()) => TRANSFER_DONE.with([&name, &url]),
            Err(reason) => TRANSFER_FAILED.with([&name, &url, reason]),
        });
        if let Some(row) = row {
            let (state, reason) = match &outcome {
                Ok(()) => (State::Done, String::new()),
                Err(reason) => (State::Failed, reason.clone()),
            };
            self.set_progress(row, state, reason, Some(now));
        }
        if let Some(answer) = answer {
            self.answer(answer, outcome.map(|()| format!("{url} is installed")));
        }
    }

    fn set_progress(&mut self, row: u32, state: State, reason: String, finished: Option<Now>) {
        let finished = finished.and_then(|now| now.time.known());
        let progress = Progress {
            state,
            reason,
            finished,
        };
        self.progress.insert(row, progress);
    }

    /// Once an hour, and whenever files or the knowledge of the time have changed.
    fn watch_dates(&mut self, now: Now) {
        let is_known = now.time.known().is_some();
        let was_known = self
            .shown
            .as_ref()
            .map(|shown| shown.time.known().is_some());
        let fresh = self.checked.is_some_and(|at| now.monotonic < at + CHECK);
        if fresh && was_known == Some(is_known) {
            return;
        }
        self.checked = Some(now.monotonic);
        if let Some(time) = now.time.known() {
            let seconds = TlsTime::of(Some(time), time).seconds();
            let notices = self.expiry.check(&self.files, seconds);
            notices.into_iter().for_each(|notice| self.say(notice));
        }
        // The states and the days left are those of this moment.
        self.shown = None;
    }

    /// Publishes where anything differs from what is shown.
    fn show(&mut self, now: Now) {
        let mut status = Status {
            files: self.files.clone(),
            transfers: self.progress.clone(),
            unsecure_until: self.window.until(),
            time: now.time,
        };
        if let Some(shown) = &self.shown {
            status.time = shown.time;
            if status == *shown {
                return;
            }
        }
        self.shown = Some(status.clone());
        self.outputs.push_back(Output::Publish(status));
    }

    fn say(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    fn answer(&mut self, answer: Answer, outcome: Result<String, String>) {
        let outcome = outcome.map_err(OperationError::Failed);
        self.outputs.push_back(Output::Answer(answer, outcome));
    }
}

fn installed(place: &Place, content: &[u8]) -> String {
    let digest = hex(&digest(content));
    format!("{} is installed, SHA-256 of the file {digest}", place.file)
}

/// From one look at the dates to the next.
const CHECK: Duration = Duration::from_secs(3600);
const BUSY: &str = "too much is under way: try again";
const NOT_STARTED: &str =
    "not started since the device was; a transfer that ran then was interrupted";

#[cfg(test)]
mod tests {
    use super::super::guards::guards;

    use super::super::operations::{DELETE, INSTALL, TRANSFER};
    use super::super::testing::{Authority, Leaf, NOW, YEAR};
    use super::super::url::Source;
    use super::*;
    use crate::schema::Name;
    use crate::tree::{Backing, Configured, Operation, Subscription, Tree, Value};
    use std::sync::mpsc;

    /// A device: its tree, its engine, and what the engine wanted.
    struct Device {
        tree: Tree,
        engine: Engine,
        subscription: Subscription,
        keyring: Arc<Keyring>,
        start: Instant,
        now: Now,
        fetches: Vec<(Job, Order)>,
        aborted: Vec<Job>,
        said: Vec<String>,
        shown: Option<Status>,
    }

    impl Device {
        fn new() -> Self {
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
                engine: Engine::new(keyring.clone(), unit),
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
            };
            device.read_tree();
            device
        }

        fn set(&mut self, wishes: &[(&str, Value)]) {
            let mut txn = Transaction::new(Actor::local());
            for (name, value) in wishes {
                txn.assign(Name::parse(name).expect("a name"), value.clone());
            }
            self.tree.commit_and_wait(txn, 0).expect("granted");
            self.read_tree();
        }

        fn read_tree(&mut self) {
            self.give(Input::Settings(Settings::read(&self.tree.snapshot())));
            for command in self.subscription.commands() {
                self.give(Input::Command(command));
            }
        }

        fn give(&mut self, input: Input) {
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
                    Output::Notice(notice) => self.said.push(notice.text),
                }
            }
        }

        fn invoke(
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

        fn after(&mut self, seconds: u64) {
            self.now.monotonic = self.start + Duration::from_secs(seconds);
            let passed = i64::try_from(seconds).expect("small");
            self.now.time = TlsTime::Known(NOW + passed);
            self.give(Input::Timeout);
        }

        fn progress(&self, row: u32) -> (State, &str) {
            let progress = &self.shown.as_ref().expect("shown").transfers[&row];
            (progress.state, progress.reason.as_str())
        }

        fn fetched(&mut self, content: &str) {
            let (job, _) = self.fetches.pop().expect("a fetch");
            let content = Zeroizing::new(content.as_bytes().to_vec());
            self.give(Input::Fetched(job, Ok(content)));
        }
    }

    const URL: &str = "Cert.Transfer[Index=1].Url";
    const START: &str = "Cert.Transfer[Index=1].Start";
    const TYPE: &str = "Cert.Transfer[Index=1].Type";
    const ACTIVATE: &str = "Cert.UnsecureTransferActivate";

    fn start(device: &mut Device, url: &str) {
        device.set(&[
            (URL, Value::from(url)),
            (TYPE, Value::Integer(200)),
            (START, Value::Integer(10)),
        ]);
    }

    #[test]
    fn a_transfer_runs_and_is_installed_in_the_name_of_who_started_it() {
        let mut device = Device::new();
        start(&mut device, "https://files.example/%serial%.pem");
        assert_eq!(device.progress(1), (State::Running, ""));
        let url = device.fetches[0].1.url.to_string();
        assert_eq!(url, "https://files.example/42.pem");
        device.fetched(&Authority::new("Root").pem());
        assert_eq!(device.progress(1), (State::Done, ""));
        assert_eq!(device.keyring.anchors().iter().count(), 1);
        let who = device.tree.instances();
        let who = who.read(&Name::parse("Conf.LastCommit").expect("a name"));
        let who = who.and_then(|who| Some(String::from_utf8_lossy(who.as_octets()?).into_owned()));
        assert!(who.expect("said").starts_with("admin by local"));
        assert!(
            device
                .said
                .iter()
                .any(|said| said.contains("42.pem installed"))
        );
    }

    #[test]
    fn without_tls_nothing_is_fetched_until_it_is_activated_and_again_after_that_expired() {
        let mut device = Device::new();
        for url in ["http://files.example/a.pem", "file:///etc/a.pem"] {
            start(&mut device, url);
            let (state, reason) = device.progress(1);
            assert_eq!(state, State::Failed);
            assert!(
                reason.contains("Cert.UnsecureTransferActivate=activate"),
                "{reason}"
            );
        }
        assert!(device.fetches.is_empty());
        device.set(&[(ACTIVATE, Value::Integer(10))]);
        let until = device.shown.as_ref().and_then(|shown| shown.unsecure_until);
        assert_eq!(
            until.map(|until| until.to_string()).as_deref(),
            Some("2026-01-01 00:10:00")
        );
        let said = device.said.last().expect("said");
        assert_eq!(
            said,
            "unsecure certificate transfer was activated by admin by local, until 2026-01-01 00:10:00"
        );
        device.after(599);
        start(&mut device, "http://files.example/a.pem");
        assert!(matches!(device.fetches[0].1.url.source, Source::Http(..)));
        device.fetched(&Authority::new("Root").pem());
        device.after(600);
        start(&mut device, "http://files.example/a.pem");
        assert_eq!(device.progress(1).0, State::Failed);
        assert!(device.said.iter().any(|said| said.ends_with("is over")));
        let shown = device.shown.as_ref().and_then(|shown| shown.unsecure_until);
        assert_eq!(shown, None);
    }

    #[test]
    fn a_row_that_runs_is_not_started_twice_and_ends_with_its_row() {
        let mut device = Device::new();
        start(&mut device, "https://files.example/a.pem");
        device.set(&[(START, Value::Integer(10))]);
        assert_eq!(device.fetches.len(), 1);
        device.set(&[("Cert.Transfer[Index=1].Delete", Value::Integer(10))]);
        assert_eq!(device.aborted, [device.fetches[0].0]);
        device.fetched(&Authority::new("Root").pem());
        assert!(device.keyring.anchors().is_empty());
    }

    #[test]
    fn what_is_fetched_but_cannot_be_installed_is_a_failure_with_its_reason() {
        let mut device = Device::new();
        start(&mut device, "https://files.example/a.pem");
        device.fetched("hello");
        let why = "the file is neither PEM text nor a DER certificate";
        assert_eq!(device.progress(1), (State::Failed, why));
        let said = format!("transfer 1 failed: https://files.example/a.pem: {why}");
        assert!(device.said.contains(&said), "{:?}", device.said);
    }

    #[test]
    fn a_transfer_under_way_at_a_restart_is_told_apart_from_one_that_is_new() {
        let mut device = Device::new();
        start(&mut device, "https://files.example/a.pem");
        device.engine = Engine::new(device.keyring.clone(), Unit::default());
        device.read_tree();
        let (state, reason) = device.progress(1);
        assert_eq!(state, State::Idle);
        assert!(reason.contains("interrupted"), "{reason}");
        device.set(&[("Cert.Transfer[Index=2].Url", Value::from(""))]);
        assert_eq!(device.progress(2), (State::Idle, ""));
    }

    #[test]
    fn a_file_is_installed_replaced_and_deleted_by_operations() {
        let mut device = Device::new();
        let root = Authority::new("Root");
        let place = [
            ("FileName", "a.pem"),
            ("Type", "host"),
            ("Associate", "Sip"),
        ];
        for name in ["one", "two"] {
            let leaf = root.issue(Leaf::new(name));
            let file = leaf.pem() + &leaf.key_pem();
            let answer = device.invoke(&INSTALL, &place, Some(&file)).recv();
            let text = answer.expect("an answer").expect("installed");
            assert!(text.starts_with("a.pem is installed, SHA-256"), "{text}");
        }
        let files = &device.shown.as_ref().expect("shown").files;
        let first = files[0].certificates.as_ref().expect("readable")[0].clone();
        assert_eq!(
            (files.len(), first.subject.to_string()),
            (1, "CN=two".to_owned())
        );
        let delete = |device: &mut Device| device.invoke(&DELETE, &place[..2], None).recv();
        let answer = delete(&mut device).expect("an answer");
        assert_eq!(answer, Ok("a.pem deleted".to_owned()));
        let lacking = "Sip has no host certificate left to be a TLS server: no host certificate is \
                       installed: add one with demarc cert add --type host FILE";
        assert!(
            device.said.iter().any(|said| said == lacking),
            "{:?}",
            device.said
        );
        let answer = delete(&mut device).expect("an answer");
        let none = "there is no host certificate a.pem".to_owned();
        assert_eq!(answer, Err(OperationError::Failed(none)));
    }

    #[test]
    fn a_bad_argument_is_answered_at_once() {
        let mut device = Device::new();
        let root = Authority::new("Root").pem();
        type Case<'a> = (&'a [(&'static str, &'a str)], Option<&'a str>, &'a str);
        let cases: [Case<'_>; 4] = [
            (
                &[("FileName", "a/b"), ("Type", "other")],
                Some(&root),
                "FileName: the file name holds",
            ),
            (
                &[("FileName", "a"), ("Type", "both")],
                Some(&root),
                "Type is host or other",
            ),
            (
                &[("FileName", "a"), ("Type", "host")],
                None,
                "Cert.Install needs a file",
            ),
            (
                &[("FileName", "a"), ("Type", "host")],
                Some(&root),
                "the file has no private key",
            ),
        ];
        for (arguments, blob, why) in cases {
            let answer = device.invoke(&INSTALL, arguments, blob).recv();
            let error = answer.expect("an answer").expect_err("refused").to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }

    #[test]
    fn a_transfer_by_operation_answers_when_the_file_is_installed() {
        let mut device = Device::new();
        let arguments = [("Url", "https://files.example/ca.pem"), ("Type", "other")];
        let answer = device.invoke(&TRANSFER, &arguments, None);
        assert!(answer.try_recv().is_err());
        device.fetched(&Authority::new("Root").pem());
        let text = answer.recv().expect("an answer").expect("installed");
        assert_eq!(text, "https://files.example/ca.pem is installed");
        let arguments = [("Url", "http://files.example/ca.pem"), ("Type", "other")];
        let answer = device.invoke(&TRANSFER, &arguments, None);
        assert!(answer.recv().expect("an answer").is_err());
    }

    #[test]
    fn weak_tls_is_stored_warned_of_once_and_not_used() {
        let mut device = Device::new();
        let version = "Cert.TransferHttpsTlsVersion";
        device.set(&[(version, Value::Integer(200))]);
        device.set(&[("Cert.TransferHttpsCipherSuite", Value::Integer(100))]);
        let raised = device.said.iter().filter(|said| said.contains("acts as"));
        assert_eq!(
            raised.collect::<Vec<_>>(),
            [
                "Cert.TransferHttpsTlsVersion=tLSv1 is stored but acts as tLSv1-2",
                "Cert.TransferHttpsCipherSuite=cS1 is stored but acts as cS3",
            ]
        );
    }

    #[test]
    fn the_dates_are_looked_at_once_an_hour_and_when_the_time_becomes_known() {
        let mut device = Device::new();
        device.now.time = TlsTime::Floor(NOW + YEAR - 5 * 86_400);
        let place = [("FileName", "ca.pem"), ("Type", "other")];
        let root = Authority::new("Root").pem();
        device.invoke(&INSTALL, &place, Some(&root));
        let expires = |device: &Device| {
            let said = device.said.iter();
            said.filter(|said| said.starts_with("authority ca.pem expires"))
                .count()
        };
        assert_eq!(expires(&device), 0);
        device.now.time = TlsTime::Known(NOW + YEAR - 5 * 86_400);
        device.give(Input::Timeout);
        assert_eq!(expires(&device), 1);
        assert_eq!(device.engine.deadline(), Some(device.start + CHECK));
        device.now.time = TlsTime::Known(NOW + YEAR - 86_000);
        device.now.monotonic += CHECK - Duration::from_secs(1);
        device.give(Input::Timeout);
        assert_eq!(expires(&device), 1);
        device.now.monotonic += Duration::from_secs(1);
        device.give(Input::Timeout);
        assert_eq!(expires(&device), 2);
    }

    #[test]
    fn nothing_is_published_that_is_shown_already() {
        let mut device = Device::new();
        device.shown = None;
        device.after(10);
        assert_eq!(device.shown, None);
    }
}
