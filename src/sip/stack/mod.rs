//! The SIP stack: inputs in, outputs out, time as an argument.
//!
//! One value owns it all. [`Stack::handle`] takes in one fact,
//! [`Stack::poll`] gives what is to be done about it, and
//! [`Stack::next_deadline`] says when to come back with [`Input::Tick`]. No
//! socket, no clock and no task in here: the same inputs at the same times
//! give the same outputs.

mod answer;
mod arrive;
mod back;
mod calls;
mod core;
mod flow;
mod gateway;
mod inward;
mod leave;
mod outward;
mod peers;
mod run;
mod settle;
mod show;
mod watch;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use self::core::Core;
use self::gateway::Gateway;
use crate::sip::event::{Input, Output, SocketId, TimeOfDay};
use crate::sip::message::StatusCode;
use crate::sip::plan;
use crate::sip::session::Manner;
use crate::sip::settings::Settings;
use crate::sip::status::Status;
use crate::sip::transaction::table::User;
use arrive::Stream;
use back::Way;
use calls::Calls;

/// How long a stop waits for registrations to be removed.
pub const STOP: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    New,
    Running,
    Stopping(Instant),
    Done,
}

/// The SIP stack of one device.
#[derive(Debug)]
pub struct Stack {
    core: Core,
    gateways: BTreeMap<String, Gateway>,
    streams: BTreeMap<SocketId, Stream>,
    /// Streams that are gone and whose requests are still being answered, with their gateway.
    strays: BTreeMap<SocketId, String>,
    ways: Vec<Way>,
    /// None where nobody above makes or takes calls.
    calls: Option<Calls>,
    shown: Option<Status>,
    life: Life,
}

