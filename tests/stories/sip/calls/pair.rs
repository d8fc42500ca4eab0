//! Two of our own cores call each other over a network that loses, delays and reorders.
//!
//! What they agree on may be wrong on both sides: the other stories judge
//! that. These show that no loss leaves a call half made.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use demarc::sip::Stack;
use demarc::sip::event::{Input, Output, SocketId, TimeOfDay};
use demarc::sip::message::StatusCode;
use demarc::sip::rng::Rng;
use demarc::sip::session::{Description, Ending, Event, Fork, LegId, Manner, Order};
use demarc::sip::settings::{Gateway, Settings};
use demarc::sip::transport::Transport;

use super::super::world::host;
use super::desk::invite;
use super::{reliable_manner, sdp, status};

const OUT: LegId = LegId::Out(1);
const IN: LegId = LegId::In(1);

/// One of the two.
struct Side {
    stack: Stack,
    addr: SocketAddr,
    sockets: BTreeMap<SocketId, Transport>,
    heard: Vec<Event>,
}

/// Both, and what is on its way between them.
struct Pair {
    sides: [Side; 2],
    now: Instant,
    rng: Rng,
    loss: u64,
    parcels: Vec<(Instant, usize, Vec<u8>)>,
}

impl Pair {
    fn new(seed: u8, loss: u64, manner: &Manner) -> Self {
        let addrs = ["192.0.2.1:5060", "192.0.2.2:5060"];
        let addrs = addrs.map(|it| it.parse().expect("an address"));
        let side = |own: usize| Side {
            stack: Stack::new([own as u8 + seed; 32]).with_calls(manner.clone()),
            addr: addrs[own],
            sockets: BTreeMap::new(),
            heard: Vec::new(),
        };
        let mut pair = Self {
            sides: [side(0), side(1)],
            now: Instant::now(),
            rng: Rng::new([seed; 32]),
            loss,
            parcels: Vec::new(),
        };
        for own in 0..2 {
            let mut settings = Settings::default();
            settings.interfaces.insert("Lan1".into(), ip(addrs[own]));
            settings
                .gateways
                .insert("default".into(), Gateway::default());
            settings.proxy.home_domain_host = host(&addrs[1 - own].to_string());
            pair.input(own, Input::Time(TimeOfDay::Known));
            pair.input(own, Input::Settings(Box::new(settings)));
        }
        pair
    }

    fn input(&mut self, own: usize, input: Input) {
        self.sides[own].stack.handle(self.now, input);
        while let Some(output) = self.sides[own].stack.poll() {
            self.obey(own, output);
        }
    }

    fn obey(&mut self, own: usize, output: Output) {
        match output {
            Output::Listen {
                id,
                transport,
                local,
                ..
            } => {
                self.sides[own].sockets.insert(id, transport);
                self.input(own, Input::Listening { id, local });
            }
            Output::Datagram { peer, bytes, .. } => {
                let lost = self.rng.up_to(99) < self.loss;
                let other = self.sides.iter().position(|it| it.addr == peer);
                if let Some(other) = other.filter(|_| !lost) {
                    let delay = Duration::from_millis(5 + self.rng.up_to(300));
                    self.parcels.push((self.now + delay, other, bytes));
                }
            }
            Output::Call(event) => self.sides[own].heard.push(event),
            _ => {}
        }
    }

    fn order(&mut self, own: usize, order: Order) {
        self.input(own, Input::Call(order));
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let parcel = self.parcels.iter().map(|it| it.0).min();
            let deadlines = self.sides.iter().filter_map(|it| it.stack.next_deadline());
            let Some(at) = deadlines.chain(parcel).min().filter(|it| *it <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            let due = self.parcels.iter().position(|it| it.0 <= self.now);
            match due {
                Some(place) => {
                    let (_, own, bytes) = self.parcels.swap_remove(place);
                    self.deliver(own, bytes);
                }
                None => {
                    self.input(0, Input::Tick);
                    self.input(1, Input::Tick);
                }
            }
        }
    }

    fn deliver(&mut self, own: usize, bytes: Vec<u8>) {
        let sockets = &self.sides[own].sockets;
        let udp = sockets.iter().find(|(_, it)| **it == Transport::Udp);
        let (id, peer) = (*udp.expect("a UDP socket").0, self.sides[1 - own].addr);
        self.input(own, Input::Datagram { id, peer, bytes });
    }

    /// Both answer what they are offered; those whose own offer nobody answered.
    fn answer_offers(&mut self) -> Vec<usize> {
        let legs = [OUT, IN];
        let mut answering = vec![0, 1];
        for _ in 0..6000 {
            for own in answering.clone() {
                let offer = |it: &Event| matches!(it, Event::Offer(leg, ..) if *leg == legs[own]);
                if self.sides[own].heard.iter().any(offer) {
                    self.order(own, Order::Answer(legs[own], Fork(0), sdp("held")));
                    answering.retain(|it| *it != own);
                }
            }
            if self.unanswered(legs).is_empty() {
                break;
            }
            self.run(Duration::from_millis(10));
        }
        self.unanswered(legs)
    }

    fn unanswered(&self, legs: [LegId; 2]) -> Vec<usize> {
        let answer = |own: usize| Event::Answer(legs[own], Fork(0), sdp("held"));
        let open = |own: &usize| !self.sides[*own].heard.contains(&answer(*own));
        [0, 1].into_iter().filter(open).collect()
    }

