//! Does what transfers want: files fetched and sent, scripts run, images
//! installed. At most one at a time; what becomes of it comes back.

use super::Around;
use super::file::{self, Sink};
use super::staging::Firmware;
use crate::north::cwmp::fault::Code;
use crate::north::cwmp::transfers::{Failure, Heard, Kind, Transfer, Wanted};
use crate::schema::Index;
use crate::schema::conf::pending_change;
use crate::tree::{Actor, Face, Outcome, Rights, Transaction, Tree};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet, spawn_blocking};
use zeroize::Zeroizing;

/// What files are made of and put into use by, outside this face.
pub struct Files {
    /// Runs a script.
    pub script: RunScript,
    /// The configuration as a script.
    pub export: Arc<dyn Fn() -> String + Send + Sync>,
    /// The local log.
    pub log: Arc<dyn Fn() -> String + Send + Sync>,
    /// Images.
    pub firmware: Firmware,
}

/// Runs a script in somebody's name; where it changes how the ACS is reached,
/// that is undone after so many seconds. The version that it made, or all that
/// is wrong with it.
pub type RunScript = Arc<dyn Fn(Vec<u8>, Actor, Option<u32>) -> Running + Send + Sync>;

/// A script that runs.
pub type Running = Pin<Box<dyn Future<Output = Result<u32, String>> + Send>>;

/// See the head of the file.
pub(super) struct Mover {
    files: Arc<Files>,
    around: Around,
    tree: Tree,
    send: mpsc::Sender<Heard>,
    tasks: JoinSet<()>,
    /// What can be ended before its end.
    moving: Option<AbortHandle>,
}

impl Mover {
    pub(super) fn new(
        files: Arc<Files>,
        around: Around,
        tree: Tree,
        send: mpsc::Sender<Heard>,
    ) -> Self {
        Self {
            files,
            around,
            tree,
            send,
            tasks: JoinSet::new(),
            moving: None,
        }
    }

    /// Does what is wanted; `at` is in seconds since 1970, 0 while unknown.
    pub(super) fn carry(&mut self, wanted: Wanted, at: u64) {
        // Those that have ended are let go of.
        while self.tasks.try_join_next().is_some() {}
        let (files, around) = (self.files.clone(), self.around.clone());
        match wanted {
            Wanted::Abort(_) => {
                if let Some(moving) = self.moving.take() {
                    moving.abort();
                }
            }
            Wanted::Fetch(row, transfer) => self.move_file(async move {
                Heard::Fetched(row, fetched(&transfer, &around, files).await)
            }),
            Wanted::Send(row, transfer) => self.move_file(async move {
                let content = match transfer.kind() {
                    Some(Kind::Log) => (files.log)(),
                    _ => (files.export)(),
                };
                Heard::Sent(
                    row,
                    file::send(&transfer, &around, content.into_bytes()).await,
                )
            }),
            Wanted::Apply(row, wishes) => {
                let tree = self.tree.clone();
                self.put_to_use(
                    async move { Heard::Applied(row, applied(&tree, wishes, at).await) },
                );
            }
            Wanted::RunScript(row, script, within) => {
                let tree = self.tree.clone();
                let actor = Actor {
                    face: Face::Cwmp,
                    user: "acs".to_owned(),
                    address: String::new(),
                    rights: Rights::Admin,
                };
                let run = (files.script)(script.to_vec(), actor, within);
                self.put_to_use(async move {
                    let ran = run.await.map(|version| provisional(&tree, version));
                    Heard::Applied(row, ran.map_err(unusable))
                });
            }
            Wanted::Install(row) => self.put_to_use(async move {
                let installed = spawn_blocking(move || files.firmware.install()).await;
                let lost = |_| Err(Failure::new(Code::InternalError, "the installer is lost"));
                Heard::Installed(row, installed.unwrap_or_else(lost))
            }),
            Wanted::Recall(row) => self.put_to_use(async move {
                let recalled = spawn_blocking(move || files.firmware.recall()).await;
                let lost = |_| Err(Failure::new(Code::InternalError, "the installer is lost"));
                Heard::Recalled(row, recalled.unwrap_or_else(lost))
            }),
        }
    }

    fn move_file(&mut self, task: impl Future<Output = Heard> + Send + 'static) {
        self.moving = Some(self.spawn(task));
    }

    fn put_to_use(&mut self, task: impl Future<Output = Heard> + Send + 'static) {
        self.moving = None;
        self.spawn(task);
    }

    fn spawn(&mut self, task: impl Future<Output = Heard> + Send + 'static) -> AbortHandle {
        let send = self.send.clone();
        self.tasks.spawn(async move {
            let heard = task.await;
            // Nobody listens any longer: the service stops.
            let _ = send.send(heard).await;
        })
    }
}

async fn fetched(
    transfer: &Transfer,
    around: &Around,
    files: Arc<Files>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let sink = match transfer.kind() {
        Some(Kind::Firmware) => Sink::Staged(Box::new(files.firmware.stage()?)),
        _ => Sink::Memory(Zeroizing::new(Vec::new())),
    };
    match file::fetch(transfer, around, sink).await? {
        Sink::Memory(octets) => Ok(octets),
        Sink::Nowhere => Ok(Zeroizing::default()),
        Sink::Staged(staging) => {
            let staged = spawn_blocking(move || staging.finish()).await;
            let lost = |_| Err(Failure::new(Code::InternalError, "the image is lost"));
            staged.unwrap_or_else(lost).map(|()| Zeroizing::default())
        }
    }
}

async fn applied(tree: &Tree, wishes: Transaction, at: u64) -> Result<u32, Failure> {
    let (send, receive) = oneshot::channel::<Outcome>();
    tree.commit(wishes, at, move |outcome| {
        // Whoever waits below is there until it has come.
        let _ = send.send(outcome);
    });
    let outcome = receive.await.unwrap_or_else(|_| Err(Vec::new()));
    match outcome {
        Ok(committed) => {
            let version = u32::try_from(committed.version).unwrap_or(u32::MAX);
            Ok(provisional(tree, version))
        }
        Err(refusals) => {
            let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            Err(unusable(reasons.join("; ")))
        }
    }
}

/// The version, where it may still be undone; else 0.
fn provisional(tree: &Tree, version: u32) -> u32 {
    let snapshot = tree.snapshot();
    let pending = snapshot.row(pending_change::TABLE, &Index::number(version));
    pending.map_or(0, |_| version)
}

fn unusable(why: String) -> Failure {
    Failure::new(Code::TransferCorrupted, why)
}
