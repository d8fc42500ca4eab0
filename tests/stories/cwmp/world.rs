//! A client, a tree, a clock, and an ACS that is a queue of answers.
//!
//! The ACS writes its own XML and reads answers as text: nothing of the
//! device's own reader judges the device.

use demarc::north::cwmp::client::{
    Announcement, Body, Client, Input, Moment, Output, Trouble, TroubleKind,
};
use demarc::north::cwmp::session::Heard;
use demarc::north::cwmp::settings::Settings;
use demarc::north::cwmp::status::Status;
use demarc::north::cwmp::transfers::{self, Wanted};
use demarc::schema::{Name, Value};
use demarc::tree::{Actor, Configured, Outcome, Publication, Subscription, Transaction, Tree};
use demarc::wire::soap::message::DeviceIdStruct;
use demarc::wire::soap::print;
use demarc::wire::time::UnixTime;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) const URL: &str = "http://acs.example:7547/cwmp?x=1";

/// Everything around one client.
pub(crate) struct World {
    pub(crate) tree: Tree,
    client: Client,
    start: Instant,
    elapsed: Duration,
    known: bool,
    settings: Settings,
    /// What the ACS will answer, one for each post; after them an empty one.
    script: VecDeque<Answer>,
    /// What was posted; "" for an empty message.
    pub(crate) posts: Vec<String>,
    pub(crate) urls: Vec<String>,
    pub(crate) closed: usize,
    pub(crate) reboots: usize,
    pub(crate) resets: usize,
    pub(crate) proven: Vec<u64>,
    pub(crate) status: Option<Status>,
    /// The next change is still on its way to disk when its session is cut.
    pub(crate) cuts_at_change: bool,
    /// Transfers that are to be moved or put into use.
    pub(crate) wanted: Vec<Wanted>,
    /// Lightweight notifications that were sent.
    pub(crate) announced: Vec<Announcement>,
    watch: Option<Subscription>,
    /// The tree has said that something published has changed.
    woken: Arc<AtomicBool>,
}

#[derive(Clone)]
pub(crate) enum Answer {
    Envelope(String),
    Nothing,
    Trouble(TroubleKind),
}

/// An envelope as some ACS writes it; its namespace is cwmp-1-0.
pub(crate) fn acs(id: &str, body: &str) -> Answer {
    Answer::Envelope(format!(
        "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:E=\"http://schemas.xmlsoap.org/soap/encoding/\" \
         xmlns:D=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:I=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:C=\"urn:dslforum-org:cwmp-1-0\"><S:Header>\
         <C:ID S:mustUnderstand=\"1\">{id}</C:ID></S:Header><S:Body>{body}</S:Body></S:Envelope>"
    ))
}

pub(crate) fn informed() -> Answer {
    acs(
        "1",
        "<C:InformResponse><MaxEnvelopes>1</MaxEnvelopes></C:InformResponse>",
    )
}

pub(crate) fn set(values: &[(&str, &str)], key: &str) -> Answer {
    let values: String = values
        .iter()
        .map(|(name, value)| {
            format!(
                "<ParameterValueStruct><Name>{name}</Name>\
                 <Value I:type=\"D:string\">{value}</Value></ParameterValueStruct>"
            )
        })
        .collect();
    acs(
        "set",
        &format!(
            "<C:SetParameterValues><ParameterList>{values}</ParameterList>\
             <ParameterKey>{key}</ParameterKey></C:SetParameterValues>"
        ),
    )
}

pub(crate) fn notify(path: &str, level: u8) -> Answer {
    acs(
        "attributes",
        &format!(
            "<C:SetParameterAttributes><ParameterList><SetParameterAttributesStruct>\
             <Name>{path}</Name><NotificationChange>1</NotificationChange>\
             <Notification>{level}</Notification><AccessListChange>0</AccessListChange>\
             <AccessList/></SetParameterAttributesStruct></ParameterList></C:SetParameterAttributes>"
        ),
    )
}

impl World {
    /// A device that knows its ACS and the time, and has not started.
    pub(crate) fn new() -> Self {
        let backing = demarc::tree::Backing::Memory;
        let guards = demarc::certs::guards();
        let (tree, _) = Tree::open(backing, guards, Vec::new()).expect("memory opens");
        let mut world = Self {
            client: client(&tree),
            settings: Settings::read(&tree.snapshot()),
            tree,
            start: Instant::now(),
            elapsed: Duration::ZERO,
            known: true,
            script: VecDeque::new(),
            posts: Vec::new(),
            urls: Vec::new(),
            closed: 0,
            reboots: 0,
            resets: 0,
            proven: Vec::new(),
            status: None,
            cuts_at_change: false,
            wanted: Vec::new(),
            announced: Vec::new(),
            watch: None,
            woken: Arc::default(),
        };
        world.assign("Cwmp.AcsUrlConfigSource", Value::Integer(200));
        world.assign("Cwmp.AcsStaticUrl", URL.into());
        world
    }

