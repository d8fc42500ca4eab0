//! Making a new plan true: what differs is opened, replaced or let go, and nothing else is touched.
//!
//! Make before break: a link that is replaced drains, still serving, until
//! what it carried has settled on its successor; a registration that moved is
//! removed at its old registrar after that.

use std::time::Instant;

use super::core::Core;
use super::gateway::Gateway;
use crate::sip::hostport::HostPort;
use crate::sip::link::{Link, LinkId};
use crate::sip::plan::{Binding, GatewayPlan, Line, LinkPlan, RegistrationPlan};
use crate::sip::register::{Event, Fault, Registration, RegistrationId};

impl Gateway {
    /// Lives by `plan` from now on. `delay` holds back registrations that are new.
    pub(super) fn apply(
        &mut self,
        core: &mut Core,
        now: Instant,
        plan: GatewayPlan,
        delay: Option<Instant>,
    ) {
        if self.plan == plan {
            return;
        }
        let old = std::mem::replace(&mut self.plan, plan);
        let opened = self.settle_links(core, now);
        if old.tls_generation != self.plan.tls_generation {
            self.certificates_changed(now);
        }
        self.settle_listeners(core);
        self.settle_registrations(core, now, &old, delay);
        self.offer_datagrams(core, now);
        for id in opened {
            let Some(link) = self.link(id) else { continue };
            let events = link.begin(&mut core.context(now));
            self.link_events(core, now, id, events);
        }
        self.sweep(core, now);
    }

    /// Tells the links which UDP socket there is.
    pub(super) fn offer_datagrams(&mut self, core: &mut Core, now: Instant) {
        let socket = self.datagram_socket();
        let ids: Vec<LinkId> = self.links.values().map(|it| it.id).collect();
        for id in ids {
            let Some(link) = self.link(id) else { continue };
            let events = link.datagram_socket(&mut core.context(now), socket);
            self.link_events(core, now, id, events);
        }
    }

    /// Lets everything go: unregisters first.
    pub(super) fn dissolve(&mut self, core: &mut Core, now: Instant) {
        for (_, registration) in std::mem::take(&mut self.replaced) {
            self.part(core, now, registration);
        }
        for (_, registration) in std::mem::take(&mut self.registrations) {
            self.part(core, now, registration);
        }
        self.plan.registrations.clear();
        self.sweep(core, now);
    }

    /// Whether nothing waits to be unregistered.
    pub(super) fn is_dissolved(&self) -> bool {
        self.registrations.is_empty() && self.leaving.is_empty()
    }

    /// Closes everything at once.
    pub(super) fn close(&mut self, core: &mut Core, now: Instant) {
        self.plan = GatewayPlan::default();
        let mut cx = core.context(now);
        for link in self.links.values_mut().chain(&mut self.draining) {
            link.close(&mut cx);
        }
        self.links.clear();
        self.draining.clear();
        self.settle_listeners(core);
        self.release_sockets(core);
    }

    /// Closes what only served until its successor did.
    pub(super) fn sweep(&mut self, core: &mut Core, now: Instant) {
        let ended: Vec<LinkId> = self
            .draining
            .iter()
            .filter(|link| link.is_drained(now) || !self.is_needed(link))
            .map(|link| link.id)
            .collect();
        for id in ended {
            self.end_link(core, now, id);
        }
        if self.draining.is_empty() {
            self.release_sockets(core);
        }
    }

    fn settle_links(&mut self, core: &mut Core, now: Instant) -> Vec<LinkId> {
        let wanted = self.plan.links.clone();
        let changed: Vec<HostPort> = self
            .links
            .iter()
            .filter(|(server, link)| wanted.get(*server) != Some(&link.plan))
            .map(|(server, _)| server.clone())
            .collect();
        for server in changed {
            if let Some(mut link) = self.links.remove(&server) {
                link.drain(now);
                self.draining.push(link);
            }
        }
        let mut opened = Vec::new();
        for (server, plan) in wanted {
            if !self.links.contains_key(&server) {
                opened.push(self.open(core, server, plan));
            }
        }
        opened
    }

