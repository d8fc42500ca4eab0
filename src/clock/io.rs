//! Socket and clocks for the SNTP client. The only file here that waits.
//!
//! Each request leaves from a port of its own, so that an answer can be
//! forged only by who sees the request (RFC 9109). Names are looked up by
//! whoever runs the device.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::client::{Client, Input, Output};
use super::settings::Settings;
use super::status::Status;
use super::time::{Reading, Time};
use crate::tree::notice::Notice;
use crate::wire::time::UnixTime;

/// Finds the addresses of a name, the best first; none where it has none.
pub type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// A look-up under way.
pub type Looking = Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>>;

/// What connects the clock with its device.
pub struct Ports {
    /// The settings, as they change.
    pub settings: watch::Receiver<Settings>,
    /// How the time is told.
    pub time: watch::Sender<Option<Time>>,
    /// What is to be shown, kept and logged.
    pub told: mpsc::Sender<Told>,
    /// Finds addresses.
    pub lookup: Lookup,
}

/// What the clock tells its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The live leaves.
    Status(Status),
    /// Keep this time over a restart.
    LastKnown(UnixTime),
    /// Log this.
    Notice(Notice),
}

/// Both clocks, now.
pub fn read_clocks() -> Reading {
    // A system clock before 1970 is as wrong as one that stands at it.
    let system = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Reading {
        monotonic: Instant::now(),
        system: UnixTime::EPOCH.plus(system),
    }
}

/// Runs the clock until its device is gone.
pub async fn run(mut client: Client, mut ports: Ports) {
    let mut wire = Wire::default();
    let settings = ports.settings.borrow_and_update().clone();
    let mut input = Input::Settings(settings);
    loop {
        client.handle(read_clocks(), input);
        let mut failed = None;
        while let Some(output) = client.poll() {
            failed = carry(&mut wire, &ports, output).await.or(failed);
            if ports.told.is_closed() {
                return;
            }
        }
        input = match failed {
            Some(failed) => failed,
            None => match wait(&mut wire, &mut ports.settings, client.deadline()).await {
                Some(input) => input,
                None => return,
            },
        };
    }
}

/// What is under way.
#[derive(Default)]
struct Wire {
    socket: Option<UdpSocket>,
    looking: Option<(String, Looking)>,
}

/// Does what the client wants; what failed at once is its next input.
async fn carry(wire: &mut Wire, ports: &Ports, output: Output) -> Option<Input> {
    let told = match output {
        Output::Resolve(host) => {
            wire.looking = Some((host.clone(), (ports.lookup)(host)));
            return None;
        }
        Output::Send { to, octets } => {
            let sent = send(to, &octets).await;
            let unreachable = sent.is_err().then_some(Input::Unreachable(to));
            wire.socket = sent.ok();
            return unreachable;
        }
        Output::Time(time) => {
            ports.time.send_replace(Some(time));
            return None;
        }
        Output::PersistLastKnown(time) => Told::LastKnown(time),
        Output::Publish(status) => Told::Status(status),
        Output::Event(event) => Told::Notice(event.notice()),
    };
    // Nobody listens any longer: `run` sees it and ends.
    let _ = ports.told.send(told).await;
    None
}

async fn send(to: SocketAddr, octets: &[u8]) -> io::Result<UdpSocket> {
    let local: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((local, 0)).await?;
    // Connected, so that the network can tell that nobody listens there.
    socket.connect(to).await?;
    socket.send(octets).await?;
    Ok(socket)
}

/// The next input; `None` when the device is gone.
async fn wait(
    wire: &mut Wire,
    settings: &mut watch::Receiver<Settings>,
    deadline: Option<Instant>,
) -> Option<Input> {
    tokio::select! {
        changed = settings.changed() => {
            changed.ok()?;
            Some(Input::Settings(settings.borrow_and_update().clone()))
        }
        input = receive(&mut wire.socket) => Some(input),
        input = look(&mut wire.looking) => Some(input),
        () = sleep(deadline) => Some(Input::Timeout),
    }
}

