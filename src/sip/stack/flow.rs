//! What links and registrations ask for, done: events go down, steps come up.

use std::collections::BTreeSet;
use std::time::Instant;

use super::core::Core;
use super::gateway::Gateway;
use crate::sip::auth::Refusal;
use crate::sip::event::Notice;
use crate::sip::link::{GivenUp, LinkEvent, LinkFault, LinkId};
use crate::sip::message::Response;
use crate::sip::register::{
    self, Answer, Event, Place, Purpose, Registration, RegistrationId, Step, Written,
};
use crate::sip::resolve::ResolveError;
use crate::sip::transaction::table::{Hop, User};
use crate::sip::transport::{DATAGRAM_LIMIT, Transport};

impl Gateway {
    /// A link said these things.
    pub(super) fn link_events(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: LinkId,
        events: Vec<LinkEvent>,
    ) {
        for event in events {
            match event {
                LinkEvent::Up | LinkEvent::Moved => self.link_up(core, now, id),
                LinkEvent::Down => self.link_down(core, now, id),
                LinkEvent::OptionsDue => self.keep_alive(core, now, id),
            }
        }
    }

    /// Tells a registration what happened, and does what it asks for.
    pub(super) fn tell(&mut self, core: &mut Core, now: Instant, id: RegistrationId, event: Event) {
        if let Some(registration) = self.registration(id) {
            let steps = registration.handle(now, event);
            self.steps(core, now, id, steps);
        }
    }

    /// Does what a registration asks for.
    pub(super) fn steps(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: RegistrationId,
        steps: Vec<Step>,
    ) {
        for step in steps {
            match step {
                Step::Send(purpose) => self.send(core, now, id, &purpose),
                Step::FailOver(fault) => self.fail_over(core, now, id, fault),
                Step::KeepAlive(every) => {
                    let link = self.registration(id).and_then(|it| it.link);
                    if let Some(link) = link.and_then(|it| self.link(it)) {
                        let every = every.map(|it| std::time::Duration::from_secs(u64::from(it)));
                        link.keep_alive_agreed(&mut core.context(now), every);
                    }
                }
                Step::Refused(refusal) => self.refused(core, id, refusal),
                Step::Settled => self.settled(core, now, id),
                Step::Gone => {
                    self.leaving.retain(|it| it.id != id);
                    self.sweep(core, now);
                }
            }
        }
    }

    /// A final response to the REGISTER of a registration.
    pub(super) fn answered(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: RegistrationId,
        response: &Response,
    ) {
        let Some(registration) = self.registration(id) else {
            return;
        };
        let matching = registration.plan.matching;
        let answer = Answer::read(response, registration, matching);
        self.tell(core, now, id, Event::Answered(answer));
    }

    /// The flow of a link is of no use.
    pub(super) fn give_up(&mut self, core: &mut Core, now: Instant, id: LinkId, fault: LinkFault) {
        let Some(link) = self.link(id) else { return };
        let flow = link.flow();
        let given_up = link.give_up(&mut core.context(now), fault);
        if let GivenUp::Moving(events) = given_up {
            if let Some(flow) = flow {
                core.table.stream_gone(flow.socket);
            }
            self.link_events(core, now, id, events);
        }
    }

    fn refused(&mut self, core: &mut Core, id: RegistrationId, refusal: Refusal) {
        let (Refusal::Wrong { username, realm }, Some(line)) = (refusal, self.registration(id))
        else {
            return;
        };
        let server = line.plan.binding.registrar.as_ref();
        core.notice(Notice::CredentialsRefused {
            gateway: line.gateway.clone(),
            server: server.map(ToString::to_string).unwrap_or_default(),
            user: username,
            realm,
        });
    }

    fn link_up(&mut self, core: &mut Core, now: Instant, id: LinkId) {
        self.unresolved.remove(&id);
        for registration in self.carried_by(id) {
            self.tell(core, now, registration, Event::LinkUp);
        }
        self.release_moved(core, now, id);
        self.sweep(core, now);
    }

    fn link_down(&mut self, core: &mut Core, now: Instant, id: LinkId) {
        let fault = self.link(id).and_then(|it| it.reason().cloned());
        if let Some(LinkFault::Resolve { error, .. }) = fault {
            self.tell_unresolved(core, id, error);
        }
        let allowed = self.plan.requests;
        for carried in self.carried_by(id) {
            let Some(registration) = self.registration(carried) else {
                continue;
            };
            core.table.forget(super::run::user_of(registration));
            let elsewhere = registration.settled_on.filter(|it| *it != id);
            // An old link counts as long as the settings still allow what it is.
            let stands = registration.is_registered()
                && elsewhere
                    .and_then(|it| self.link(it)?.flow())
                    .is_some_and(|flow| allowed.contains(flow.transport));
            if !stands {
                self.tell(core, now, carried, Event::LinkDown(fault.clone()));
            }
        }
    }