    fn open(&mut self, core: &mut Core, server: HostPort, plan: LinkPlan) -> LinkId {
        let id = core.ids.link();
        self.links
            .insert(server, Link::new(id, self.name.clone(), plan));
        id
    }

    fn settle_registrations(
        &mut self,
        core: &mut Core,
        now: Instant,
        old: &GatewayPlan,
        delay: Option<Instant>,
    ) {
        let wanted = self.plan.registrations.clone();
        let lines: Vec<Line> = self.registrations.keys().cloned().collect();
        for line in lines.into_iter().filter(|it| !wanted.contains_key(it)) {
            if let Some(registration) = self.registrations.remove(&line) {
                self.part(core, now, registration);
            }
        }
        for (line, plan) in wanted {
            let link = self.link_of(&plan.binding);
            match self.registrations.get(&line) {
                None => self.enrol(core, now, (line, plan, link), delay),
                Some(is) if !same_account(&is.plan.binding, &plan.binding) => {
                    self.replace(core, now, line, plan, link);
                }
                Some(is) if is.link != link || is.plan.binding != plan.binding => {
                    self.rebind(core, now, &line, plan, link);
                }
                Some(_)
                    if old.registrations.get(&line) != Some(&plan) || old.ip != self.plan.ip =>
                {
                    self.renew(core, now, &line, plan);
                }
                Some(_) => {}
            }
        }
    }

    fn link_of(&self, binding: &Binding) -> Option<LinkId> {
        let server = binding.next_hop.as_ref()?;
        Some(self.links.get(server)?.id)
    }

    fn enrol(
        &mut self,
        core: &mut Core,
        now: Instant,
        what: (Line, RegistrationPlan, Option<LinkId>),
        delay: Option<Instant>,
    ) {
        let (line, plan, link) = what;
        let id = RegistrationId(core.ids.number());
        let fault = self.obstacle(&line, &plan);
        let name = self.name.clone();
        let mut registration = Registration::new(id, name, line.clone(), plan, &mut core.rng);
        registration.link = link;
        if let Some(at) = delay {
            registration.delay(at);
        }
        if let Some(fault) = fault {
            registration.refuse(fault);
        }
        self.registrations.insert(line, registration);
        self.start_if_up(core, now, id);
    }

    /// Another registrar or user: the old one is removed there once the new one has settled.
    fn replace(
        &mut self,
        core: &mut Core,
        now: Instant,
        line: Line,
        plan: RegistrationPlan,
        link: Option<LinkId>,
    ) {
        if let Some(old) = self.registrations.remove(&line) {
            core.table.forget(super::run::user_of(&old));
            self.replaced.push((line.clone(), old));
        }
        self.enrol(core, now, (line, plan, link), None);
    }

    fn rebind(
        &mut self,
        core: &mut Core,
        now: Instant,
        line: &Line,
        plan: RegistrationPlan,
        link: Option<LinkId>,
    ) {
        let fault = self.obstacle(line, &plan);
        let Some(registration) = self.registrations.get_mut(line) else {
            return;
        };
        core.table.forget(super::run::user_of(registration));
        registration.rebind(plan, link);
        let id = registration.id;
        match fault {
            Some(fault) => registration.refuse(fault),
            None => self.start_if_up(core, now, id),
        }
    }

    fn renew(&mut self, core: &mut Core, now: Instant, line: &Line, plan: RegistrationPlan) {
        let fault = self.obstacle(line, &plan);
        let Some(registration) = self.registrations.get_mut(line) else {
            return;
        };
        if let Some(fault) = fault {
            registration.plan = plan;
            registration.refuse(fault);
            return;
        }
        let steps = registration.update(plan);
        let id = registration.id;
        self.steps(core, now, id, steps);
    }

    fn start_if_up(&mut self, core: &mut Core, now: Instant, id: RegistrationId) {
        let Some(link) = self.registration(id).and_then(|it| it.link) else {
            return;
        };
        if self.link(link).is_some_and(|it| it.is_up()) {
            self.tell(core, now, id, Event::LinkUp);
        }
    }

