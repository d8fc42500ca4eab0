//! What the tree says of changes and of the services that act by them.
//!
//! For the log and for status: who made or was refused a change, and how far
//! each service has followed. Names and reasons only, never a value.

use super::actor::Actor;
use super::audit::listed;
use super::commit::Outcome;
use super::device_tree::Tree;
use super::messages;
use super::notice::Notice;
use super::refusal::Refusal;
use crate::schema::conf::{self, service_version};
use crate::schema::{self, Index, Name, ServiceId, TableId, Typed};
use crate::wire::time::UnixTime;

/// The longest `lastRefusal`, in octets.
const LONGEST_REFUSAL: usize = 255;
/// The longest `serviceVersionLastError`, in octets.
const LONGEST_ERROR: usize = 1024;

impl Tree {
    /// An engine says which version it acts by, and what it could not do ("" all done).
    pub fn applied(&self, service: ServiceId, version: u64, error: &str) {
        let name = service.get().name;
        self.follows(name, version);
        self.troubled(name, error);
    }

    /// As [`Tree::applied`], of the version that stands, for a service by its name.
    pub fn applied_named(&self, service: &str, error: &str) {
        if let Some(service) = schema::service(service) {
            self.applied(service, self.snapshot().version(), error);
        }
    }

    /// A service acts by this version; what it cannot do stays as it was said.
    pub fn follows(&self, service: &str, version: u64) {
        let (index, version) = (Index::text(service), version.to_string());
        if self
            .shown(service_version::APPLIED_VERSION, &index)
            .as_ref()
            == Some(&version)
        {
            return;
        }
        let new = self.shown(service_version::LAST_ERROR, &index).is_none();
        self.live().publish(|live| {
            live.set(service_version::APPLIED_VERSION, &index, &version);
            if new {
                live.set(service_version::LAST_ERROR, &index, "");
            }
        });
        self.notify(&messages::CHANGE_APPLIED.with([&service, &version]));
    }

    /// What a service could not do as configured; "" where it does everything.
    pub fn troubled(&self, service: &str, error: &str) {
        let index = Index::text(service);
        let error = &error[..error.floor_char_boundary(LONGEST_ERROR)];
        if self.shown(service_version::LAST_ERROR, &index).as_deref() == Some(error) {
            return;
        }
        self.live()
            .publish(|live| live.set(service_version::LAST_ERROR, &index, error));
        if !error.is_empty() {
            self.notify(&messages::SERVICE_FAILED.with([&service, &error]));
        }
    }

    fn shown<K>(&self, column: Typed<K>, index: &Index) -> Option<String> {
        let name = Name {
            column: column.id(),
            index: index.clone(),
        };
        let value = self.instances().read(&name)?;
        let octets = value.as_octets().unwrap_or_default();
        Some(String::from_utf8_lossy(octets).into_owned())
    }

    /// Hears the outcome first, to say a refusal; then `done` does.
    pub(super) fn saying_refusals(
        &self,
        actor: Actor,
        at: u64,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) -> impl FnOnce(Outcome) + Send + 'static {
        let tree = self.clone();
        move |outcome: Outcome| {
            if let Err(refusals) = &outcome {
                tree.refused(&actor, at, refusals);
            }
            // Whoever hears the outcome may close the store: this must not be its last handle.
            drop(tree);
            done(outcome);
        }
    }

    fn refused(&self, actor: &Actor, at: u64, refusals: &[Refusal]) {
        let why = first_of(refusals);
        let (face, address) = (actor.face.word(), place(actor));
        let notice = messages::CHANGE_REFUSED.with([&actor.user, &face, &address, &why]);
        self.notify(&notice);
        let time = match at {
            0 => String::new(),
            seconds => UnixTime::from_secs(seconds).to_string(),
        };
        let line = format!("{time} {actor}: {why}");
        let line = line.trim_start();
        let line = &line[..line.floor_char_boundary(LONGEST_REFUSAL)];
        self.live()
            .publish(|live| live.scalar(conf::LAST_REFUSAL, line));
    }
}

/// The log record of a commit: who changed what, never to which value.
pub(super) fn committed(actor: &Actor, version: u64, rows: &[(TableId, Index)]) -> Notice {
    let (face, objects) = (actor.face.word(), listed(rows));
    messages::CHANGE_COMMITTED.with([&actor.user, &face, &place(actor), &version, &objects])
}

fn place(actor: &Actor) -> &str {
    match actor.address.as_str() {
        "" => "here",
        address => address,
    }
}

/// The first reason, and how many more there are.
fn first_of(refusals: &[Refusal]) -> String {
    let first = refusals.first().map(ToString::to_string);
    let first = first.unwrap_or_default();
    match refusals.len() {
        0 | 1 => first,
        count => format!("{first}, and {} more", count - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Transaction, Value};
    use std::sync::{Arc, Mutex};

    /// A tree, and everything that it says at any severity.
    fn listening() -> (Tree, Arc<Mutex<Vec<String>>>) {
        let tree = Tree::in_memory();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        tree.on_notice(move |notice| heard.lock().expect("unpoisoned").push(notice.text.clone()));
        (tree, said)
    }

    fn taken(said: &Mutex<Vec<String>>) -> Vec<String> {
        std::mem::take(&mut *said.lock().expect("unpoisoned"))
    }

    fn shown(tree: &Tree, name: &str) -> String {
        let name = Name::parse(name).expect("a name");
        let value = tree.instances().read(&name).expect("it is there");
        value.display(&name.column.get().syntax)
    }

    #[test]
    fn a_refused_change_is_said_and_shown_with_its_first_reason() {
        let (tree, said) = listening();
        let mut txn = Transaction::new(Actor::local());
        for (name, value) in [
            ("Hoc.SntpSynchronizationPeriod", Value::Unsigned(0)),
            ("Hoc.SystemUptime", Value::from("x")),
        ] {
            txn.assign(Name::parse(name).expect("a name"), value);
        }
        tree.commit_and_wait(txn, 1_800_000_000)
            .expect_err("refused");
        let why =
            "Hoc.SntpSynchronizationPeriod: wrong value, it takes a number 1..1440, and 1 more";
        assert_eq!(
            taken(&said),
            [format!("admin by local from here was refused: {why}")]
        );
        assert_eq!(
            shown(&tree, "Conf.LastRefusal"),
            format!("2027-01-15 08:00:00 admin by local: {why}")
        );
    }

    #[test]
    fn a_service_that_fails_says_so_once_and_its_error_goes_when_it_is_mended() {
        let (tree, said) = listening();
        tree.follows("SipEp", 7);
        let error = "gateway default: port 5060 is in use";
        tree.troubled("SipEp", error);
        tree.troubled("SipEp", error);
        let row = "Conf.ServiceVersion[Name=SipEp]";
        assert_eq!(shown(&tree, &format!("{row}.LastError")), error);
        assert_eq!(
            taken(&said),
            [
                "service SipEp applied version 7".to_owned(),
                format!("service SipEp failed: {error}")
            ]
        );
        tree.troubled("SipEp", "");
        tree.follows("SipEp", 7);
        assert_eq!(taken(&said), [""; 0]);
        assert_eq!(shown(&tree, &format!("{row}.LastError")), "");
        assert_eq!(shown(&tree, &format!("{row}.AppliedVersion")), "7");
    }
}