    /// As new, started, and through its first session.
    pub(crate) fn bootstrapped() -> Self {
        let mut world = Self::new();
        world.answers([informed()]);
        world.start();
        world.posts.clear();
        world.urls.clear();
        world.proven.clear();
        world.closed = 0;
        world
    }

    /// The power was away: what is in the tree is all that is left.
    pub(crate) fn restart(&mut self) {
        self.client = client(&self.tree);
        self.start();
    }

    pub(crate) fn start(&mut self) {
        self.settings = Settings::read(&self.tree.snapshot());
        let settings = Box::new(self.settings.clone());
        self.input(Input::Settings(settings));
    }

    pub(crate) fn answers(&mut self, answers: impl IntoIterator<Item = Answer>) {
        self.script.extend(answers);
    }

    pub(crate) fn assign(&mut self, name: &str, value: Value) {
        let mut txn = Transaction::new(Actor::local());
        txn.assign(Name::parse(name).expect("a name"), value);
        self.tree.commit_and_wait(txn, 0).expect("granted");
    }

    /// Assigns while the client runs, which hears of it.
    pub(crate) fn change(&mut self, name: &str, value: Value) {
        self.assign(name, value);
        self.follow();
        self.input(Input::Wake);
    }

    /// The client looks at what nobody tells it of.
    pub(crate) fn look(&mut self) {
        self.input(Input::Wake);
    }

    /// Some engine publishes; the client hears of it only where it watches.
    pub(crate) fn publish(&mut self, batch: impl FnOnce(&mut Publication<'_>)) {
        self.tree.live().publish(batch);
        if self.woken.swap(false, Ordering::Relaxed) {
            self.input(Input::Wake);
        }
    }

    pub(crate) fn read(&self, name: &str) -> Value {
        let name = Name::parse(name).expect("a name");
        self.tree.instances().read(&name).expect("it is there")
    }

    /// Somebody at the unit would like a file.
    pub(crate) fn wish_for(&mut self, file_type: &str) {
        self.input(Input::RequestDownload(file_type.to_owned()));
    }

    /// What the ACS would have answered yet.
    pub(crate) fn forget_answers(&mut self) {
        self.script.clear();
    }

    /// What became of a transfer.
    pub(crate) fn moved(&mut self, heard: transfers::Heard) {
        self.input(Input::Transfer(heard));
    }

    /// Commits what a transfer wants applied, and tells how that went.
    pub(crate) fn apply(&mut self) {
        let Some(Wanted::Apply(row, wishes)) = self.wanted.pop() else {
            panic!("there is something to be applied");
        };
        let outcome = self.tree.commit_and_wait(wishes, 0);
        self.follow();
        let version = outcome.expect("granted").version;
        let version = u32::try_from(version).expect("small");
        let pending = self.tree.pending_changes();
        let waits = pending.iter().any(|change| change.version == version);
        let version = if waits { version } else { 0 };
        self.moved(transfers::Heard::Applied(row, Ok(version)));
    }

    /// What waits for it is confirmed, or undone, by the device or by hand.
    pub(crate) fn decide(&mut self, stays: bool) {
        for change in self.tree.pending_changes() {
            let (send, receive) = std::sync::mpsc::channel();
            let done = move |outcome: Outcome| send.send(outcome.is_ok()).expect("it waits");
            let (version, by) = (change.version, Actor::device());
            match stays {
                true => self.tree.confirm(version, &by, 0, done),
                false => self.tree.go_back(version, &by, 0, done),
            }
            assert!(receive.recv().expect("an outcome"));
        }
        self.follow();
        self.input(Input::Wake);
    }

    /// The device cannot start again.
    pub(crate) fn stays(&mut self) {
        self.input(Input::Stays);
    }

    pub(crate) fn ask_for_a_session(&mut self) {
        self.input(Input::ConnectionRequest);
    }

    /// Lets time pass, waking the client when it wants to be.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.elapsed + span;
        while let Some(at) = self.client.wake_at() {
            let at = at.saturating_duration_since(self.start);
            if at > end {
                break;
            }
            self.elapsed = self.elapsed.max(at);
            self.input(Input::Wake);
        }
        self.elapsed = end;
    }

    /// Until the client wants to be woken, in seconds.
    pub(crate) fn wait(&self) -> Option<u64> {
        let at = self.client.wake_at()?;
        let now = self.start + self.elapsed;
        Some(at.saturating_duration_since(now).as_secs())
    }

    pub(crate) fn forget_the_time(&mut self) {
        self.known = false;
    }

    pub(crate) fn now(&self) -> Moment {
        Moment {
            tick: self.start + self.elapsed,
            wall: self
                .known
                .then(|| UnixTime::from_secs(1_800_000_000).plus(self.elapsed)),
            chance: 0,
        }
    }

    fn input(&mut self, input: Input) {
        let now = self.now();
        self.client.handle(now, &self.tree.instances(), input);
        while let Some(output) = self.client.poll() {
            self.obey(output);
        }
        if self.woken.swap(false, Ordering::Relaxed) {
            self.input(Input::Wake);
        }
    }

