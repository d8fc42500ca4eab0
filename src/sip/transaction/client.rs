//! The non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).
//!
//! Owns one request from its first send until its final response. Repeats
//! over datagrams, never over streams; gives up after timer F on both. It
//! reports each response once.

use std::time::{Duration, Instant};

use super::{Action, Carrier, Pace, T1, T2, T4, Timer};
use crate::sip::timer::Timers;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// One request and its wait for an answer.
#[derive(Debug, Clone)]
pub struct Client {
    state: State,
    pace: Pace,
    interval: Duration,
    timers: Timers<Timer>,
}

impl Client {
    /// Starts with the request just sent.
    pub fn new(now: Instant, pace: Pace) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::F, now + pace.give_up);
        if pace.carrier == Carrier::Datagram {
            timers.set(Timer::E, now + T1);
        }
        Self {
            state: State::Trying,
            pace,
            interval: T1,
            timers,
        }
    }

    /// A response with this status arrived.
    pub fn response(&mut self, now: Instant, status: u16) -> Vec<Action> {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..200) => {
                self.state = State::Proceeding;
                vec![Action::Deliver]
            }
            (State::Trying | State::Proceeding, _) => self.complete(now),
            (State::Completed | State::Terminated, _) => Vec::new(),
        }
    }

    /// The request could not be sent.
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

    fn complete(&mut self, now: Instant) -> Vec<Action> {
        self.timers.clear();
        let linger = self.pace.carrier.linger(T4);
        if linger.is_zero() {
            self.state = State::Terminated;
            return vec![Action::Deliver, Action::End];
        }
        self.state = State::Completed;
        self.timers.set(Timer::K, now + linger);
        vec![Action::Deliver]
    }

    fn expired(&mut self, now: Instant, timer: Timer, actions: &mut Vec<Action>) {
        match (self.state, timer) {
            (State::Trying, Timer::E) => {
                self.interval = (self.interval * 2).min(T2);
                self.repeat(now, actions);
            }
            (State::Proceeding, Timer::E) => {
                // §17.1.2.2: once a provisional came, the pause is T2.
                self.interval = T2;
                self.repeat(now, actions);
            }
            (State::Trying | State::Proceeding, Timer::F) => {
                self.end(actions, Some(Action::TimedOut));
            }
            (State::Completed, Timer::K) => self.end(actions, None),
            _ => {}
        }
    }

    fn repeat(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.timers.set(Timer::E, now + self.interval);
        actions.push(Action::Repeat);
    }

    fn end(&mut self, actions: &mut Vec<Action>, why: Option<Action>) {
        self.state = State::Terminated;
        self.timers.clear();
        actions.extend(why);
        actions.push(Action::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Duration = Duration::from_secs(32);

    fn start(carrier: Carrier) -> (Instant, Client) {
        let now = Instant::now();
        let pace = Pace {
            carrier,
            give_up: FULL,
        };
        (now, Client::new(now, pace))
    }

    #[test]
    fn an_unanswered_request_is_repeated_at_doubling_pauses_up_to_t2_and_then_given_up() {
        let (start, mut client) = start(Carrier::Datagram);
        let mut sent = Vec::new();
        let mut last = Vec::new();
        while let Some(at) = client.next_deadline() {
            last = client.tick(at);
            if last.contains(&Action::Repeat) {
                sent.push((at - start).as_millis());
            }
        }
        // §17.1.2.2: 500 ms, 1 s, 2 s, 4 s, 4 s, ...
        assert_eq!(
            sent,
            [
                500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500
            ]
        );
        assert_eq!(last, [Action::TimedOut, Action::End]);
    }

    #[test]
    fn a_stream_carries_the_request_once_but_still_gives_up() {
        let (start, mut client) = start(Carrier::Stream);
        assert_eq!(client.next_deadline(), Some(start + FULL));
        assert_eq!(client.tick(start + FULL), [Action::TimedOut, Action::End]);
    }

    #[test]
    fn repeated_final_responses_are_absorbed_for_t4_over_datagrams() {
        let (start, mut client) = start(Carrier::Datagram);
        assert_eq!(client.response(start, 200), [Action::Deliver]);
        assert!(client.response(start, 200).is_empty());
        assert_eq!(client.tick(start + T4), [Action::End]);
    }

    #[test]
    fn a_stream_transaction_ends_with_its_final_response() {
        let (start, mut client) = start(Carrier::Stream);
        assert_eq!(client.response(start, 100), [Action::Deliver]);
        assert_eq!(client.response(start, 401), [Action::Deliver, Action::End]);
    }

    #[test]
    fn after_a_provisional_response_the_pause_is_t2() {
        let (start, mut client) = start(Carrier::Datagram);
        client.response(start, 100);
        assert_eq!(client.tick(start + T1), [Action::Repeat]);
        assert_eq!(client.next_deadline(), Some(start + T1 + T2));
    }
}
