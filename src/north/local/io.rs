//! The socket in the data folder, and its clients.
//!
//! The only part here that waits. A client that asks nothing costs a place
//! among [`CLIENTS`], and no more.

use super::answer::{Answer, Refused};
use super::desk::{Desk, Next, committed, invoked};
use super::log::Follow;
use super::place::{SOCKET_PATH, apart, beside};
use super::request::{REQUEST_LIMIT, Request};
use crate::north::script::{Run, Step};
use crate::tree::{Actor, OperationError, Outcome, Refusal, Transaction, Tree};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The time in seconds since 1970, 0 while unknown.
pub type Time = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Changes whenever the local log's table has a new entry.
pub type Grown = watch::Receiver<u64>;

/// Becomes true when the device stops.
pub type Leaving = watch::Receiver<bool>;

/// The bound socket; dropped, it leaves nothing behind.
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

/// Why the socket could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another device answers there.
    #[error("a device runs on {0} already")]
    Taken(PathBuf),
    /// The runtime folder belongs to somebody else or is open to others.
    #[error("{0} is not a folder of this user alone (0700)")]
    OpenToOthers(PathBuf),
    /// No folder is near enough to the root.
    #[error("the path of a socket in {0} is too long")]
    TooLong(PathBuf),
    /// The system refused.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

/// Clients served at once.
pub const CLIENTS: usize = 32;
/// The longest that an operation may take.
const OPERATION_LIMIT: Duration = Duration::from_secs(600);
/// The longest that answers on their way hold up a device that stops.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// The pause after the system refused to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Makes the socket of a data folder, which must be there; `runtime` is
    /// where it lies when the folder's path is too long.
    pub fn bind(folder: &Path, runtime: &Path) -> Result<Self, BindError> {
        let fault = |error| BindError::Io(folder.to_owned(), error);
        let real = folder.canonicalize().map_err(fault)?;
        let path = match beside(&real) {
            Some(path) => {
                // One that a device left here before the folder was moved.
                let _ = fs::remove_file(real.join(SOCKET_PATH));
                path
            }
            None => {
                private_folder(runtime)?;
                let too_long = || BindError::TooLong(runtime.to_owned());
                let path = apart(&real, runtime).ok_or_else(too_long)?;
                name(&real, &path).map_err(fault)?;
                path
            }
        };
        let socket = listen(&path)?;
        Ok(Self { socket, path })
    }

    /// Serves clients until the device stops; who waits for an answer then
    /// still gets it.
    ///
    /// `grown` changes whenever the local log's table has a new entry.
    pub async fn serve(self, desk: Desk, time: Time, grown: Grown, mut leaving: Leaving) {
        let mut clients = JoinSet::new();
        let told = leaving.clone();
        loop {
            tokio::select! {
                () = gone(&mut leaving) => break,
                Some(_) = clients.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) if clients.len() < CLIENTS => {
                        let client = Client::new(stream, grown.clone(), told.clone());
                        clients.spawn(attend(client, desk.clone(), time.clone()));
                    }
                    Ok((stream, _)) => turn_away(stream).await,
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            }
        }
        let answered = async { while clients.join_next().await.is_some() {} };
        // Whoever does not take its answer cannot hold up the device.
        let _ = timeout(LAST_ANSWERS, answered).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A socket that cannot be removed is found dead by the next device.
        let _ = fs::remove_file(&self.path);
    }
}

/// Where sockets lie that do not fit their data folder: `XDG_RUNTIME_DIR`, or
/// a folder of this user's below /tmp.
pub fn runtime_folder() -> PathBuf {
    let own = || {
        let user = fs::metadata("/proc/self").map_or(0, |process| process.uid());
        PathBuf::from(format!("/tmp/demarc-{user}"))
    };
    let set = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    set.filter(|path| path.is_absolute()).unwrap_or_else(own)
}

/// Makes a folder that only this user can enter, or checks that it is one.
fn private_folder(folder: &Path) -> Result<(), BindError> {
    let fault = |error| BindError::Io(folder.to_owned(), error);
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fault(error)),
        _ => {}
    }
    // Not followed: below /tmp, a link may be anybody's.
    let found = fs::symlink_metadata(folder).map_err(fault)?;
    let user = fs::metadata("/proc/self").map_or(found.uid(), |process| process.uid());
    let private = found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0;
    private
        .then_some(())
        .ok_or_else(|| BindError::OpenToOthers(folder.to_owned()))
}

/// Writes down where the socket is.
fn name(folder: &Path, socket: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file: File = options.open(folder.join(SOCKET_PATH))?;
    file.write_all(socket.as_os_str().as_bytes())?;
    file.write_all(b"\n")
}

fn listen(path: &Path) -> Result<UnixListener, BindError> {
    let fault = |error| BindError::Io(path.to_owned(), error);
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(BindError::Taken(path.to_owned()));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
        _ => {}
    }
    let socket = UnixListener::bind(path).map_err(fault)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(fault)?;
    Ok(socket)
}

/// Waits until the device stops.
async fn gone(leaving: &mut Leaving) {
    // A device without the other end has stopped too.
    let _ = leaving.wait_for(|leaving| *leaving).await;
}

