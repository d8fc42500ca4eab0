//! What no peer should send, and how much of it is kept.

use demarc::sip::rng::Rng;
use demarc::sip::session::{Event, LegId, Manner, Order, Refusal};

use super::desk::{CONTACT, Desk, Names};
use super::{reliable_manner, sdp, status};

#[test]
fn an_invite_without_contact_is_refused() {
    let mut desk = Desk::new(Manner::default());
    let mut names = Names::new("a");
    names.contact.clear();
    desk.asks("INVITE", &names, "", Some("offer"));
    assert_eq!(desk.lines(), ["400 INVITE"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn more_calls_than_there_is_room_for_are_refused() {
    let mut desk = Desk::new(Manner::default());
    for number in 0..5000 {
        desk.asks(
            "INVITE",
            &Names::new(&number.to_string()),
            "",
            Some("offer"),
        );
    }
    let lines = desk.lines();
    let refused = lines.iter().filter(|it| *it == "503 INVITE").count();
    assert_eq!(desk.told().len(), 4096);
    assert_eq!(refused, 5000 - 4096);
}

#[test]
fn forks_without_number_are_not_followed() {
    let mut desk = Desk::new(Manner::default());
    let invite = desk.call(1, Some("offer"));
    for number in 0..100 {
        desk.answer(&invite, 180, &format!("tag{number}"), CONTACT);
    }
    assert_eq!(desk.told().len(), 8);
}

#[test]
fn orders_that_do_not_fit_change_nothing() {
    let mut desk = Desk::new(Manner::default());
    let leg = LegId::In(1);
    let every = || {
        vec![
            Order::Progress(leg, status(180), None),
            Order::Accept(leg, Some(sdp("x"))),
            Order::Refuse(leg, Refusal::of(status(486))),
            Order::Answer(leg, Default::default(), sdp("x")),
            Order::RefuseOffer(leg, Default::default(), Refusal::of(status(488))),
            Order::ReferProgress(leg, status(200)),
            Order::RefuseRefer(leg, status(603)),
        ]
    };
    for order in every() {
        desk.order(order);
    }
    assert_eq!(desk.lines(), [""; 0]);
    desk.taken_call("");
    for order in every() {
        desk.order(order);
    }
    assert_eq!(desk.lines(), [""; 0]);
}

/// Messages of a call with pieces left out, doubled or exchanged, in any order.
#[test]
fn no_message_of_a_call_makes_it_panic_or_stay_for_ever() {
    for seed in 0..60 {
        let mut rng = Rng::new([seed; 32]);
        let mut desk = Desk::new(reliable_manner());
        let invite = desk.call(1, (seed % 2 == 0).then_some("offer"));
        let mut ours = Names::of_ours(&invite, "there");
        let mut theirs = Names::new("a");
        desk.asks(
            "INVITE",
            &theirs,
            "Supported: 100rel, timer\r\n",
            Some("offer"),
        );
        for _ in 0..60 {
            step(&mut desk, &mut rng, &invite, (&mut ours, &mut theirs));
        }
        for leg in [LegId::Out(1), LegId::In(1)] {
            desk.order(Order::HangUp(leg, None));
        }
        desk.world.seconds(200);
        let _ = desk.lines();
        desk.world.seconds(8000);
        assert_eq!(desk.lines(), [""; 0], "seed {seed}: something goes on");
    }
}

fn step(
    desk: &mut Desk,
    rng: &mut Rng,
    invite: &demarc::sip::message::Request,
    (ours, theirs): (&mut Names, &mut Names),
) {
    let methods = [
        "BYE", "ACK", "UPDATE", "INVITE", "PRACK", "REFER", "NOTIFY", "INFO", "CANCEL",
    ];
    let method = methods[at(rng, methods.len())];
    let fields = [
        "RAck: 1 1 INVITE\r\n",
        "Refer-To: <sip:x@y.example?Replaces=%00>\r\n",
        "Session-Expires: 4294967295;refresher=uas\r\nSupported: timer\r\n",
        "Session-Expires: 1\r\nSupported: timer\r\nMin-SE: x\r\n",
        "Event: refer\r\nSubscription-State: terminated\r\n",
        "",
    ];
    let more = fields[at(rng, fields.len())];
    let body = ["", "x"][at(rng, 2)];
    let body = Some(body).filter(|it| !it.is_empty());
    let codes = [
        100, 180, 183, 200, 202, 302, 401, 408, 422, 481, 491, 500, 603,
    ];
    match at(rng, 6) {
        0 => desk.asks(method, ours.next(), more, body),
        1 => desk.asks(method, theirs.next(), more, body),
        2 => {
            let code = codes[at(rng, codes.len())];
            let more = format!("{CONTACT}Require: 100rel\r\nRSeq: 4294967295\r\nMin-SE: 7\r\n");
            desk.answer_with(invite, code, ("there", &more), "body");
        }
        3 => {
            let leg = [LegId::Out(1), LegId::In(1)][at(rng, 2)];
            let orders = [
                Order::Progress(leg, status(183), Some(sdp("x"))),
                Order::Accept(leg, Some(sdp("x"))),
                Order::Offer(leg, sdp("x")),
                Order::AskOffer(leg),
                Order::Answer(leg, Default::default(), sdp("x")),
                Order::ReferProgress(leg, status(200)),
            ];
            desk.order(orders[at(rng, orders.len())].clone());
        }
        4 => {
            let sent = desk.sent();
            if let Some(demarc::sip::message::Message::Request(request)) = sent.last() {
                desk.answer(request, codes[at(rng, codes.len())], "there", CONTACT);
            }
        }
        _ => desk.millis(rng.up_to(5000)),
    }
    for event in desk.told() {
        if let Event::Incoming(leg, _) = event {
            desk.order(Order::Progress(leg, status(180), None));
        }
    }
}

fn at(rng: &mut Rng, length: usize) -> usize {
    usize::try_from(rng.up_to(length as u64 - 1)).expect("an index")
}
