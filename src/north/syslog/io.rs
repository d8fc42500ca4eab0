//! The handle that engines log through, and the socket to the receiver.
//!
//! [`Logger`] may be cloned and used from any thread: it keeps a notice, shows
//! it to tracing with the device's name, and wakes [`send`], the only part
//! here that waits. Logging never waits for the network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep_until, timeout};

use super::log::{Input, Log, Output};
use super::ring::Entry;
use super::settings::{Identity, Settings};
use super::status::Counters;
use crate::tree::notice::{Notice, Service, Severity};
use crate::wire::time::UnixTime;

/// The time of day, where it is known.
pub type TimeOfDay = Box<dyn Fn() -> Option<UnixTime> + Send + Sync>;

/// Finds the best address of a name.
pub type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// A look-up under way.
pub type Looking = Pin<Box<dyn Future<Output = Option<IpAddr>> + Send>>;

/// The log of one device, for everybody on it.
#[derive(Clone)]
pub struct Logger {
    shared: Arc<Shared>,
}

struct Shared {
    device: String,
    log: Mutex<Log>,
    time: TimeOfDay,
    wake: Notify,
    newest: watch::Sender<u64>,
}

impl Logger {
    /// A log with default settings.
    pub fn new(identity: Identity, time: TimeOfDay) -> Logger {
        let shared = Shared {
            device: identity.device.clone(),
            log: Mutex::new(Log::new(identity)),
            time,
            wake: Notify::new(),
            newest: watch::Sender::new(0),
        };
        Logger {
            shared: Arc::new(shared),
        }
    }

    /// Logs a notice.
    pub fn say(&self, notice: Notice) {
        self.give(Input::Notice(notice));
    }

    /// Whether a message would be logged.
    pub fn wants(&self, service: Service, severity: Severity) -> bool {
        self.log().wants(service, severity)
    }

    /// Takes new settings.
    pub fn configure(&self, settings: Settings) {
        self.give(Input::Settings(settings));
    }

    /// The kept entries after a number, the oldest first; all of them after 0.
    pub fn since(&self, number: u64) -> Vec<Arc<Entry>> {
        self.log().since(number).cloned().collect()
    }

    /// The number of the newest entry, as it grows.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.shared.newest.subscribe()
    }

    /// The scalars of the local log.
    pub fn counters(&self) -> Counters {
        self.log().counters()
    }

    fn give(&self, input: Input) {
        let unix = (self.shared.time)();
        let kept = self.log().handle(Instant::now(), unix, input);
        if let Some(entry) = kept {
            trace(&self.shared.device, &entry.notice);
            let number = entry.number;
            self.shared.newest.send_if_modified(|newest| {
                let grows = number > *newest;
                *newest = number.max(*newest);
                grows
            });
        }
        self.shared.wake.notify_one();
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A log is whole between any two of its steps, so a panic elsewhere spoils nothing.
        self.shared
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn idle(&self) {
        let deadline = self.log().deadline();
        let woken = self.shared.wake.notified();
        match deadline {
            Some(at) => tokio::select! {
                () = woken => {}
                () = sleep_until(at.into()) => {}
            },
            None => woken.await,
        }
    }
}

/// Sends to the receiver what is to be sent, for as long as it is polled.
pub async fn send(logger: Logger, lookup: Lookup) {
    let mut socket = None;
    loop {
        let output = logger.log().poll(Instant::now());
        match output {
            Some(Output::Resolve(host)) => {
                let looking = timeout(LOOKUP_LIMIT, lookup(host.clone()));
                let address = looking.await.ok().flatten();
                logger.give(Input::Resolved { host, address });
            }
            Some(Output::Send { to, octets }) => match pass(&mut socket, to, &octets).await {
                Ok(()) => logger.give(Input::Sent),
                Err(error) => logger.give(Input::Unsent(error.to_string())),
            },
            None => logger.idle().await,
        }
    }
}

async fn pass(socket: &mut Option<UdpSocket>, to: SocketAddr, octets: &[u8]) -> io::Result<()> {
    let fits = |socket: &UdpSocket| {
        socket
            .local_addr()
            .is_ok_and(|local| local.is_ipv4() == to.is_ipv4())
    };
    if !socket.as_ref().is_some_and(fits) {
        *socket = Some(UdpSocket::bind((unspecified(to), 0)).await?);
    }
    if let Some(socket) = socket {
        socket.send_to(octets, to).await?;
    }
    Ok(())
}

fn unspecified(to: SocketAddr) -> IpAddr {
    match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Shows a notice to the process's subscriber.
fn trace(device: &str, notice: &Notice) {
    let (id, service, text) = (notice.name(), notice.service.name(), &notice.text);
    match notice.severity {
        Severity::Debug => tracing::debug!(device, service, id, "{text}"),
        Severity::Info => tracing::info!(device, service, id, "{text}"),
        Severity::Warning => tracing::warn!(device, service, id, "{text}"),
        Severity::Error => tracing::error!(device, service, id, "{text}"),
        Severity::Critical => tracing::error!(device, service, id, critical = true, "{text}"),
    }
}

const LOOKUP_LIMIT: Duration = Duration::from_secs(9);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::messages;
    use crate::wire::host_port::HostPort;

    #[tokio::test]
    async fn a_notice_reaches_the_receiver_and_whoever_follows() {
        let receiver = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let port = receiver.local_addr().expect("bound").port();
        let identity = Identity {
            device: "gw1".into(),
            process: None,
        };
        let logger = Logger::new(identity, Box::new(|| None));
        logger.configure(Settings {
            remote_host: HostPort::parse(&format!("log.example.com:{port}")).expect("valid"),
            ..Settings::default()
        });
        let lookup: Lookup = Arc::new(|_| Box::pin(async { Some(Ipv4Addr::LOCALHOST.into()) }));
        let task = tokio::spawn(send(logger.clone(), lookup));
        let mut follower = logger.follow();
        logger.say(messages::STORE_FULL.with([]));
        follower.changed().await.expect("the logger lives");
        assert_eq!(logger.since(0)[0].notice.name(), "800.30");
        let mut octets = [0; 2048];
        let length = timeout(Duration::from_secs(5), receiver.recv(&mut octets)).await;
        let length = length.expect("in time").expect("received");
        let line = String::from_utf8_lossy(&octets[..length]).into_owned();
        assert!(line.starts_with("<130>1 - - demarc - 800.30 ["), "{line}");
        task.abort();
    }
}
