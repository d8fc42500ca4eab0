//! The log's core: a notice in; a kept entry, and a line for the receiver, out.
//!
//! For `io`. Everything that passes its service's threshold is kept, and sent
//! where a receiver is set. What the log itself has to say goes the same way.
//! No socket and no clock here: the caller says when it is, on both clocks.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use super::ring::{Entry, Ring};
use super::sender::{Sender, Wish};
use super::settings::{Identity, Settings};
use super::status::Counters;
use crate::tree::notice::{Notice, Service, Severity};
use crate::wire::syslog::{self, Facility, Message};
use crate::wire::time::UnixTime;

/// What comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The settings as they are now.
    Settings(Settings),
    /// An engine says something.
    Notice(Notice),
    /// The receiver's address; `None` where its name has none.
    Resolved {
        /// The name that was looked up.
        host: String,
        /// Its best address.
        address: Option<IpAddr>,
    },
    /// A line left.
    Sent,
    /// The network did not take a line, for this reason.
    Unsent(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Look up the receiver's name.
    Resolve(String),
    /// Send a line to the receiver, and say how it went.
    Send {
        /// The receiver.
        to: SocketAddr,
        /// One message.
        octets: Vec<u8>,
    },
}

/// The log of one device.
#[derive(Debug)]
pub struct Log {
    identity: Identity,
    settings: Settings,
    ring: Ring,
    sender: Sender,
}

impl Log {
    /// A log with default settings.
    pub fn new(identity: Identity) -> Log {
        let settings = Settings::default();
        Log {
            identity,
            ring: Ring::new(settings.ring_size()),
            settings,
            sender: Sender::new(),
        }
    }

    /// Whether a message would be logged; saves the work of making one that would not.
    pub fn wants(&self, service: Service, severity: Severity) -> bool {
        self.settings.thresholds.pass(service, severity)
    }

    /// Takes one input, and gives what it made the log keep.
    ///
    /// `unix` is the time of day, where it is known.
    pub fn handle(
        &mut self,
        now: Instant,
        unix: Option<UnixTime>,
        input: Input,
    ) -> Option<Arc<Entry>> {
        let said = match input {
            Input::Settings(settings) => {
                self.ring.resize(settings.ring_size());
                self.sender.name(settings.remote_host.clone());
                self.settings = settings;
                None
            }
            Input::Notice(notice) => Some(notice),
            Input::Resolved { host, address } => self.sender.resolved(now, &host, address),
            Input::Sent => self.sender.sent(),
            Input::Unsent(why) => self.sender.unsent(&why),
        };
        self.keep(unix, said?)
    }

    /// The next thing to be done.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        self.sender.poll(now).map(|wish| match wish {
            Wish::Resolve(host) => Output::Resolve(host),
            Wish::Send { to, octets } => Output::Send { to, octets },
        })
    }

    /// When to poll again though nothing came in.
    pub fn deadline(&self) -> Option<Instant> {
        self.sender.deadline()
    }

    /// The kept entries after a number, the oldest first; all of them after 0.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.ring.since(number)
    }

    /// The scalars of the local log.
    pub fn counters(&self) -> Counters {
        self.ring.counters()
    }

    fn keep(&mut self, unix: Option<UnixTime>, notice: Notice) -> Option<Arc<Entry>> {
        if !self.wants(notice.service, notice.severity) {
            return None;
        }
        let entry = self.ring.push(unix, notice);
        if self.sender.wants() {
            self.sender.push(self.line(&entry));
        }
        Some(entry)
    }

    fn line(&self, entry: &Entry) -> Vec<u8> {
        let notice = &entry.notice;
        let message = Message {
            facility: Facility::default(),
            severity: severity(notice.severity),
            at: entry.at,
            host: &self.settings.host_name,
            process: self.identity.process,
            id: &notice.name(),
            device: &self.identity.device,
            service: notice.service.name(),
            text: &notice.text,
        };
        message.print()
    }
}

