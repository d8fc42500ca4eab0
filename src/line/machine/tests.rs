//! One line between an operator and a call, both written here.

use std::time::{Duration, Instant};

use super::*;

struct Bench {
    line: Line,
    now: Instant,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        Self {
            line: Line::new(settings),
            now: Instant::now(),
        }
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        self.line.handle(self.now, input);
        std::iter::from_fn(|| self.line.poll()).collect()
    }

    fn wishes(&mut self, input: Input) -> Vec<Wish> {
        let said = self.input(input).into_iter();
        let wishes = said.filter_map(|it| match it {
            Output::Wish(wish) => Some(wish),
            Output::Sound(_) | Output::Shown(_) => None,
        });
        wishes.collect()
    }

    fn order(&mut self, order: Order) -> Vec<Wish> {
        self.wishes(Input::Order(order))
    }

    fn told(&mut self, told: Told) -> Vec<Wish> {
        self.wishes(Input::Call(told))
    }

    fn misfit(&mut self, order: Order) -> Misfit {
        let said = self.input(Input::Order(order));
        let [Output::Shown(Shown::Misfit(misfit))] = said[..] else {
            panic!("{said:?}");
        };
        misfit
    }

    fn later(&mut self, seconds: u64) -> Vec<Wish> {
        self.now += Duration::from_secs(seconds);
        self.wishes(Input::Tick)
    }

    fn talking(mut self) -> Self {
        self.order(Order::Dial("200".into()));
        self.told(Told::Answered);
        self
    }
}

fn bench() -> Bench {
    Bench::new(Settings::default())
}

fn talking(ours: Hold, theirs: Hold) -> State {
    State::Talking { ours, theirs }
}

#[test]
fn a_number_is_called_and_the_call_is_heard_of_at_each_step() {
    let mut bench = bench();
    let wishes = bench.order(Order::Dial("200".into()));
    assert_eq!(wishes, [Wish::Call("200".into())]);
    let said = bench.input(Input::Call(Told::Ringing));
    assert_eq!(said[0], Output::Sound(Sound::Ringback));
    assert_eq!(bench.line.state(), State::RingingOut);
    let said = bench.input(Input::Call(Told::Answered));
    assert_eq!(said[0], Output::Sound(Sound::Peer));
    assert_eq!(bench.line.usage(), UsageState::Busy);
    bench.told(Told::Ended("the peer hung up".into()));
    assert_eq!(bench.line.state(), State::OnHook);
}

#[test]
fn keys_make_a_number_when_no_more_of_them_come() {
    let mut bench = bench();
    let said = bench.input(Input::Order(Order::Lift));
    assert_eq!(said[0], Output::Sound(Sound::DialTone));
    assert_eq!(bench.order(Order::Key('2')), []);
    assert_eq!(bench.order(Order::Key('0')), []);
    assert_eq!(bench.later(3), [Wish::Call("20".into())]);
    assert_eq!(bench.line.next_deadline(), None);
}

#[test]
fn a_call_rings_until_it_is_answered_or_nobody_comes() {
    let mut bench = bench();
    assert_eq!(bench.told(Told::Offered("100".into())), [Wish::Ring]);
    assert_eq!(bench.order(Order::Answer), [Wish::Accept]);
    bench.order(Order::HangUp);
    bench.told(Told::Offered("100".into()));
    assert_eq!(bench.later(180), [Wish::Decline(Declined::NoAnswer)]);
    assert_eq!(bench.line.state(), State::OnHook);
}

#[test]
fn a_line_may_answer_by_itself_at_once_or_after_a_while() {
    for (wait, first, second) in [
        (0, vec![Wish::Ring, Wish::Accept], vec![]),
        (5, vec![Wish::Ring], vec![Wish::Accept]),
    ] {
        let mut bench = Bench::new(Settings {
            auto_answer: Some(Duration::from_secs(wait)),
            ..Settings::default()
        });
        assert_eq!(bench.told(Told::Offered("100".into())), first);
        assert_eq!(bench.later(wait), second);
        assert_eq!(bench.line.state(), talking(Hold::Off, Hold::Off));
    }
}