    /// The name of a link's server leads nowhere; that it still does is no news.
    fn tell_unresolved(&mut self, core: &mut Core, id: LinkId, error: ResolveError) {
        let live: BTreeSet<LinkId> = self.links.values().map(|it| it.id).collect();
        self.unresolved.retain(|it| live.contains(it));
        let Some(link) = self.links.values().find(|it| it.id == id) else {
            return;
        };
        if self.unresolved.insert(id) {
            core.notice(Notice::Unresolved {
                gateway: self.name.clone(),
                name: link.plan.wanted.server.host.clone(),
                reason: error.to_string(),
            });
        }
    }

    fn carried_by(&self, id: LinkId) -> Vec<RegistrationId> {
        self.registrations
            .values()
            .chain(&self.leaving)
            .filter(|it| it.link == Some(id))
            .map(|it| it.id)
            .collect()
    }

    fn send(&mut self, core: &mut Core, now: Instant, id: RegistrationId, purpose: &Purpose) {
        let Some(link_id) = self.registration(id).and_then(|it| it.link) else {
            return self.unsent(id);
        };
        let listeners = self.reachable();
        let flow = self
            .link(link_id)
            .and_then(|it| it.flow_for_request(&mut core.context(now)));
        let Some(flow) = flow else {
            return self.unsent(id);
        };
        let place = Place { flow, listeners };
        let Some(registration) = self.registration(id) else {
            return;
        };
        let style = registration.plan.style.clone();
        match register::write(registration, purpose, &place, &style, &mut core.rng) {
            Ok(Some(written)) => self.dispatch(core, now, id, &place, written),
            Ok(None) => {
                let fault = register::Fault::NoRegistrar(self.name.clone());
                if let Some(registration) = self.registration(id) {
                    registration.refuse(fault);
                }
            }
            Err(refusal) => {
                let answer = Answer::Unauthorized(refusal);
                self.tell(core, now, id, Event::Answered(answer));
            }
        }
    }

    fn dispatch(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: RegistrationId,
        place: &Place,
        written: Written,
    ) {
        let flow = place.flow;
        let link = self.registration(id).and_then(|it| it.link);
        let too_large = flow.transport == Transport::Udp
            && written.request.to_bytes().len() > DATAGRAM_LIMIT
            && self.plan.requests.contains(Transport::Tcp);
        if too_large
            && let Some(link_id) = link
            && let Some(events) = self
                .link(link_id)
                .and_then(|it| it.use_streams(&mut core.context(now)))
        {
            // RFC 3261 §18.1.1: the request is written anew once the stream stands.
            self.unsent(id);
            return self.link_events(core, now, link_id, events);
        }
        if let Some(registration) = self.registration(id) {
            registration.sent(now, written.contacts, flow);
        }
        if let Some(link) = link.and_then(|it| self.link(it)) {
            link.touch(now);
        }
        let way = (Hop::from(flow), core.pace(flow.transport));
        let user = User::Registration(id);
        let Core { table, out, .. } = core;
        table.ask(now, written.request, &written.branch, way, user, out);
    }

    fn unsent(&mut self, id: RegistrationId) {
        if let Some(registration) = self.registration(id) {
            registration.not_sent();
        }
    }

    fn fail_over(&mut self, core: &mut Core, now: Instant, id: RegistrationId, fault: LinkFault) {
        if let Some(link) = self.registration(id).and_then(|it| it.link) {
            self.give_up(core, now, link, fault);
        }
    }

    /// A registration came to an end, good or bad: what it replaced can go.
    fn settled(&mut self, core: &mut Core, now: Instant, id: RegistrationId) {
        let Some(registration) = self.registration(id) else {
            return;
        };
        registration.settled_on = registration.link;
        let stands = registration.is_registered();
        let (line, link) = (registration.line.clone(), registration.link);
        if let Some(link) = link.filter(|_| stands).and_then(|it| self.link(it)) {
            link.served();
        }
        self.report(core, id);
        let (ended, replaced): (Vec<_>, Vec<_>) = std::mem::take(&mut self.replaced)
            .into_iter()
            .partition(|(it, _)| *it == line);
        self.replaced = replaced;
        for (_, registration) in ended {
            self.part(core, now, registration);
        }
        if let Some(link) = link {
            self.release_moved(core, now, link);
        }
        self.sweep(core, now);
    }

    /// After a fail-back, the old stream goes once nobody waits for an answer on it.
    fn release_moved(&mut self, core: &mut Core, now: Instant, id: LinkId) {
        let busy = self
            .registrations
            .values()
            .any(|it| it.link == Some(id) && it.is_asking());
        if !busy && let Some(link) = self.link(id) {
            link.settled(&mut core.context(now));
        }
    }

    fn report(&mut self, core: &mut Core, id: RegistrationId) {
        let Some(status) = self
            .registration(id)
            .map(|it: &mut Registration| it.status())
        else {
            return;
        };
        core.notice(Notice::Registration(Box::new(status)));
    }
}