fn severity(severity: Severity) -> syslog::Severity {
    match severity {
        Severity::Debug => syslog::Severity::Debug,
        Severity::Info => syslog::Severity::Informational,
        Severity::Warning => syslog::Severity::Warning,
        Severity::Error => syslog::Severity::Error,
        Severity::Critical => syslog::Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::north::syslog::settings::{Threshold, Thresholds};
    use crate::tree::messages;
    use crate::wire::host_port::HostPort;

    struct World {
        log: Log,
        now: Instant,
    }

    impl World {
        fn new(remote: &str) -> World {
            let identity = Identity {
                device: "gw1".into(),
                process: Some(7),
            };
            let mut world = World {
                log: Log::new(identity),
                now: Instant::now(),
            };
            world.set(remote);
            world
        }

        fn set(&mut self, remote: &str) {
            self.give(Input::Settings(Settings {
                remote_host: HostPort::parse(remote).expect("valid"),
                host_name: "gw.example.com".into(),
                ..Settings::default()
            }));
        }

        fn give(&mut self, input: Input) -> Option<String> {
            let entry = self
                .log
                .handle(self.now, Some(UnixTime::from_secs(1_800_000_000)), input);
            entry.map(|entry| entry.notice.name())
        }

        fn say(&mut self) -> Option<String> {
            self.give(Input::Notice(
                messages::LINK_WAITS_FOR_TIME.with([&"default"]),
            ))
        }

        /// Sends all that wants to leave.
        fn lines(&mut self) -> Vec<String> {
            let mut lines = Vec::new();
            while let Some(Output::Send { octets, .. }) = self.log.poll(self.now) {
                lines.push(String::from_utf8(octets).expect("UTF-8"));
                self.give(Input::Sent);
            }
            lines
        }
    }

    #[test]
    fn a_notice_is_kept_and_sent_to_port_514_unless_another_is_set() {
        for (remote, port) in [("192.0.2.1:0", 514), ("192.0.2.1:5514", 5514)] {
            let mut world = World::new(remote);
            assert_eq!(world.say().as_deref(), Some("1400.150"));
            let Some(Output::Send { to, octets }) = world.log.poll(world.now) else {
                panic!("nothing to send");
            };
            assert_eq!(to, SocketAddr::from(([192, 0, 2, 1], port)));
            let line = String::from_utf8(octets).expect("UTF-8");
            assert_eq!(
                line,
                "<132>1 2027-01-15T08:00:00.000000Z gw.example.com demarc 7 1400.150 \
                 [demarc@32473 device=\"gw1\" service=\"SipEp\"] \
                 \u{feff}gateway default: Waiting for time synchronization"
            );
        }
    }

    #[test]
    fn without_a_receiver_nothing_is_sent_and_all_is_kept() {
        let mut world = World::new("");
        world.say();
        assert_eq!(world.log.poll(world.now), None);
        assert_eq!(world.log.since(0).count(), 1);
    }

    #[test]
    fn what_a_threshold_holds_back_is_neither_kept_nor_sent() {
        let mut world = World::new("192.0.2.1");
        let mut thresholds = Thresholds::default();
        thresholds.set(Service::SipEp, Threshold::Disabled);
        world.give(Input::Settings(Settings {
            thresholds,
            ..Settings::default()
        }));
        assert_eq!(world.say(), None);
        assert_eq!(world.log.since(0).count(), 0);
        assert_eq!(world.log.poll(world.now), None);
    }

    #[test]
    fn lines_wait_while_the_name_is_looked_up() {
        let mut world = World::new("log.example.com");
        world.say();
        let host = "log.example.com".to_owned();
        assert_eq!(
            world.log.poll(world.now),
            Some(Output::Resolve(host.clone()))
        );
        assert_eq!(world.log.poll(world.now), None);
        let address = Some(IpAddr::from([192, 0, 2, 9]));
        world.give(Input::Resolved { host, address });
        assert_eq!(world.lines().len(), 1);
    }

    #[test]
    fn a_name_without_address_is_said_once_and_tried_again() {
        let mut world = World::new("log.example.com");
        for round in 0..3 {
            let host = "log.example.com".to_owned();
            assert_eq!(
                world.log.poll(world.now),
                Some(Output::Resolve(host.clone()))
            );
            let said = world.give(Input::Resolved {
                host,
                address: None,
            });
            assert_eq!(said.is_some(), round == 0);
            world.now = world.log.deadline().expect("another try");
        }
    }

    #[test]
    fn what_the_queue_cannot_hold_is_counted_and_said_once() {
        let mut world = World::new("log.example.com");
        world.log.poll(world.now);
        for _ in 0..300 {
            world.say();
        }
        let host = "log.example.com".to_owned();
        let address = Some(IpAddr::from([192, 0, 2, 9]));
        world.give(Input::Resolved { host, address });
        let lines = world.lines();
        let said: Vec<&String> = lines
            .iter()
            .filter(|line| line.contains("were dropped"))
            .collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("44 messages to syslog server log.example.com were dropped"));
        assert_eq!(lines.len(), 257);
    }

    #[test]
    fn a_network_that_takes_nothing_is_said_once_and_feeds_no_loop() {
        let mut world = World::new("192.0.2.1");
        world.say();
        world.say();
        let mut said = 0;
        for _ in 0..10 {
            if world.log.poll(world.now).is_none() {
                break;
            }
            said += usize::from(world.give(Input::Unsent("no route".into())).is_some());
        }
        assert_eq!(said, 1);
        assert_eq!(world.log.poll(world.now), None);
    }

    #[test]
    fn an_address_is_looked_up_again_only_when_there_is_something_to_send() {
        let mut world = World::new("log.example.com");
        world.log.poll(world.now);
        let host = "log.example.com".to_owned();
        let address = Some(IpAddr::from([192, 0, 2, 9]));
        world.give(Input::Resolved {
            host: host.clone(),
            address,
        });
        world.now += Duration::from_secs(3600);
        assert_eq!(
            (world.log.poll(world.now), world.log.deadline()),
            (None, None)
        );
        world.say();
        assert_eq!(world.log.poll(world.now), Some(Output::Resolve(host)));
    }

    #[test]
    fn another_receiver_does_not_get_what_waited_for_the_first() {
        let mut world = World::new("log.example.com");
        world.say();
        world.set("192.0.2.1");
        assert!(world.lines().is_empty());
        world.say();
        assert_eq!(world.lines().len(), 1);
    }
}