async fn turn_away(mut stream: UnixStream) {
    let why = format!("{CLIENTS} clients are connected already");
    let refused = Refused::new("request", "resourceUnavailable", why);
    // Whoever does not wait for the answer does not need it.
    let _ = stream
        .write_all(&Answer::Refused(vec![refused]).line(false))
        .await;
}

/// One client; an error means that it went away.
async fn attend(mut client: Client, desk: Desk, time: Time) -> io::Result<()> {
    loop {
        let Some(line) = client.line().await? else {
            return Ok(());
        };
        if line.len() > REQUEST_LIMIT {
            let why = format!("a request has at most {REQUEST_LIMIT} octets");
            let refused = Refused::new("request", "tooLong", why);
            return client.answer(&Answer::Refused(vec![refused]), false).await;
        }
        match Request::read(&line) {
            Ok(request) => client.serve(&desk, &time, request).await?,
            Err(refused) => {
                let answer = Answer::Refused(vec![refused]);
                client.answer(&answer, false).await?;
            }
        }
    }
}

struct Client {
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
    grown: Grown,
    leaving: Leaving,
}

impl Client {
    fn new(stream: UnixStream, grown: Grown, leaving: Leaving) -> Self {
        let (reading, writing) = stream.into_split();
        Self {
            reading: BufReader::new(reading),
            writing,
            grown,
            leaving,
        }
    }

    /// The next line, one octet longer than the limit if it is too long; none
    /// when either side goes.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let limit = u64::try_from(REQUEST_LIMIT).unwrap_or(u64::MAX);
        let mut bounded = (&mut self.reading).take(limit + 1);
        let count = tokio::select! {
            count = bounded.read_until(b'\n', &mut line) => count?,
            () = gone(&mut self.leaving) => 0,
        };
        Ok((count > 0).then_some(line))
    }

    async fn answer(&mut self, answer: &Answer, more: bool) -> io::Result<()> {
        self.writing.write_all(&answer.line(more)).await
    }

    async fn serve(&mut self, desk: &Desk, time: &Time, request: Request) -> io::Result<()> {
        let answer = match desk.handle(request) {
            Next::Answer(answer) => answer,
            Next::Read(mut reading) => loop {
                let (answer, more) = reading.batch();
                self.answer(&answer, more).await?;
                if !more {
                    return Ok(());
                }
            },
            Next::Commit(txn) => committed(commit(desk.tree(), txn, time()).await),
            Next::Script(run, name) => run_script(desk.tree(), run, &name, time).await,
            Next::Invoke {
                operation,
                arguments,
                blob,
            } => {
                let outcome =
                    invoke(desk.tree(), Actor::local(), &operation, &arguments, blob).await;
                invoked(&operation, outcome)
            }
            Next::Log(follow, go_on) => return self.log(desk.tree(), follow, go_on).await,
        };
        self.answer(&answer, false).await
    }

    /// Entries as they come, until either side goes.
    async fn log(&mut self, tree: &Tree, mut place: Follow, go_on: bool) -> io::Result<()> {
        loop {
            self.grown.borrow_and_update();
            let lines = place.read(&tree.instances());
            let caught_up = lines.is_empty();
            if !caught_up || !go_on {
                let more = go_on || !caught_up;
                self.answer(&Answer::Log(lines), more).await?;
            }
            match (caught_up, go_on) {
                (false, _) => {}
                (true, false) => return Ok(()),
                (true, true) => tokio::select! {
                    // A follower that says anything, or leaves, no longer follows.
                    _ = self.reading.fill_buf() => return Ok(()),
                    changed = self.grown.changed() => if changed.is_err() { return Ok(()) },
                    () = gone(&mut self.leaving) => return Ok(()),
                },
            }
        }
    }
}

async fn run_script(tree: &Tree, mut run: Run, name: &str, time: &Time) -> Answer {
    run.check(&tree.operations());
    while let Some(step) = run.step() {
        match step {
            Step::Commit(txn) => run.committed(commit(tree, txn, time()).await),
            Step::Invoke(actor, call) => {
                let outcome = invoke(tree, actor, &call.operation, &call.arguments, None).await;
                run.answered(outcome);
            }
        }
    }
    let report = run.report();
    tree.notify(&report.notice(name));
    report.into()
}

async fn commit(tree: &Tree, txn: Transaction, at: u64) -> Outcome {
    let (send, receive) = oneshot::channel();
    tree.commit(txn, at, move |outcome| {
        // The client may be gone; the commit stands all the same.
        let _ = send.send(outcome);
    });
    let stopped = || Err(vec![Refusal::unavailable("the device stops")]);
    receive.await.unwrap_or_else(|_| stopped())
}

async fn invoke(
    tree: &Tree,
    actor: Actor,
    operation: &str,
    arguments: &[(String, String)],
    blob: Option<Vec<u8>>,
) -> Result<String, OperationError> {
    let (send, receive) = oneshot::channel();
    let answer = Box::new(move |outcome| {
        // The client may be gone; what was done is done.
        let _ = send.send(outcome);
    });
    tree.invoke(actor, operation, arguments, blob, answer);
    match timeout(OPERATION_LIMIT, receive).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(OperationError::Failed("its service stops".to_owned())),
        Err(_) => {
            let seconds = OPERATION_LIMIT.as_secs();
            let why = format!("no answer within {seconds} s; it may still be under way");
            Err(OperationError::Failed(why))
        }
    }
}