    /// Why a registration has nothing to send.
    fn obstacle(&self, line: &Line, plan: &RegistrationPlan) -> Option<Fault> {
        let binding = &plan.binding;
        if self.plan.ip.is_none() {
            return Some(Fault::NetworkDown(self.plan.network_interface.clone()));
        }
        if self.plan.requests.is_empty() {
            return Some(Fault::NoTransport(self.name.clone()));
        }
        if binding.registrar.is_none() {
            return Some(Fault::NoRegistrar(self.name.clone()));
        }
        binding.username.is_empty().then(|| {
            Fault::NoUsername(match line {
                Line::Endpoint(ep_id) => format!("SipEp.UserAgent[EpId={ep_id}].Username"),
                Line::Unit(index) => format!("SipEp.UnitRegistrations[Index={index}].Username"),
            })
        })
    }

    /// Removes a registration at its registrar.
    pub(super) fn part(&mut self, core: &mut Core, now: Instant, mut registration: Registration) {
        core.table.forget(super::run::user_of(&registration));
        let id = registration.id;
        let link = registration.settled_on.or(registration.link);
        registration.link = link;
        let up = link
            .and_then(|it| self.link(it))
            .is_some_and(|it| it.is_up());
        if !up {
            return;
        }
        let steps = registration.handle(now, Event::Remove);
        self.leaving.push(registration);
        self.steps(core, now, id, steps);
    }

    /// Whether something still depends on a draining link.
    fn is_needed(&self, link: &Link) -> bool {
        let carries =
            |it: &Registration| it.settled_on == Some(link.id) || it.link == Some(link.id);
        let successor = self.links.get(&link.plan.wanted.server);
        let successor_is_coming = successor.is_some_and(|it| !it.is_up());
        self.leaving.iter().any(|it| it.link == Some(link.id))
            || self.replaced.iter().any(|(_, it)| carries(it))
            || self.registrations.values().any(carries)
            || successor_is_coming
    }

    fn end_link(&mut self, core: &mut Core, now: Instant, id: LinkId) {
        let (stranded, replaced): (Vec<_>, Vec<_>) = std::mem::take(&mut self.replaced)
            .into_iter()
            .partition(|(_, it)| it.link == Some(id));
        self.replaced = replaced;
        for (_, registration) in stranded {
            core.table.forget(super::run::user_of(&registration));
        }
        self.leaving.retain(|it| it.link != Some(id));
        let settled = self.registrations.values_mut();
        let settled: Vec<RegistrationId> = settled
            .filter(|it| it.settled_on == Some(id))
            .map(|it| {
                it.settled_on = None;
                it.id
            })
            .collect();
        for registration in settled {
            self.bereave(core, now, registration);
        }
        if let Some(place) = self.draining.iter().position(|it| it.id == id) {
            let mut link = self.draining.remove(place);
            if let Some(flow) = link.flow() {
                core.table.stream_gone(flow.socket);
            }
            link.close(&mut core.context(now));
        }
    }

    /// The old link of a registration is gone: where the new one is not up yet, nothing carries it.
    fn bereave(&mut self, core: &mut Core, now: Instant, id: RegistrationId) {
        let link = self.registration(id).and_then(|it| it.link);
        let Some(link) = link.and_then(|it| self.link(it)) else {
            return;
        };
        if !link.is_up() {
            let fault = link.reason().cloned();
            self.tell(core, now, id, Event::LinkDown(fault));
        }
    }

    fn release_sockets(&mut self, core: &mut Core) {
        for id in std::mem::take(&mut self.retired) {
            core.out
                .push_back(crate::sip::event::Output::Unlisten { id });
        }
    }
}

/// Whether both speak for the same user at the same registrar.
fn same_account(one: &Binding, other: &Binding) -> bool {
    one.registrar == other.registrar && one.username == other.username && one.domain == other.domain
}