impl Stack {
    /// A stack that waits for its first settings. `seed` is the source of all its chance.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            core: Core::new(seed),
            gateways: BTreeMap::new(),
            streams: BTreeMap::new(),
            strays: BTreeMap::new(),
            ways: Vec::new(),
            calls: None,
            shown: None,
            life: Life::New,
        }
    }

    /// The same stack with a user of calls, who hears each [`Output::Call`];
    /// without one every INVITE is refused with 503.
    #[must_use]
    pub fn with_calls(mut self, manner: Manner) -> Self {
        self.calls = Some(Calls::new(manner));
        self
    }

    /// Takes in one fact.
    pub fn handle(&mut self, now: Instant, input: Input) {
        if self.life == Life::Done {
            return;
        }
        match input {
            Input::Settings(settings) => self.settle(now, &settings),
            Input::Time(time) => self.time(now, time),
            Input::NamesChanged => self.names_changed(now),
            Input::Listening { id, local } => self.listening(now, id, local),
            Input::ListenFailed { id, fault } => {
                for gateway in self.gateways.values_mut() {
                    if gateway.listen_failed(now, id, &fault) {
                        gateway.offer_datagrams(&mut self.core, now);
                    }
                }
            }
            Input::Datagram { id, peer, bytes } => self.datagram(now, id, peer, &bytes),
            Input::Undelivered { id, peer } => {
                for user in self.core.table.waiting_for(id, peer) {
                    for gateway in self.gateways.values_mut() {
                        gateway.undelivered(&mut self.core, now, user, peer);
                    }
                }
            }
            Input::Opened { id, local, session } => {
                self.opened(now, id, local, session.map(|it| *it));
            }
            Input::Advanced { id, stage } => {
                for gateway in self.gateways.values_mut() {
                    for link in gateway.links.values_mut().chain(&mut gateway.draining) {
                        link.advanced(now, id, stage);
                    }
                }
            }
            Input::Accepted {
                id,
                listener,
                local: _,
                peer,
            } => self.accepted(now, id, listener, peer),
            Input::Data { id, bytes } => self.data(now, id, &bytes),
            Input::Closed { id } => self.stream_ended(now, id, None),
            Input::Failed { id, fault } => self.stream_ended(now, id, Some(fault)),
            Input::Resolved { id, answer } => self.resolved(now, id, answer),
            Input::Call(order) => self.order(now, order),
            Input::Tick => {}
            Input::Shutdown => self.stop(now),
        }
        self.tick(now);
        self.close_silent(now);
        self.forget_closed();
        self.return_stranded(now);
        self.settle_calls(now);
        self.publish(now);
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Output> {
        self.core.out.pop_front()
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn next_deadline(&self) -> Option<Instant> {
        let stop = match self.life {
            Life::Done => return None,
            Life::Stopping(at) => Some(at),
            Life::New | Life::Running => None,
        };
        self.gateways
            .values()
            .filter_map(Gateway::next_deadline)
            .chain(self.core.table.next_deadline())
            .chain(self.ways.iter().filter_map(Way::deadline))
            .chain(self.next_silence())
            .chain(self.next_of_calls())
            .chain(stop)
            .min()
    }

    /// The name for a stream that a peer opened.
    pub fn accept_id(&mut self) -> SocketId {
        self.core.ids.socket()
    }

    /// The state of things, as it was published last.
    pub fn status(&self) -> Option<&Status> {
        self.shown.as_ref()
    }

    fn settle(&mut self, now: Instant, settings: &Settings) {
        if matches!(self.life, Life::Stopping(_) | Life::Done) {
            return;
        }
        let before = self.core.manner.clone();
        self.core.obey(settings);
        let delay = self.first_delay(now, settings);
        self.life = Life::Running;
        let mut plans = plan::plan(settings);
        let gone: Vec<String> = self
            .gateways
            .keys()
            .filter(|name| !plans.contains_key(*name))
            .cloned()
            .collect();
        for name in gone {
            self.end_legs(now, Some(&name));
            // A gateway without a plan lets everything go and is dropped once it has.
            plans.insert(name, plan::GatewayPlan::default());
        }
        for (name, plan) in plans {
            let gateway = self
                .gateways
                .entry(name.clone())
                .or_insert_with(|| Gateway::new(name));
            gateway.wanted = settings.gateways.contains_key(&gateway.name);
            gateway.apply(&mut self.core, now, plan, delay);
            if before != self.core.manner {
                gateway.reschedule(&mut self.core, now);
            }
        }
    }

    /// What we close is gone at once: nobody tells us of its end.
    fn forget_closed(&mut self) {
        for output in &self.core.out {
            let Output::Close { id } = output else {
                continue;
            };
            if let Some(stream) = self.streams.remove(id) {
                self.core.table.stream_gone(*id);
                self.strays.insert(*id, stream.gateway);
            }
        }
    }

    /// `interopRegistrationDelayValue` holds back the registrations of a stack that starts.
    fn first_delay(&mut self, now: Instant, settings: &Settings) -> Option<Instant> {
        let most = settings.interop.registration_delay_value;
        if self.life != Life::New || most == 0 {
            return None;
        }
        let wait = self.core.rng.up_to(u64::from(most) * 1000);
        Some(now + Duration::from_millis(wait))
    }

    fn time(&mut self, now: Instant, time: TimeOfDay) {
        self.core.time = time;
        for gateway in self.gateways.values_mut() {
            gateway.settle_listeners(&mut self.core);
            // Certificates are judged by the time.
            gateway.certificates_changed(now);
            gateway.each_link(&mut self.core, now, |link, cx| link.time_is_known(cx));
        }
    }

    fn names_changed(&mut self, now: Instant) {
        for gateway in self.gateways.values_mut() {
            gateway.each_link(&mut self.core, now, |link, cx| link.names_changed(cx));
        }
    }

    fn listening(&mut self, now: Instant, id: SocketId, local: std::net::SocketAddr) {
        for gateway in self.gateways.values_mut() {
            if gateway.listening(id, local) {
                gateway.offer_datagrams(&mut self.core, now);
            }
        }
    }

    fn stop(&mut self, now: Instant) {
        if matches!(self.life, Life::Stopping(_)) {
            return;
        }
        self.life = Life::Stopping(now + STOP);
        self.end_calls(now);
        for gateway in self.gateways.values_mut() {
            gateway.dissolve(&mut self.core, now);
        }
    }

    fn tick(&mut self, now: Instant) {
        let users = {
            let Core { table, out, .. } = &mut self.core;
            table.tick(now, out)
        };
        self.unanswered(now, users);
        for gateway in self.gateways.values_mut() {
            gateway.tick(&mut self.core, now);
        }
        self.tick_ways(now);
        self.gateways.retain(|_, it| it.wanted || !it.is_empty());
        self.finish(now);
    }

    fn finish(&mut self, now: Instant) {
        let Life::Stopping(until) = self.life else {
            return;
        };
        let dissolved = self.gateways.values().all(Gateway::is_dissolved);
        if now < until && !(dissolved && self.is_without_calls()) {
            return;
        }
        for gateway in self.gateways.values_mut() {
            gateway.close(&mut self.core, now);
        }
        self.close_ways();
        for id in std::mem::take(&mut self.streams).into_keys() {
            self.core.out.push_back(Output::Close { id });
        }
        self.gateways.clear();
        self.life = Life::Done;
        self.publish(now);
        self.core.out.push_back(Output::Done);
    }

    fn unanswered(&mut self, now: Instant, users: Vec<User>) {
        for user in users {
            if let User::Call(leg, ask) = user {
                self.call_unanswered(now, leg, ask, StatusCode::REQUEST_TIMEOUT);
            }
            for gateway in self.gateways.values_mut() {
                gateway.unanswered(&mut self.core, now, user);
            }
        }
    }

    fn publish(&mut self, now: Instant) {
        let wanted = self.gateways.values().filter(|it| it.wanted);
        let mut status = show::show(&self.core, wanted);
        show::date(&mut status, self.shown.as_ref(), now);
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.core.out.push_back(Output::Publish(Box::new(status)));
        }
    }
}
