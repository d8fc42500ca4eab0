//! One soft telephone line, with one call at a time.
//!
//! Its operator may be a person, a script or nobody. What does not fit the
//! state is refused with the reason and changes nothing; what its call tells
//! after the end is not heard. It sounds nothing itself: it says what is heard.

use std::collections::VecDeque;
use std::time::Instant;

use super::admin::{AdminOrder, AdminState, Occupied, UsageState};
use super::dialling::{Dialling, Outcome};
use super::seam::{
    Allowance, Declined, Hold, Input, Misfit, Order, Output, Settings, Shown, Sound, State, Told,
    Wish,
};

/// A telephone line.
#[derive(Debug, Clone, Default)]
pub struct Line {
    settings: Settings,
    admin: AdminState,
    state: State,
    dialling: Option<Dialling>,
    ringing: Option<Ringing>,
    /// A hold or resumption that is not answered yet.
    holding: bool,
    /// A transfer that is not answered yet.
    transferring: bool,
    out: VecDeque<Output>,
}

/// When a ringing line does something by itself.
#[derive(Debug, Clone, Copy)]
struct Ringing {
    answer: Option<Instant>,
    decline: Instant,
}

impl Line {
    /// A line on hook that is unlocked.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Takes in one fact.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Settings(settings) => self.settings = *settings,
            Input::Order(order) => {
                if let Err(misfit) = self.obey(now, order) {
                    self.show(Shown::Misfit(misfit));
                }
            }
            Input::Admin(order) => self.administer(order),
            Input::Call(told) => self.hear(now, told),
            Input::Tick => self.tick(now),
        }
    }

    /// What is to be done, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let ringing = self.ringing.as_ref();
        let ringing = ringing.map(|it| it.answer.map_or(it.decline, |at| at.min(it.decline)));
        let dialling = self.dialling.as_ref().map(Dialling::deadline);
        ringing.into_iter().chain(dialling).min()
    }

    /// What it does.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What the unit's operator allows.
    #[must_use]
    pub fn admin(&self) -> AdminState {
        self.admin
    }

    /// How far it is used.
    #[must_use]
    pub fn usage(&self) -> UsageState {
        self.admin.usage(self.occupied())
    }

    fn occupied(&self) -> Occupied {
        match self.state {
            State::OnHook => Occupied::No,
            _ => Occupied::Yes,
        }
    }

    fn obey(&mut self, now: Instant, order: Order) -> Result<(), Misfit> {
        match order {
            Order::Lift => self.lift(now),
            Order::Dial(number) => self.dial(&number),
            Order::Key(key) => self.press(now, key),
            Order::Answer if self.state == State::RingingIn => {
                self.answer();
                Ok(())
            }
            Order::Answer => Err(Misfit::NotRinging),
            Order::HangUp => self.hang_up(),
            Order::Hold => self.hold(Hold::On),
            Order::Resume => self.hold(Hold::Off),
            Order::Transfer(number) => self.transfer(&number),
        }
    }

    fn free(&self) -> Result<(), Misfit> {
        match (self.state, self.admin) {
            (State::OnHook, AdminState::Unlocked) => Ok(()),
            (State::OnHook, _) => Err(Misfit::Locked),
            _ => Err(Misfit::Engaged),
        }
    }

    fn lift(&mut self, now: Instant) -> Result<(), Misfit> {
        self.free()?;
        if let Some(number) = self.settings.auto_call.clone() {
            self.call(number);
            return Ok(());
        }
        self.dialling = Some(Dialling::begin(now, &self.settings.plan));
        self.go(State::Dialling, Sound::DialTone);
        Ok(())
    }

    fn dial(&mut self, number: &str) -> Result<(), Misfit> {
        self.free()?;
        let outcome = self.settings.plan.judge_whole(number);
        self.dialled(outcome);
        Ok(())
    }

    fn press(&mut self, now: Instant, key: char) -> Result<(), Misfit> {
        let key = key.to_ascii_uppercase();
        if !KEYS.contains(key) {
            return Err(Misfit::NoKey);
        }
        match (&mut self.dialling, self.state) {
            (Some(dialling), _) => {
                if dialling.keys().is_empty() {
                    self.out.push_back(Output::Sound(Sound::Silence));
                }
                let outcome = dialling.press(now, key, &self.settings.plan);
                self.dialled(outcome);
                Ok(())
            }
            (None, State::Talking { .. }) => {
                self.wish(Wish::Key(key));
                Ok(())
            }
            (None, _) => Err(Misfit::NoCall),
        }
    }

    fn dialled(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::More => {}
            Outcome::Number(number) => self.call(number),
            Outcome::Refused => {
                self.show(Shown::NumberRefused);
                self.rest();
            }
        }
    }

    fn call(&mut self, number: String) {
        self.dialling = None;
        self.wish(Wish::Call(number));
        self.go(State::Calling, Sound::Silence);
    }

    fn answer(&mut self) {
        self.ringing = None;
        self.wish(Wish::Accept);
        self.talk();
    }

    fn talk(&mut self) {
        let (ours, theirs) = (Hold::Off, Hold::Off);
        self.go(State::Talking { ours, theirs }, Sound::Peer);
    }

    fn hang_up(&mut self) -> Result<(), Misfit> {
        match self.state {
            State::OnHook => return Err(Misfit::NoCall),
            State::Dialling => {}
            State::RingingIn => self.wish(Wish::Decline(Declined::Rejected)),
            State::Calling | State::RingingOut | State::Talking { .. } => self.wish(Wish::HangUp),
        }
        self.rest();
        Ok(())
    }

    fn hold(&mut self, wanted: Hold) -> Result<(), Misfit> {
        let State::Talking { ours, .. } = self.state else {
            return Err(Misfit::NoCall);
        };
        if self.settings.hold == Allowance::Forbidden {
            return Err(Misfit::Forbidden);
        }
        if self.holding {
            return Err(Misfit::Underway);
        }
        if ours != wanted {
            self.holding = true;
            self.wish(Wish::Hold(wanted));
        }
        Ok(())
    }

    fn transfer(&mut self, number: &str) -> Result<(), Misfit> {
        let State::Talking { .. } = self.state else {
            return Err(Misfit::NoCall);
        };
        if self.settings.transfer == Allowance::Forbidden {
            return Err(Misfit::Forbidden);
        }
        if self.transferring {
            return Err(Misfit::Underway);
        }
        match self.settings.plan.judge_whole(number) {
            Outcome::Number(number) => {
                self.transferring = true;
                self.wish(Wish::Transfer(number));
            }
            Outcome::More | Outcome::Refused => self.show(Shown::NumberRefused),
        }
        Ok(())
    }

    fn administer(&mut self, order: AdminOrder) {
        self.admin = self.admin.ordered(order, self.occupied());
        if order == AdminOrder::ForceLock {
            // A line on hook has nothing to end.
            let _ = self.hang_up();
        }
    }

    fn hear(&mut self, now: Instant, told: Told) {
        match (self.state, told) {
            (State::OnHook, Told::Offered(_)) if self.admin == AdminState::Unlocked => {
                self.ring(now);
            }
            (State::OnHook, Told::Offered(_)) => self.wish(Wish::Decline(Declined::Locked)),
            (_, Told::Offered(_)) => self.wish(Wish::Decline(Declined::Busy)),
            (State::Calling, Told::Ringing) => self.go(State::RingingOut, Sound::Ringback),
            (State::Calling | State::RingingOut, Told::EarlyMedia) => {
                self.out.push_back(Output::Sound(Sound::Peer));
            }
            (State::Calling | State::RingingOut, Told::Answered) => self.talk(),
            (State::Talking { theirs, .. }, Told::Held(ours)) => {
                self.holding = false;
                self.held(ours, theirs);
            }
            (State::Talking { ours, .. }, Told::PeerHeld(theirs)) => self.held(ours, theirs),
            (State::Talking { .. }, Told::HoldRefused) => {
                self.holding = false;
                self.show(Shown::HoldRefused);
            }
            (State::Talking { .. }, Told::TransferRefused(status)) => {
                self.transferring = false;
                self.show(Shown::TransferRefused(status));
            }
            (State::Talking { .. }, Told::Key(key)) => self.show(Shown::Key(key)),
            (State::OnHook | State::Dialling, _) => {}
            (_, Told::Ended(why)) => {
                self.show(Shown::Ended(why));
                self.rest();
            }
            _ => {}
        }
    }

    fn ring(&mut self, now: Instant) {
        self.ringing = Some(Ringing {
            answer: self.settings.auto_answer.map(|wait| now + wait),
            decline: now + self.settings.no_answer,
        });
        self.wish(Wish::Ring);
        self.go(State::RingingIn, Sound::Bell);
        self.tick(now);
    }

    fn held(&mut self, ours: Hold, theirs: Hold) {
        let sound = match (ours, theirs) {
            (Hold::Off, _) => Sound::Peer,
            (Hold::On, _) => Sound::Silence,
        };
        self.go(State::Talking { ours, theirs }, sound);
    }

    fn tick(&mut self, now: Instant) {
        if let Some(dialling) = &self.dialling {
            let outcome = dialling.tick(now, &self.settings.plan);
            self.dialled(outcome);
        }
        let Some(ringing) = self.ringing else { return };
        if ringing.answer.is_some_and(|at| at <= now) {
            self.answer();
        } else if ringing.decline <= now {
            self.wish(Wish::Decline(Declined::NoAnswer));
            self.rest();
        }
    }

    fn rest(&mut self) {
        self.dialling = None;
        self.ringing = None;
        self.holding = false;
        self.transferring = false;
        if self.state != State::OnHook {
            self.go(State::OnHook, Sound::Silence);
        }
        self.admin = self.admin.freed();
    }

    fn go(&mut self, state: State, sound: Sound) {
        self.state = state;
        self.out.push_back(Output::Sound(sound));
        self.show(Shown::State(state));
    }

    fn wish(&mut self, wish: Wish) {
        self.out.push_back(Output::Wish(wish));
    }

    fn show(&mut self, shown: Shown) {
        self.out.push_back(Output::Shown(shown));
    }
}

const KEYS: &str = "0123456789*#ABCD";

#[cfg(test)]
mod tests;