#[test]
fn a_second_caller_hears_that_the_line_is_engaged() {
    let mut bench = bench().talking();
    let wishes = bench.told(Told::Offered("300".into()));
    assert_eq!(wishes, [Wish::Decline(Declined::Busy)]);
    assert_eq!(bench.line.state(), talking(Hold::Off, Hold::Off));
}

#[test]
fn a_hold_stands_when_the_peer_has_agreed() {
    let mut bench = bench().talking();
    assert_eq!(bench.order(Order::Hold), [Wish::Hold(Hold::On)]);
    assert_eq!(bench.line.state(), talking(Hold::Off, Hold::Off));
    assert_eq!(bench.misfit(Order::Resume), Misfit::Underway);
    let said = bench.input(Input::Call(Told::Held(Hold::On)));
    assert_eq!(said[0], Output::Sound(Sound::Silence));
    assert_eq!(bench.line.state(), talking(Hold::On, Hold::Off));
    bench.told(Told::PeerHeld(Hold::On));
    assert_eq!(bench.line.state(), talking(Hold::On, Hold::On));
    assert_eq!(bench.order(Order::Resume), [Wish::Hold(Hold::Off)]);
    bench.told(Told::HoldRefused);
    assert_eq!(bench.line.state(), talking(Hold::On, Hold::On));
}

#[test]
fn a_refused_transfer_leaves_the_call() {
    let mut bench = bench().talking();
    let wishes = bench.order(Order::Transfer("300".into()));
    assert_eq!(wishes, [Wish::Transfer("300".into())]);
    let again = bench.misfit(Order::Transfer("400".into()));
    assert_eq!(again, Misfit::Underway);
    bench.told(Told::TransferRefused(603));
    assert_eq!(bench.line.state(), talking(Hold::Off, Hold::Off));
    assert_eq!(bench.order(Order::Key('5')), [Wish::Key('5')]);
}

#[test]
fn a_lock_lets_the_call_end_and_then_takes_no_more() {
    let mut bench = bench().talking();
    bench.wishes(Input::Admin(AdminOrder::Lock));
    assert_eq!(bench.line.admin(), AdminState::ShuttingDown);
    assert_eq!(bench.order(Order::HangUp), [Wish::HangUp]);
    assert_eq!(bench.line.admin(), AdminState::Locked);
    assert_eq!(bench.line.usage(), UsageState::IdleUnusable);
    let wishes = bench.told(Told::Offered("300".into()));
    assert_eq!(wishes, [Wish::Decline(Declined::Locked)]);
    assert_eq!(bench.misfit(Order::Lift), Misfit::Locked);
    bench.wishes(Input::Admin(AdminOrder::Unlock));
    assert_eq!(bench.told(Told::Offered("300".into())), [Wish::Ring]);
}

#[test]
fn a_forced_lock_ends_the_call() {
    let mut bench = bench().talking();
    let wishes = bench.wishes(Input::Admin(AdminOrder::ForceLock));
    assert_eq!(wishes, [Wish::HangUp]);
    assert_eq!(bench.line.admin(), AdminState::Locked);
}

#[test]
fn orders_that_do_not_fit_are_refused_with_the_reason() {
    let mut bench = bench();
    assert_eq!(bench.misfit(Order::Answer), Misfit::NotRinging);
    assert_eq!(bench.misfit(Order::HangUp), Misfit::NoCall);
    assert_eq!(bench.misfit(Order::Hold), Misfit::NoCall);
    assert_eq!(bench.misfit(Order::Key('e')), Misfit::NoKey);
    let mut bench = bench.talking();
    assert_eq!(bench.misfit(Order::Dial("300".into())), Misfit::Engaged);
    bench.line.settings.hold = Allowance::Forbidden;
    assert_eq!(bench.misfit(Order::Hold), Misfit::Forbidden);
}

#[test]
fn a_line_with_a_number_of_its_own_calls_it_when_lifted() {
    let mut bench = Bench::new(Settings {
        auto_call: Some("112".into()),
        ..Settings::default()
    });
    assert_eq!(bench.order(Order::Lift), [Wish::Call("112".into())]);
}

#[test]
fn what_a_call_tells_after_its_end_is_not_heard() {
    let mut bench = bench().talking();
    bench.order(Order::HangUp);
    assert_eq!(bench.input(Input::Call(Told::Answered)), []);
    assert_eq!(bench.input(Input::Call(Told::Ended("late".into()))), []);
}
