//! What each setting of the log changes in what is kept and sent.

use std::time::Instant;

use demarc::north::syslog::settings::{Identity, Settings};
use demarc::north::syslog::{Input, Log, Output};
use demarc::schema::{self, Name, Value};
use demarc::tree::notice::{Notice, Service, Severity};
use demarc::tree::{Actor, Configured, Transaction, Tree};

/// A log that is told what a tree says.
struct World {
    tree: Tree,
    log: Log,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let identity = Identity {
            device: "gw1".into(),
            process: None,
        };
        Self {
            tree: Tree::in_memory(),
            log: Log::new(identity),
            now: Instant::now(),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let name = Name::parse(name).expect("a name");
        let value = Value::parse(value, &name.column.get().syntax).expect("a value");
        let mut txn = Transaction::new(Actor::local());
        txn.assign(name, value);
        self.tree.commit_and_wait(txn, 0).expect("granted");
        let settings = Settings::read(&self.tree.snapshot());
        self.log.handle(self.now, None, Input::Settings(settings));
    }

    /// Whether a message of this service and severity is kept.
    fn keeps(&mut self, service: Service, severity: Severity) -> bool {
        let notice = Notice {
            service,
            id: 1,
            severity,
            text: "it happened".into(),
        };
        let kept = self.log.handle(self.now, None, Input::Notice(notice));
        kept.is_some()
    }

    /// The receivers and lines of what wants to leave.
    fn lines(&mut self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        while let Some(Output::Send { to, octets }) = self.log.poll(self.now) {
            let line = String::from_utf8(octets).expect("UTF-8");
            lines.push((to.to_string(), line));
            self.log.handle(self.now, None, Input::Sent);
        }
        lines
    }
}

#[test]
pub(crate) fn the_minimum_severity_of_each_service_says_what_of_it_is_kept() {
    let with = |service: &Service| Name::parse(&format!("{}.MinSeverity", service.name())).is_ok();
    let services: Vec<Service> = Service::ALL.into_iter().filter(with).collect();
    let columns = schema::columns().filter(|(_, it)| it.name == "minSeverity");
    assert_eq!(services.len(), columns.count());
    for service in services {
        let mut world = World::new();
        let name = format!("{}.MinSeverity", service.name());
        assert!(world.keeps(service, Severity::Warning), "{name}");
        assert!(!world.keeps(service, Severity::Info), "{name}");
        world.set(&name, "info");
        assert!(world.keeps(service, Severity::Info), "{name}");
        world.set(&name, "error");
        assert!(!world.keeps(service, Severity::Warning), "{name}");
        world.set(&name, "disable");
        assert!(!world.keeps(service, Severity::Critical), "{name}");
        let other = match service {
            Service::Bni => Service::Hoc,
            _ => Service::Bni,
        };
        assert!(
            world.keeps(other, Severity::Warning),
            "{name} is not its own"
        );
    }
}

#[test]
pub(crate) fn the_local_log_holds_as_many_messages_as_its_size_says() {
    let mut world = World::new();
    let filled = |world: &mut World| {
        for _ in 0..30 {
            world.keeps(Service::SipEp, Severity::Warning);
        }
        world.log.since(0).count()
    };
    assert_eq!(filled(&mut world), 30);
    world.set("Nlm.LocalLogSize", "20");
    assert_eq!(filled(&mut world), 20);
}

#[test]
pub(crate) fn lines_go_to_the_syslog_host_with_the_name_of_the_system() {
    let mut world = World::new();
    world.keeps(Service::SipEp, Severity::Warning);
    assert!(world.lines().is_empty());
    world.set("Nlm.SyslogRemoteHost", "192.0.2.7:1514");
    world.keeps(Service::SipEp, Severity::Warning);
    let lines = world.lines();
    assert_eq!(lines[0].0, "192.0.2.7:1514");
    assert!(!lines[0].1.contains(" gw.example.com "));
    world.set("Hoc.SystemName", "gw.example.com");
    world.keeps(Service::SipEp, Severity::Warning);
    assert!(world.lines()[0].1.contains(" gw.example.com "));
}
