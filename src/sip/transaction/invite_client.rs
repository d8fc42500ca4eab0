//! The INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §8.4).
//!
//! Owns one INVITE from its first send until its final response has been
//! acknowledged. Retransmits over datagrams, never over streams. An ACK for a
//! 2xx is its user's affair; every 2xx is delivered, for forks answer too.

use std::time::{Duration, Instant};

use super::{Action, Carrier, Pace, T1, Timer};
use crate::sip::timer::Timers;

/// Timer D over datagrams is at least 32 s, whatever T1 is.
const TIMER_D: Duration = Duration::from_secs(32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

/// One INVITE and its wait for an answer.
#[derive(Debug, Clone)]
pub struct InviteClient {
    state: State,
    pace: Pace,
    interval: Duration,
    timers: Timers<Timer>,
}

impl InviteClient {
    /// Starts with the INVITE just sent.
    pub fn new(now: Instant, pace: Pace) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::B, now + pace.give_up);
        if pace.carrier == Carrier::Datagram {
            timers.set(Timer::A, now + T1);
        }
        Self {
            state: State::Calling,
            pace,
            interval: T1,
            timers,
        }
    }

    /// A response with this status arrived.
    pub fn response(&mut self, now: Instant, status: u16) -> Vec<Action> {
        match (self.state, status) {
            (State::Calling | State::Proceeding, 100..200) => {
                self.state = State::Proceeding;
                self.timers.clear();
                vec![Action::Deliver]
            }
            (State::Calling | State::Proceeding, 200..300) => self.accept(now),
            (State::Calling | State::Proceeding, _) => self.complete(now),
            // §17.1.1.2: a repeated failure means that our ACK was lost.
            (State::Completed, 300..) => vec![Action::Acknowledge],
            // RFC 6026 §8.4: each further 2xx goes to the user.
            (State::Accepted, 200..300) => vec![Action::Deliver],
            _ => Vec::new(),
        }
    }

    /// The request or its ACK could not be sent.
    pub fn transport_failed(&mut self) -> Vec<Action> {
        self.state = State::Terminated;
        self.timers.clear();
        vec![Action::End]
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

    fn accept(&mut self, now: Instant) -> Vec<Action> {
        self.state = State::Accepted;
        self.timers.clear();
        self.timers.set(Timer::M, now + 64 * T1);
        vec![Action::Deliver]
    }

    fn complete(&mut self, now: Instant) -> Vec<Action> {
        self.timers.clear();
        let linger = self.pace.carrier.linger(TIMER_D);
        if linger.is_zero() {
            self.state = State::Terminated;
            return vec![Action::Acknowledge, Action::Deliver, Action::End];
        }
        self.state = State::Completed;
        self.timers.set(Timer::D, now + linger);
        vec![Action::Acknowledge, Action::Deliver]
    }

    fn expired(&mut self, now: Instant, timer: Timer, actions: &mut Vec<Action>) {
        match (self.state, timer) {
            (State::Calling, Timer::A) => {
                self.interval *= 2;
                self.timers.set(Timer::A, now + self.interval);
                actions.push(Action::Repeat);
            }
            (State::Calling, Timer::B) => {
                actions.push(Action::TimedOut);
                self.end(actions);
            }
            (State::Completed, Timer::D) | (State::Accepted, Timer::M) => self.end(actions),
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

    fn start(carrier: Carrier) -> (Instant, InviteClient) {
        let now = Instant::now();
        let give_up = 64 * T1;
        (now, InviteClient::new(now, Pace { carrier, give_up }))
    }

    #[test]
    fn an_unanswered_invite_is_repeated_at_doubling_pauses_and_given_up_after_64_t1() {
        let (start, mut client) = start(Carrier::Datagram);
        let mut sent = Vec::new();
        while let Some(at) = client.next_deadline() {
            if client.tick(at).contains(&Action::Repeat) {
                sent.push((at - start).as_millis());
            }
        }
        assert_eq!(sent, [500, 1500, 3500, 7500, 15500, 31500]);
    }

    #[test]
    fn a_failure_is_acknowledged_each_time_it_arrives() {
        let (now, mut client) = start(Carrier::Datagram);
        assert_eq!(
            client.response(now, 486),
            [Action::Acknowledge, Action::Deliver]
        );
        assert_eq!(client.response(now, 486), [Action::Acknowledge]);
        assert_eq!(client.tick(now + TIMER_D), [Action::End]);
    }

    #[test]
    fn every_2xx_of_a_forked_call_is_delivered_until_timer_m() {
        let (now, mut client) = start(Carrier::Stream);
        assert_eq!(client.response(now, 200), [Action::Deliver]);
        assert_eq!(client.response(now, 200), [Action::Deliver]);
        assert!(client.response(now, 486).is_empty());
        assert_eq!(client.tick(now + 64 * T1), [Action::End]);
    }

    #[test]
    fn a_provisional_response_stops_the_repetition_and_the_wait() {
        let (now, mut client) = start(Carrier::Datagram);
        assert_eq!(client.response(now, 180), [Action::Deliver]);
        assert_eq!(client.next_deadline(), None);
    }
}