    fn follow(&mut self) {
        let settings = Settings::read(&self.tree.snapshot());
        if settings != self.settings {
            self.settings = settings.clone();
            let now = self.now();
            let input = Input::Settings(Box::new(settings));
            self.client.handle(now, &self.tree.instances(), input);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Post(post) => {
                self.urls.push(post.url);
                let printed = self.printed(post.body);
                keep(&printed);
                self.posts.push(printed);
                let answer = self.script.pop_front().unwrap_or(Answer::Nothing);
                let input = match answer {
                    Answer::Envelope(text) => Input::Heard(Heard::Message(text.into_bytes())),
                    Answer::Nothing => Input::Heard(Heard::Nothing),
                    Answer::Trouble(kind) => Input::Failed(cut(kind)),
                };
                let now = self.now();
                self.client.handle(now, &self.tree.instances(), input);
            }
            Output::Change(wishes) => {
                let outcome = self.tree.commit_and_wait(wishes, 0);
                if std::mem::take(&mut self.cuts_at_change) {
                    self.input(Input::Failed(cut(TroubleKind::NotResponding)));
                }
                self.follow();
                let now = self.now();
                let input = Input::Changed(outcome);
                self.client.handle(now, &self.tree.instances(), input);
            }
            Output::PutIntoUse { row, wishes } => {
                let outcome = self.tree.commit_and_wait(wishes, 0);
                self.follow();
                let now = self.now();
                let input = Input::Put { row, outcome };
                self.client.handle(now, &self.tree.instances(), input);
            }
            Output::Keep(wishes) => {
                self.tree.commit_and_wait(wishes, 0).expect("granted");
                self.follow();
            }
            Output::Close => self.closed += 1,
            Output::Proven(version) => self.proven.push(version),
            Output::Publish(status) => {
                self.tree.live().publish(|live| status.publish(live));
                self.status = Some(*status);
            }
            Output::Say(_) => {}
            Output::Transfer(wanted) => self.wanted.push(wanted),
            Output::Announce(announcement) => self.announced.push(announcement),
            Output::Watch(tables) => {
                let woken = self.woken.clone();
                let wake = move || woken.store(true, Ordering::Relaxed);
                self.watch = Some(self.tree.live().watch(tables, wake));
            }
            Output::Reboot => self.reboots += 1,
            Output::FactoryReset => self.resets += 1,
        }
    }

    fn printed(&self, body: Body) -> String {
        let mut octets = Vec::new();
        match body {
            Body::Nothing => {}
            Body::Message(message) => print(&message, &mut octets).expect("a Vec"),
            Body::Values {
                namespace,
                header,
                selection,
            } => {
                let model = &self.settings.model;
                let printed = selection.print(namespace, &header, model, &mut octets);
                printed.expect("a Vec");
            }
        }
        String::from_utf8(octets).expect("UTF-8")
    }
}

fn cut(kind: TroubleKind) -> Trouble {
    Trouble {
        kind,
        reason: "the wire was cut".to_owned(),
        pause: None,
    }
}

fn client(tree: &Tree) -> Client {
    let who = DeviceIdStruct {
        manufacturer: "Demarc".into(),
        oui: "0090F8".into(),
        product_class: "Demarc".into(),
        serial_number: "S1".into(),
    };
    Client::new(who, &tree.instances())
}

/// Where `DEMARC_ENVELOPES` names a folder, every envelope that a story's ACS
/// is sent is left there, for the Broadband Forum's schemas to judge. The
/// fault that is SOAP's own (a header that is not understood, SOAP 1.1 §4.4)
/// is not: no schema of CWMP has it.
fn keep(envelope: &str) {
    let Some(folder) = std::env::var_os("DEMARC_ENVELOPES") else {
        return;
    };
    if envelope.is_empty() || envelope.contains("MustUnderstand</faultcode>") {
        return;
    }
    let test = std::thread::current();
    let test = test.name().unwrap_or("main").replace("::", "-");
    let mut names = (0..).map(|number| format!("{test}-{number}.xml"));
    let mut file = names
        .find_map(|name| File::create_new(Path::new(&folder).join(name)).ok())
        .expect("a name that is free");
    file.write_all(envelope.as_bytes()).expect("written");
}

/// The texts of an element, wherever it stands.
pub(crate) fn texts(message: &str, element: &str) -> Vec<String> {
    let open = format!("<{element}>");
    let close = format!("</{element}>");
    let mut found = Vec::new();
    let mut rest = message;
    while let Some(at) = rest.find(&open) {
        rest = &rest[at + open.len()..];
        let end = rest.find(&close).expect("it closes");
        found.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    found
}

/// The event codes of an Inform.
pub(crate) fn events(message: &str) -> Vec<String> {
    assert!(message.contains("<cwmp:Inform>"), "{message}");
    texts(message, "EventCode")
}
