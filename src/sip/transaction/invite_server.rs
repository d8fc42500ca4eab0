//! The INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §8.7).
//!
//! Owns the responses to one INVITE: repeats a failure until its ACK comes,
//! swallows what arrives twice. A 2xx is repeated by its user, not here.

use std::time::{Duration, Instant};

use super::{Action, Carrier, Pace, T1, T2, T4, Timer};
use crate::sip::timer::Timers;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    Completed,
    Accepted,
    Confirmed,
    Terminated,
}

/// One INVITE that arrived and what was answered.
#[derive(Debug, Clone)]
pub struct InviteServer {
    state: State,
    pace: Pace,
    interval: Duration,
    timers: Timers<Timer>,
}

impl InviteServer {
    /// Starts with the INVITE just delivered.
    pub fn new(pace: Pace) -> Self {
        Self {
            state: State::Proceeding,
            pace,
            interval: T1,
            timers: Timers::default(),
        }
    }

    /// Its user answers with this status; the table sends it.
    pub fn answer(&mut self, now: Instant, status: u16) {
        match (self.state, status) {
            (State::Proceeding, 200..300) => {
                self.state = State::Accepted;
                self.timers.set(Timer::L, now + 64 * T1);
            }
            (State::Proceeding, 300..) => {
                self.state = State::Completed;
                self.timers.set(Timer::H, now + self.pace.give_up);
                if self.pace.carrier == Carrier::Datagram {
                    self.timers.set(Timer::G, now + T1);
                }
            }
            _ => {}
        }
    }

    /// The same INVITE arrived again.
    pub fn repeated(&mut self) -> Vec<Action> {
        match self.state {
            State::Proceeding | State::Completed => vec![Action::Repeat],
            State::Accepted | State::Confirmed | State::Terminated => Vec::new(),
        }
    }

    /// An ACK matching this transaction arrived.
    pub fn acknowledged(&mut self, now: Instant) -> Vec<Action> {
        match self.state {
            State::Completed => self.confirm(now),
            // RFC 6026 §8.7: the ACK of a 2xx belongs to the user.
            State::Accepted => vec![Action::Deliver],
            State::Proceeding | State::Confirmed | State::Terminated => Vec::new(),
        }
    }

    /// The time of the next deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Runs what is due at `now`.
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(timer) = self.timers.expired(now) {
            self.expired(now, timer, &mut actions);
        }
        actions
    }

    fn confirm(&mut self, now: Instant) -> Vec<Action> {
        self.timers.clear();
        let linger = self.pace.carrier.linger(T4);
        if linger.is_zero() {
            self.state = State::Terminated;
            return vec![Action::End];
        }
        self.state = State::Confirmed;
        self.timers.set(Timer::I, now + linger);
        Vec::new()
    }

    fn expired(&mut self, now: Instant, timer: Timer, actions: &mut Vec<Action>) {
        match (self.state, timer) {
            (State::Completed, Timer::G) => {
                self.interval = (self.interval * 2).min(T2);
                self.timers.set(Timer::G, now + self.interval);
                actions.push(Action::Repeat);
            }
            (State::Completed, Timer::H) => {
                actions.push(Action::TimedOut);
                self.end(actions);
            }
            (State::Confirmed, Timer::I) | (State::Accepted, Timer::L) => self.end(actions),
            _ => {}
        }
    }

    fn end(&mut self, actions: &mut Vec<Action>) {
        self.state = State::Terminated;
        self.timers.clear();
        actions.push(Action::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(carrier: Carrier) -> (Instant, InviteServer) {
        let give_up = 64 * T1;
        (Instant::now(), InviteServer::new(Pace { carrier, give_up }))
    }

    #[test]
    fn a_refusal_is_repeated_until_its_ack_comes() {
        let (now, mut server) = start(Carrier::Datagram);
        server.answer(now, 503);
        assert_eq!(server.tick(now + T1), [Action::Repeat]);
        assert_eq!(server.repeated(), [Action::Repeat]);
        assert!(server.acknowledged(now + T1).is_empty());
        assert!(server.repeated().is_empty());
        assert_eq!(server.tick(now + T1 + T4), [Action::End]);
    }

    #[test]
    fn a_refusal_that_is_never_acknowledged_ends_after_timer_h() {
        let (now, mut server) = start(Carrier::Stream);
        server.answer(now, 503);
        assert_eq!(server.tick(now + 64 * T1), [Action::TimedOut, Action::End]);
    }

    #[test]
    fn over_a_stream_the_ack_ends_it() {
        let (now, mut server) = start(Carrier::Stream);
        server.answer(now, 503);
        assert_eq!(server.acknowledged(now), [Action::End]);
    }

    #[test]
    fn after_a_2xx_a_repeated_invite_is_swallowed_and_the_ack_delivered() {
        let (now, mut server) = start(Carrier::Datagram);
        server.answer(now, 200);
        assert!(server.repeated().is_empty());
        assert_eq!(server.acknowledged(now), [Action::Deliver]);
        assert_eq!(server.tick(now + 64 * T1), [Action::End]);
    }
}