async fn receive(socket: &mut Option<UdpSocket>) -> Input {
    let Some(open) = socket else {
        return std::future::pending().await;
    };
    let mut octets = [0; DATAGRAM];
    let received = open.recv(&mut octets).await;
    match (received, open.peer_addr()) {
        (Ok(length), Ok(from)) => Input::Datagram {
            from,
            octets: octets[..length].to_vec(),
        },
        (_, peer) => {
            *socket = None;
            peer.map_or(Input::Timeout, Input::Unreachable)
        }
    }
}

async fn look(looking: &mut Option<(String, Looking)>) -> Input {
    let Some((host, future)) = looking else {
        return std::future::pending().await;
    };
    let addresses = future.await;
    let host = std::mem::take(host);
    *looking = None;
    Input::Resolved { host, addresses }
}

async fn sleep(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Room for a packet with extensions; what is longer is cut, and only the start is read.
const DATAGRAM: usize = 512;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::clock::Start;
    use crate::clock::settings::{ClockSource, ConfigSource};
    use crate::wire::host_port::HostPort;
    use crate::wire::sntp::{Packet, Timestamp};

    const BUILT: UnixTime = UnixTime::from_secs(1_780_000_000);

    async fn serve(socket: UdpSocket) {
        let mut octets = [0; 512];
        let (length, peer) = socket.recv_from(&mut octets).await.expect("a request");
        let mut answer = Packet::parse(&octets[..length]).expect("a request");
        let time = Timestamp::from_unix(UnixTime::from_secs(1_900_000_000));
        (answer.mode, answer.stratum, answer.originate) = (4, 1, answer.transmit);
        (answer.receive, answer.transmit) = (time, time);
        socket.send_to(&answer.print(), peer).await.expect("sent");
    }

    fn settings(servers: [&str; 2]) -> Settings {
        let mut settings = Settings {
            clock_source: ClockSource::Sntp,
            config_source: ConfigSource::Static,
            ..Settings::default()
        };
        for (slot, text) in settings.static_servers.iter_mut().zip(servers) {
            *slot = HostPort::parse(text).expect("valid");
        }
        settings
    }

    #[tokio::test]
    async fn a_dead_server_gives_way_to_a_live_one_found_by_name() {
        let dead = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let dead_at = dead.local_addr().expect("bound").to_string();
        drop(dead);
        let live = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let live_at = format!(
            "ntp.example.com:{}",
            live.local_addr().expect("bound").port()
        );
        let server = tokio::spawn(serve(live));
        let (_keep, settings) = watch::channel(settings([&dead_at, &live_at]));
        let (time, mut known) = watch::channel(None);
        let (told, mut heard) = mpsc::channel(64);
        let lookup: Lookup = Arc::new(|_| Box::pin(async { vec![Ipv4Addr::LOCALHOST.into()] }));
        let start = Start {
            build_date: BUILT,
            last_known: None,
        };
        let client = Client::new(start, Box::new(|| 0x1234_5678_9abc_def0));
        let task = tokio::spawn(run(
            client,
            Ports {
                settings,
                time,
                told,
                lookup,
            },
        ));
        let is_known = |time: &Option<Time>| time.is_some_and(|time| time.is_known());
        let known = timeout(Duration::from_secs(4), known.wait_for(is_known)).await;
        let time = known
            .expect("in time")
            .expect("the clock lives")
            .expect("told");
        let now = time.at(read_clocks()).expect("known");
        assert!(now.micros_since(UnixTime::from_secs(1_900_000_000)).abs() < 5_000_000);
        server.await.expect("served");
        let mut kept = false;
        while let Ok(told) = heard.try_recv() {
            kept |= matches!(told, Told::LastKnown(_));
        }
        assert!(kept);
        task.abort();
    }

    #[tokio::test]
    async fn the_clock_ends_with_its_device() {
        let (keep, settings) = watch::channel(Settings::default());
        let (time, _known) = watch::channel(None);
        let (told, _heard) = mpsc::channel(64);
        let lookup: Lookup = Arc::new(|_| Box::pin(async { Vec::new() }));
        let start = Start {
            build_date: BUILT,
            last_known: None,
        };
        let client = Client::new(start, Box::new(|| 1));
        let task = tokio::spawn(run(
            client,
            Ports {
                settings,
                time,
                told,
                lookup,
            },
        ));
        drop(keep);
        timeout(Duration::from_secs(2), task)
            .await
            .expect("in time")
            .expect("no panic");
    }
}