    /// Lets time pass until a side was told such a thing.
    fn until(&mut self, own: usize, told: impl Fn(&Event) -> bool) -> bool {
        for _ in 0..6000 {
            if self.sides[own].heard.iter().any(&told) {
                return true;
            }
            self.run(Duration::from_millis(10));
        }
        false
    }
}

fn ip(addr: SocketAddr) -> IpAddr {
    addr.ip()
}

/// A call with ringing, answer, hold by either side, and its end.
fn whole_call(seed: u8, loss: u64, manner: &Manner) -> Result<(), String> {
    let mut pair = Pair::new(seed, loss, manner);
    pair.run(Duration::from_millis(500));
    pair.order(0, Order::Invite(OUT, Box::new(invite(Some("offer")))));
    if !pair.until(1, |it| matches!(it, Event::Incoming(..))) {
        return expect_refusal(&mut pair);
    }
    pair.order(
        1,
        Order::Progress(IN, StatusCode::SESSION_PROGRESS, Some(sdp("answer"))),
    );
    pair.run(Duration::from_secs(2));
    pair.order(1, Order::Accept(IN, Some(sdp("answer"))));
    let answered = |it: &Event| matches!(it, Event::Answered { .. });
    let confirmed = |it: &Event| matches!(it, Event::Confirmed(..));
    if !pair.until(0, answered) || !pair.until(1, confirmed) {
        return Err(format!(
            "not set up: {:?} {:?}",
            pair.sides[0].heard, pair.sides[1].heard
        ));
    }
    // Both at once: one of them has to give way.
    pair.order(0, Order::Offer(OUT, sdp("hold by 0")));
    pair.order(1, Order::Offer(IN, sdp("hold by 1")));
    if let Some(own) = pair.answer_offers().first().copied() {
        return Err(format!("no answer at {own}: {:?}", pair.sides[own].heard));
    }
    pair.order(0, Order::HangUp(OUT, None));
    let ended = |it: &Event| matches!(it, Event::Ended(IN, Ending::Bye(_)));
    match pair.until(1, ended) {
        true => Ok(()),
        false => Err(format!("not ended: {:?}", pair.sides[1].heard)),
    }
}

/// Where no INVITE gets through in 64*T1, the caller is told so.
fn expect_refusal(pair: &mut Pair) -> Result<(), String> {
    let refused = |it: &Event| matches!(it, Event::Refused(OUT, it) if it.status == status(408));
    match pair.until(0, refused) {
        true => Ok(()),
        false => Err("neither called nor refused".into()),
    }
}

#[test]
fn a_pair_of_our_own_makes_holds_and_ends_calls_in_spite_of_loss_and_reordering() {
    for loss in [0, 5, 15] {
        for seed in 0..20 {
            let outcome = whole_call(seed, loss, &Manner::default());
            assert_eq!(outcome, Ok(()), "seed {seed}, loss {loss}");
        }
    }
}

#[test]
fn a_pair_of_our_own_with_reliable_responses_does_so_too() {
    for loss in [0, 5, 15] {
        for seed in 100..120 {
            let outcome = whole_call(seed, loss, &reliable_manner());
            assert_eq!(outcome, Ok(()), "seed {seed}, loss {loss}");
        }
    }
}

#[test]
fn a_pair_of_our_own_ends_a_call_that_is_cancelled_whatever_gets_lost() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed, 20, &Manner::default());
        pair.run(Duration::from_millis(500));
        pair.order(0, Order::Invite(OUT, Box::new(invite(Some("offer")))));
        if !pair.until(1, |it| matches!(it, Event::Incoming(..))) {
            continue;
        }
        pair.order(1, Order::Progress(IN, StatusCode::RINGING, None));
        pair.run(Duration::from_millis(u64::from(seed) * 20));
        // One hangs up while the other answers.
        pair.order(0, Order::HangUp(OUT, None));
        pair.run(Duration::from_millis(u64::from(seed) * 13));
        pair.order(1, Order::Accept(IN, Some(sdp("answer"))));
        let ended = pair.until(1, |it| matches!(it, Event::Ended(..)));
        assert!(ended, "seed {seed}: {:?}", pair.sides[1].heard);
        let answered = |it: &Event| matches!(it, Event::Answered { .. });
        assert!(!pair.sides[0].heard.iter().any(answered), "seed {seed}");
    }
}

#[test]
fn a_pair_of_our_own_finds_that_the_first_answer_is_the_only_one() {
    let mut pair = Pair::new(1, 0, &Manner::default());
    pair.run(Duration::from_millis(500));
    pair.order(0, Order::Invite(OUT, Box::new(invite(None))));
    assert!(pair.until(1, |it| matches!(it, Event::Incoming(..))));
    pair.order(1, Order::Accept(IN, Some(sdp("their offer"))));
    let offered = |it: &Event| matches!(it, Event::Answered { description: Description::Offer(it), .. } if *it == sdp("their offer"));
    assert!(pair.until(0, offered));
    pair.order(0, Order::Answer(OUT, Fork(0), sdp("our answer")));
    let confirmed = Event::Confirmed(IN, Some(sdp("our answer")));
    assert!(pair.until(1, |it| *it == confirmed));
}
