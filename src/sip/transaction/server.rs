//! The non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).
//!
//! Keeps the last response of one request and repeats it when the request
//! comes again, so that its user answers each request once.

use std::time::Instant;

use super::{Action, Pace, T1, Timer};
use crate::sip::timer::Timers;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// One request that arrived and what was answered.
#[derive(Debug, Clone)]
pub struct Server {
    state: State,
    pace: Pace,
    timers: Timers<Timer>,
}

impl Server {
    /// Starts with the request just delivered.
    pub fn new(pace: Pace) -> Self {
        Self {
            state: State::Trying,
            pace,
            timers: Timers::default(),
        }
    }

    /// Its user answers with this status; the table sends it.
    pub fn answer(&mut self, now: Instant, status: u16) -> Vec<Action> {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..200) => {
                self.state = State::Proceeding;
                Vec::new()
            }
            (State::Trying | State::Proceeding, _) => self.complete(now),
            (State::Completed | State::Terminated, _) => Vec::new(),
        }
    }

    /// The same request arrived again.
    pub fn repeated(&self) -> Vec<Action> {
        match self.state {
            State::Proceeding | State::Completed => vec![Action::Repeat],
            State::Trying | State::Terminated => Vec::new(),
        }
    }

    /// The time of the next deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Runs what is due at `now`.
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        match self.timers.expired(now) {
            Some(_) => {
                self.state = State::Terminated;
                vec![Action::End]
            }
            None => Vec::new(),
        }
    }

    fn complete(&mut self, now: Instant) -> Vec<Action> {
        let linger = self.pace.carrier.linger(64 * T1);
        if linger.is_zero() {
            self.state = State::Terminated;
            return vec![Action::End];
        }
        self.state = State::Completed;
        self.timers.set(Timer::J, now + linger);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Carrier;
    use super::*;

    fn start(carrier: Carrier) -> (Instant, Server) {
        let give_up = 64 * T1;
        (Instant::now(), Server::new(Pace { carrier, give_up }))
    }

    #[test]
    fn a_repeated_request_gets_the_same_answer_for_64_t1() {
        let (now, mut server) = start(Carrier::Datagram);
        assert!(server.repeated().is_empty());
        assert!(server.answer(now, 200).is_empty());
        assert_eq!(server.repeated(), [Action::Repeat]);
        assert_eq!(server.tick(now + 64 * T1), [Action::End]);
    }

    #[test]
    fn over_a_stream_it_ends_with_its_answer() {
        let (now, mut server) = start(Carrier::Stream);
        assert_eq!(server.answer(now, 405), [Action::End]);
    }
}
