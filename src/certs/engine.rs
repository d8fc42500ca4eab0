//! The certificates of a device: settings, commands and what was fetched in;
//! commits, fetches, status and notices out.
//!
//! The one owner of what is kept and what is under way. It fills the keyring
//! and leaves everything that waits to whoever runs it.

mod operations;
#[cfg(test)]
mod testing;
mod transfers;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::expiry::Expiry;
use super::keeper::{Change, Keeper, Listed};
use super::keyring::Keyring;
use super::ledger::Ledger;
use super::settings::{Settings, TransferTls};
use super::status::Status;
use super::time::{Now, TlsTime};
use super::transfer::{Order, TransferFailure};
use super::url::Unit;
use super::window::Window;
use super::work::{Job, Work, Works};
use crate::schema::cert;
use crate::schema::cert::transfer;
use crate::tree::messages::SETTING_RAISED;
use crate::tree::notice::Notice;
use crate::tree::{Answer, Command, Invocation, OperationError, Outcome, Transaction};

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
    /// Keep this over a restart.
    Keep(Vec<u8>),
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
    ledger: Ledger,
    works: Works,
    shown: Option<Status>,
    /// When the dates are to be looked at again.
    due: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl Engine {
    /// Knows no settings yet, the first of which fill the keyring; `kept` is
    /// what the last [`Output::Keep`] before the restart said.
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, unit: Unit, kept: &[u8]) -> Self {
        Self {
            keyring,
            unit,
            settings: None,
            keeper: Keeper::default(),
            files: Vec::new(),
            expiry: Expiry::default(),
            window: Window::default(),
            ledger: Ledger::recall(kept),
            works: Works::default(),
            shown: None,
            due: None,
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
        self.keyring.set_clear(self.window.clear());
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
        self.due.into_iter().chain(self.window.ends()).min()
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
        self.due = None;
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

    /// Once an hour, when a certificate becomes valid or ends, and whenever
    /// files or the knowledge of the time have changed.
    fn watch_dates(&mut self, now: Now) {
        let is_known = now.time.known().is_some();
        let was_known = self
            .shown
            .as_ref()
            .map(|shown| shown.time.known().is_some());
        let fresh = self.due.is_some_and(|at| now.monotonic < at);
        if fresh && was_known == Some(is_known) {
            return;
        }
        self.due = Some(now.monotonic + self.until_next_look(now.time));
        if let Some(time) = now.time.known() {
            let seconds = TlsTime::of(Some(time), time).seconds();
            let notices = self.expiry.check(&self.files, seconds);
            notices.into_iter().for_each(|notice| self.say(notice));
        }
        // The states and the days left are those of this moment.
        self.shown = None;
    }

    fn until_next_look(&self, time: TlsTime) -> Duration {
        let TlsTime::Known(now) = time else {
            return CHECK;
        };
        let files = self.files.iter();
        let certificates = files.flat_map(|file| file.certificates.iter().flatten());
        let turn = certificates.filter_map(|it| it.turn(now)).min();
        let left = turn.and_then(|turn| u64::try_from(turn.saturating_sub(now)).ok());
        left.map_or(CHECK, Duration::from_secs).min(CHECK)
    }

    /// Publishes where anything differs from what is shown.
    fn show(&mut self, now: Now) {
        let rows = self.settings.iter();
        let rows = rows.flat_map(|settings| settings.transfers.keys());
        let mut status = Status {
            files: self.files.clone(),
            transfers: rows.map(|row| (*row, self.ledger.of(*row))).collect(),
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

/// From one look at the dates to the next.
const CHECK: Duration = Duration::from_secs(3600);
const BUSY: &str = "too much is under way: try again";

#[cfg(test)]
mod tests {
    use super::super::operations::INSTALL;
    use super::super::service::Service;
    use super::super::testing::{Authority, Leaf, NOW, YEAR};
    use super::super::usage::Purpose;
    use super::testing::Device;
    use super::*;
    use crate::schema::Name;
    use crate::tree::Value;

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
    fn the_end_of_a_certificate_is_said_in_the_second_after_its_last() {
        let mut device = Device::new();
        let dates = Leaf::new("leaf").dates(NOW - YEAR, NOW + 10);
        let leaf = Authority::new("Root").issue(dates);
        let file = leaf.pem() + &leaf.key_pem();
        let place = [("FileName", "a.pem"), ("Type", "host")];
        device.invoke(&INSTALL, &place, Some(&file));
        let end = device.start + Duration::from_secs(11);
        assert_eq!(device.engine.deadline(), Some(end));
        device.after(11);
        let expired = "certificate a.pem expired on 2026-01-01 00:00:10";
        assert!(device.said.iter().any(|said| said == expired));
    }

    #[test]
    fn an_installed_certificate_that_expires_stays_listed_and_is_used_no_longer() {
        let mut device = Device::new();
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let file = leaf.pem() + &leaf.key_pem();
        let place = [("FileName", "a.pem"), ("Type", "host")];
        device.invoke(&INSTALL, &place, Some(&file));
        let host = || device.keyring.host_for(Service::Sip, Purpose::SipServer);
        assert!(host().is_ok());
        device.keyring.clock().set(TlsTime::Known(NOW + YEAR + 1));
        let why = host().expect_err("expired").to_string();
        assert!(why.starts_with("the host certificate a.pem is expired: "));
        device.after((YEAR + 1).unsigned_abs());
        let expired = "certificate a.pem expired on 2027-01-01 00:00:00";
        assert!(device.said.iter().any(|said| said == expired));
        let shown = device.shown.as_ref().expect("shown");
        device.tree.live().publish(|live| shown.publish(live));
        let row = "Cert.CertificateDetail[Store=host,FileName=a.pem,Position=1]";
        let read = |column: &str| {
            let name = Name::parse(&format!("{row}.{column}")).expect("a name");
            let value = device.tree.instances().read(&name).expect("shown");
            value.display(&name.column.get().syntax)
        };
        assert_eq!(read("State"), "expired");
        assert_eq!(read("DaysLeft"), "-1");
    }

    #[test]
    fn nothing_is_published_that_is_shown_already() {
        let mut device = Device::new();
        device.shown = None;
        device.after(10);
        assert_eq!(device.shown, None);
    }
}
