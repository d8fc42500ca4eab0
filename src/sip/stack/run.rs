//! A gateway as time passes: what is due, and what did not arrive.

use std::net::SocketAddr;
use std::time::Instant;

use super::core::Core;
use super::gateway::Gateway;
use crate::sip::link::{Context, Link, LinkEvent};
use crate::sip::register::{Event, Registration};
use crate::sip::transaction::table::User;

/// The transactions of a registration.
pub(super) fn user_of(registration: &Registration) -> User {
    User::Registration(registration.id)
}

impl Gateway {
    /// Runs what is due.
    pub(super) fn tick(&mut self, core: &mut Core, now: Instant) {
        self.retry_listeners(core, now);
        self.each_link(core, now, |link, cx| link.tick(cx));
        let ids: Vec<_> = self
            .registrations
            .values()
            .chain(&self.leaving)
            .map(|it| it.id)
            .collect();
        for id in ids {
            let Some(registration) = self.registration(id) else {
                continue;
            };
            let steps = registration.tick(now);
            self.steps(core, now, id, steps);
        }
        self.sweep(core, now);
    }

    /// Does `what` to every link, and what comes of it.
    pub(super) fn each_link(
        &mut self,
        core: &mut Core,
        now: Instant,
        what: impl Fn(&mut Link, &mut Context<'_>) -> Vec<LinkEvent>,
    ) {
        let links = self.links.values().chain(&self.draining);
        let ids: Vec<_> = links.map(|it| it.id).collect();
        for id in ids {
            let Some(link) = self.link(id) else { continue };
            let events = what(link, &mut core.context(now));
            self.link_events(core, now, id, events);
        }
    }

    /// Keep-alives have another pace or method.
    pub(super) fn reschedule(&mut self, core: &mut Core, now: Instant) {
        self.silent &= core.manner.options.is_some();
        self.each_link(core, now, |link, cx| {
            link.schedule_keep_alive(cx);
            Vec::new()
        });
    }

    /// No answer came to a request of `user`.
    pub(super) fn unanswered(&mut self, core: &mut Core, now: Instant, user: User) {
        match user {
            User::Registration(id) => self.tell(core, now, id, Event::TimedOut),
            User::KeepAlive(id) if self.link(id).is_some() => {
                self.keep_alive_missed(core, now, id);
            }
            User::KeepAlive(_) | User::Call(..) | User::Nobody => {}
        }
    }

    /// RFC 3261 §18.4: where there is another target, that the request of
    /// `user` did not arrive counts as no answer. Where there is none, the
    /// request goes on being repeated, and what is known is told.
    pub(super) fn undelivered(
        &mut self,
        core: &mut Core,
        now: Instant,
        user: User,
        peer: SocketAddr,
    ) {
        let link = match user {
            User::Registration(id) => self.registration(id).and_then(|it| it.link),
            User::KeepAlive(id) => Some(id),
            // A call goes on being tried: it has its own way to end.
            User::Call(..) | User::Nobody => None,
        };
        let Some(link) = link.and_then(|it| self.link(it)) else {
            return;
        };
        match user {
            User::Registration(id) if !link.has_another() => {
                self.tell(core, now, id, Event::Undelivered(peer));
            }
            _ => {
                core.table.forget(user);
                self.unanswered(core, now, user);
            }
        }
    }

    /// Whether nothing is left of it.
    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.draining.is_empty()
            && self.leaving.is_empty()
            && self.listeners.is_empty()
    }
}
