//! A device of which only the tree and the certificates run.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use demarc::certs::io::{Lookup, Memory, Ports, Runner};
use demarc::certs::{Keyring, TlsTime, Unit, guards};
use demarc::schema::Name;
use demarc::tree::{Actor, Backing, OperationError, Transaction, Tree, Value};
use demarc::wire::time::UnixTime;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::pki::NOW;

pub(crate) struct Device {
    pub(crate) tree: Tree,
    pub(crate) keyring: Arc<Keyring>,
    said: Arc<Mutex<Vec<String>>>,
    kept: Arc<Mutex<Vec<u8>>>,
    known: Arc<AtomicBool>,
    time_changed: Arc<Notify>,
    running: JoinHandle<()>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Device {
    /// It is NOW, and every name is an address of this machine.
    pub(crate) fn start() -> Self {
        let (tree, _) = Tree::open(Backing::Memory, guards(), vec![]).expect("memory");
        Self::start_on(tree, Arc::default(), Arc::new(true.into()))
    }

    /// As `start`, but for the time, which nobody knows yet.
    pub(crate) fn start_without_time() -> Self {
        let (tree, _) = Tree::open(Backing::Memory, guards(), vec![]).expect("memory");
        Self::start_on(tree, Arc::default(), Arc::new(false.into()))
    }

    /// It is known to be NOW from now on.
    pub(crate) fn learn_time(&self) {
        self.known.store(true, Ordering::Relaxed);
        self.time_changed.notify_one();
    }

    /// As a new process finds what this one leaves.
    pub(crate) fn restart(self) -> Self {
        self.running.abort();
        Self::start_on(self.tree.clone(), self.kept.clone(), self.known.clone())
    }

    fn start_on(tree: Tree, kept: Arc<Mutex<Vec<u8>>>, known: Arc<AtomicBool>) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let log = said.clone();
        tree.on_notice(move |notice| log.lock().expect("a log").push(notice.text.clone()));
        let now = UnixTime::from_secs(NOW);
        let keyring = Arc::new(Keyring::new(TlsTime::of(None, now)));
        let lookup: Lookup = Arc::new(|_| Box::pin(async { vec![Ipv4Addr::LOCALHOST.into()] }));
        let unit = Unit {
            serial: "S42".to_owned(),
            mac: "0200000000aa".to_owned(),
            ..Unit::default()
        };
        let keeping = kept.clone();
        let clock = known.clone();
        let time_changed = Arc::new(Notify::new());
        let runner = Runner::prepare(Ports {
            tree: tree.clone(),
            keyring: keyring.clone(),
            unit,
            time: Arc::new(move || TlsTime::of(clock.load(Ordering::Relaxed).then_some(now), now)),
            time_changed: time_changed.clone(),
            lookup,
            memory: Memory {
                kept: kept.lock().expect("octets").clone(),
                keep: Box::new(move |octets| *keeping.lock().expect("octets") = octets.to_vec()),
            },
        });
        Self {
            tree,
            keyring,
            said,
            kept,
            known,
            time_changed,
            running: tokio::spawn(runner.run()),
        }
    }

    pub(crate) fn set(&self, wishes: &[(&str, Value)]) {
        let mut txn = Transaction::new(Actor::local());
        for (name, value) in wishes {
            txn.assign(Name::parse(name).expect("a name"), value.clone());
        }
        self.tree.commit_and_wait(txn, NOW).expect("granted");
    }

    /// What a face reads there, as text; "-" for nothing.
    pub(crate) fn read(&self, name: &str) -> String {
        let name = Name::parse(name).expect("a name");
        let value = self.tree.instances().read(&name);
        value.map_or_else(
            || "-".to_owned(),
            |value| value.display(&name.column.get().syntax),
        )
    }

    /// Waits until a face reads `value` there.
    pub(crate) async fn wait_for(&self, name: &str, value: &str) {
        let reads = async {
            while self.read(name) != value {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = timeout(Duration::from_secs(10), reads).await;
        assert!(
            waited.is_ok(),
            "{name} is {} and not {value}",
            self.read(name)
        );
    }

    /// Trusts an authority, as an operator makes it.
    pub(crate) async fn trust(&self, pem: &str) {
        let arguments = [("FileName", "ca.pem"), ("Type", "other")];
        let answer = self.invoke("Cert.Install", &arguments, Some(pem)).await;
        answer.expect("installed");
    }

    pub(crate) async fn invoke(
        &self,
        operation: &str,
        arguments: &[(&str, &str)],
        blob: Option<&str>,
    ) -> Result<String, OperationError> {
        let (send, receive) = oneshot::channel();
        let arguments: Vec<(String, String)> = arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let answer = Box::new(move |outcome| send.send(outcome).expect("the test waits"));
        let blob = blob.map(|blob| blob.as_bytes().to_vec());
        self.tree
            .invoke(Actor::local(), operation, &arguments, blob, answer);
        receive.await.expect("an answer")
    }

    /// Fetches other certificates by row 1 of the transfer table; its state and reason at the end.
    pub(crate) async fn transfer(&self, url: &str, more: &[(&str, Value)]) -> (String, String) {
        let mut wishes = vec![
            ("Cert.Transfer[Index=1].Url", Value::from(url)),
            ("Cert.Transfer[Index=1].Type", Value::Integer(200)),
            (
                "Cert.Transfer[Index=1].FileName",
                Value::from("fetched.pem"),
            ),
            ("Cert.Transfer[Index=1].Start", Value::Integer(10)),
        ];
        wishes.extend(more.iter().map(|(name, value)| (*name, value.clone())));
        let finished = self.finished();
        self.set(&wishes);
        let ends = async {
            while self.finished() == finished {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let ended = timeout(Duration::from_secs(10), ends).await;
        assert!(ended.is_ok(), "the transfer does not end");
        let state = self.read("Cert.Transfer[Index=1].State");
        (state, self.read("Cert.Transfer[Index=1].Reason"))
    }

    /// How many transfers have been done or have failed.
    fn finished(&self) -> usize {
        let said = self.said.lock().expect("a log");
        let ends = said.iter().filter(|text| text.starts_with("transfer "));
        ends.count()
    }
}
