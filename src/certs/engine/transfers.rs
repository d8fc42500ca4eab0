//! The transfers of an [`Engine`]: started by a row or an operation, fetched,
//! then installed by a commit in the name of whoever started them.

use zeroize::Zeroizing;

use super::{BUSY, Engine, Output};
use crate::certs::ledger::Progress;
use crate::certs::settings::Settings;
use crate::certs::time::Now;
use crate::certs::transfer::{TransferFailure, Wish};
use crate::certs::work::{Job, Transfer, Work};
use crate::schema::Index;
use crate::schema::cert::transfer::State;
use crate::tree::messages::{TRANSFER_DONE, TRANSFER_FAILED};
use crate::tree::{Actor, Answer, Transaction};

impl Engine {
    /// Rows that are no more are forgotten, and their transfers end.
    pub(super) fn settle_transfers(&mut self, settings: &Settings) {
        let is = |row: u32| settings.transfers.contains_key(&row);
        let gone = self.ledger.retain(is);
        for row in &gone {
            self.abort(*row);
        }
        if !gone.is_empty() {
            self.keep();
        }
    }

    /// The transfer of a row that is no more.
    fn abort(&mut self, row: u32) {
        if let Some(job) = self.works.of_row(row) {
            self.works.end(job);
            self.outputs.push_back(Output::Abort(job));
        }
    }

    pub(super) fn start_row(&mut self, now: Now, index: &Index, actor: Actor) {
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

    pub(super) fn start(
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

    pub(super) fn fetched(
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

    pub(super) fn end_transfer(
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
        self.ledger.set(row, progress);
        self.keep();
    }

    /// Before a fetch begins it is on record that it runs.
    fn keep(&mut self) {
        self.outputs.push_back(Output::Keep(self.ledger.kept()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Device;
    use super::*;
    use crate::certs::operations::TRANSFER;
    use crate::certs::testing::Authority;
    use crate::certs::url::Source;
    use crate::schema::Name;
    use crate::tree::Value;

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
    fn a_transfer_that_a_restart_interrupts_has_failed_and_waits_for_a_new_start() {
        let mut device = Device::new();
        start(&mut device, "https://files.example/a.pem");
        device.fetches.clear();
        for _ in 0..2 {
            device.restart();
            let (state, reason) = device.progress(1);
            assert_eq!(state, State::Failed);
            assert!(reason.starts_with("interrupted by a restart"), "{reason}");
        }
        assert!(device.fetches.is_empty());
        device.set(&[("Cert.Transfer[Index=2].Url", Value::from(""))]);
        assert_eq!(device.progress(2), (State::Idle, ""));
        device.set(&[(START, Value::Integer(10))]);
        assert_eq!(device.progress(1), (State::Running, ""));
        device.fetched(&Authority::new("Root").pem());
        device.restart();
        assert_eq!(device.progress(1), (State::Done, ""));
    }

    #[test]
    fn a_row_that_is_made_anew_knows_nothing_of_the_one_before() {
        let mut device = Device::new();
        start(&mut device, "http://files.example/a.pem");
        assert_eq!(device.progress(1).0, State::Failed);
        device.set(&[("Cert.Transfer[Index=1].Delete", Value::Integer(10))]);
        device.set(&[(URL, Value::from(""))]);
        device.restart();
        assert_eq!(device.progress(1), (State::Idle, ""));
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
}
