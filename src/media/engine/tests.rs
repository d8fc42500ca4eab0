//! Stories of streams on a simulated wire: the other party is written from the RFCs.

use super::testing::{A, B, Desk, at, material, opened, place, protected, rtp, srtp, terms, voice};
use crate::media::negotiation::Payloads;
use crate::media::seam::{Digit, Ends, Event, Medium, Order, Security, Sink, Source, Voice};
use crate::media::srtp::{Receiver, Sender, Sequence, Suite};
use crate::media::tone::Tone;
use crate::wire::rtp::Packet;
use crate::wire::rtp::event::Report;
use crate::wire::rtp::rtcp::{Compound, Packet as Control};
use crate::wire::sdp::Direction;
use std::time::Duration;

#[test]
fn clear_and_protected_audio_is_relayed_both_ways_in_every_suite() {
    for suite in Suite::ALL {
        let secure = Medium::Voice(voice(srtp(suite, [1, 2])));
        let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), secure);
        let mut receiver = Receiver::new(&material(suite, 1).master().expect("a key"));
        let mut sender = Sender::new(&material(suite, 2).master().expect("a key"));
        for sequence in [1, 2, 4, 3] {
            let payload = [sequence as u8; 160];
            let left = desk.come(0, 1000, &rtp(8, sequence, &payload));
            let read = opened(&mut receiver, &left[0]).expect("the peer reads it");
            let read = Packet::parse(&read).expect("a packet");
            assert_eq!((read.payload, read.header.payload_type), (&payload[..], 8));
            let left = desk.come(
                1,
                2000,
                &protected(&mut sender, &rtp(8, sequence, &payload)),
            );
            assert_eq!(desk.left[0].1, place(1000));
            assert_eq!(Packet::parse(&left[0]).expect("a packet").payload, payload);
        }
    }
}

#[test]
fn what_is_forged_or_comes_twice_is_not_relayed_and_moves_nothing() {
    let suite = Suite::AesCm128HmacSha1_80;
    let secure = Medium::Voice(voice(srtp(suite, [1, 2])));
    let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), secure);
    let mut sender = Sender::new(&material(suite, 2).master().expect("a key"));
    let good = protected(&mut sender, &rtp(8, 1, &[7; 160]));
    for octet in 0..good.len() {
        let mut forged = good.clone();
        forged[octet] ^= 0x41;
        assert!(desk.come(1, 9, &forged).is_empty(), "octet {octet}");
    }
    assert!(desk.come(1, 9, &rtp(8, 1, &[7; 160])).is_empty());
    assert_eq!(desk.events, []);
    assert_eq!(desk.come(1, 2000, &good).len(), 1);
    assert!(desk.come(1, 2000, &good).is_empty());
    desk.pass(300);
    let figures = desk.engine.figures(B).expect("a stream").read();
    assert_eq!(figures.packets_received, 1);
    assert_eq!(figures.refused, u64::try_from(good.len()).expect("few") + 2);
}

#[test]
fn a_stream_moves_to_where_authentic_packets_come_from() {
    let suite = Suite::AeadAes128Gcm;
    let secure = Medium::Voice(voice(srtp(suite, [1, 2])));
    let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), secure);
    let mut sender = Sender::new(&material(suite, 2).master().expect("a key"));
    desk.come(1, 3333, &protected(&mut sender, &rtp(8, 1, &[7; 160])));
    assert_eq!(desk.events, [Event::Latched(B, place(3333))]);
    desk.come(0, 1000, &rtp(8, 1, &[7; 160]));
    assert_eq!(desk.left[0].1, place(3333));
}

#[test]
fn while_keys_change_packets_of_the_old_and_the_new_are_heard() {
    let suite = Suite::Aes256CmHmacSha1_80;
    let with = |keys| Medium::Voice(voice(srtp(suite, keys)));
    let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), with([1, 2]));
    let mut sender = Sender::new(&material(suite, 2).master().expect("a key"));
    let sent: Vec<_> = (1..=4)
        .map(|at| protected(&mut sender, &rtp(8, at, &[7; 160])))
        .collect();
    assert_eq!(desk.come(1, 2000, &sent[0]).len(), 1);
    desk.order(Order::Set(B, terms(2000, with([3, 4]))));
    let next = material(suite, 4).master().expect("a key");
    sender.rekey(&next, Sequence::Continues).expect("another");
    let new = protected(&mut sender, &rtp(8, 5, &[7; 160]));
    assert_eq!(desk.come(1, 2000, &new).len(), 1);
    assert_eq!(desk.come(1, 2000, &sent[1]).len(), 1);
    // A refresh that repeats the keys changes nothing.
    desk.order(Order::Set(B, terms(2000, with([3, 4]))));
    assert_eq!(desk.come(1, 2000, &sent[2]).len(), 1);
    desk.pass(1500);
    assert!(
        desk.come(1, 2000, &sent[3]).is_empty(),
        "its time has passed"
    );
}

fn with_keys() -> Medium {
    let types = Payloads {
        send: 101,
        receive: 96,
    };
    Medium::Voice(Voice {
        dtmf: Some(types),
        ..voice(Security::Clear)
    })
}

#[test]
fn a_key_is_relayed_where_the_peer_takes_events_and_told_where_it_does_not() {
    let report = Report {
        event: 5,
        end: true,
        volume: 10,
        duration: 800,
    };
    let key = rtp(96, 1, &report.octets());
    let mut desk = Desk::joined(with_keys(), with_keys());
    let left = desk.come(0, 1000, &key);
    let read = Packet::parse(&left[0]).expect("a packet");
    assert_eq!(read.header.payload_type, 101);
    assert_eq!((read.payload, desk.events.len()), (&report.octets()[..], 0));

    let mut desk = Desk::joined(with_keys(), Medium::Voice(voice(Security::Clear)));
    assert!(desk.come(0, 1000, &key).is_empty());
    let held = Duration::from_millis(100);
    assert_eq!(desk.events, [Event::Digit(A, Digit { key: '5', held })]);
}

#[test]
fn a_key_from_info_is_sent_as_events_in_the_place_of_audio() {
    let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), with_keys());
    let first = desk.come(0, 1000, &rtp(8, 1, &[7; 160]));
    let first = Packet::parse(&first[0]).expect("a packet").header.sequence;
    desk.left.clear();
    let held = Duration::from_millis(100);
    desk.order(Order::SendDigit(B, Digit { key: '#', held }));
    desk.pass(60);
    assert!(!desk.left.is_empty());
    let before = desk.left.clone();
    assert!(desk.come(0, 1000, &rtp(8, 2, &[7; 160])).is_empty());
    desk.left = before;
    desk.pass(100);
    let mut numbers = Vec::new();
    for (_, _, octets) in &desk.left {
        let packet = Packet::parse(octets).expect("a packet");
        let mut all = Report::all(packet.payload).expect("reports");
        let (_, report) = all.next().expect("a report");
        assert_eq!((report.event, packet.header.payload_type), (11, 101));
        numbers.push(packet.header.sequence);
    }
    // RFC 4733 §2.5.1.4: the end three times.
    assert!(numbers.len() >= 4, "{numbers:?}");
    let next = desk.come(0, 1000, &rtp(8, 3, &[7; 160]));
    numbers.push(Packet::parse(&next[0]).expect("a packet").header.sequence);
    let expected: Vec<u16> = (1..=numbers.len() as u16).map(|at| first + at).collect();
    assert_eq!(numbers, expected, "no gap and no number twice");
}

#[test]
fn a_held_peer_is_neither_sent_nor_heard_and_its_silence_is_none() {
    let held = Medium::Voice(Voice {
        direction: Direction::Inactive,
        ..voice(Security::Clear)
    });
    let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), held);
    assert!(desk.come(0, 1000, &rtp(8, 1, &[7; 160])).is_empty());
    assert!(desk.come(1, 2000, &rtp(8, 1, &[7; 160])).is_empty());
    desk.pass(31_000);
    assert_eq!(desk.events, [Event::Silent(A)]);
    desk.come(0, 1000, &rtp(8, 2, &[7; 160]));
    desk.pass(31_000);
    assert_eq!(desk.events, [Event::Silent(A), Event::Silent(A)]);
}

#[test]
fn nothing_flows_while_keys_are_awaited_but_their_handshake() {
    let awaited = Medium::Voice(voice(Security::Awaited));
    let mut desk = Desk::joined(Medium::Voice(voice(Security::Clear)), awaited);
    assert!(desk.come(0, 1000, &rtp(8, 1, &[7; 160])).is_empty());
    assert!(desk.come(1, 2000, &rtp(8, 1, &[7; 160])).is_empty());
    desk.come(1, 2000, &[22, 254, 253]);
    assert_eq!(
        desk.events,
        [Event::Dtls(B, place(2000), vec![22, 254, 253])]
    );
    desk.left.clear();
    desk.order(Order::SendDtls(B, vec![22, 1]));
    assert_eq!(desk.left, [(at(1), place(2000), vec![22, 1])]);
}

#[test]
fn fax_is_relayed_as_it_is_and_nothing_else_is() {
    let mut desk = Desk::joined(Medium::Fax, Medium::Fax);
    let mut datagram = Vec::new();
    crate::wire::udptl::Packet::write(3, &[1, 2, 3], &[], &mut datagram);
    assert_eq!(desk.come(0, 1000, &datagram), [datagram.clone()]);
    assert!(desk.come(0, 1000, &[0]).is_empty());
    desk.order(Order::Set(
        B,
        terms(2000, Medium::Voice(voice(Security::Clear))),
    ));
    assert!(desk.come(0, 1000, &datagram).is_empty());
}

#[test]
fn a_line_plays_a_tone_and_records_what_it_hears() {
    let mut desk = Desk::new();
    desk.order(Order::Set(
        A,
        terms(1000, Medium::Voice(voice(Security::Clear))),
    ));
    let ends = Ends {
        source: Source::Tone(Tone::DIAL),
        sink: Sink::Record(Duration::from_millis(400)),
    };
    desk.order(Order::Line(A, ends));
    for sequence in 0..50 {
        // Silence of the A-law, then its loudest.
        desk.come(0, 1000, &rtp(8, sequence, &[0x2a; 160]));
        desk.pass(20);
    }
    let packet = Packet::parse(&desk.left[0].2).expect("a packet");
    assert_eq!((packet.payload.len(), packet.header.payload_type), (160, 8));
    assert!(packet.payload.iter().any(|octet| *octet != 0xd5));
    desk.events.clear();
    desk.order(Order::Part(A));
    let [Event::Recorded(A, wave)] = &desk.events[..] else {
        panic!("{:?}", desk.events);
    };
    assert_eq!(wave.samples.len(), 3200);
    assert!(
        wave.samples
            .iter()
            .any(|sample| sample.unsigned_abs() > 30_000)
    );
}

#[test]
fn reports_say_what_was_lost_and_a_closed_stream_says_goodbye() {
    let clear = || Medium::Voice(voice(Security::Clear));
    let mut desk = Desk::joined(clear(), clear());
    for sequence in [1, 2, 5, 6] {
        desk.come(0, 1000, &rtp(8, sequence, &[7; 160]));
    }
    desk.left.clear();
    desk.pass(9000);
    let to = place(1001);
    let mut reports = desk.left.iter().filter(|(_, place, _)| *place == to);
    let (_, _, first) = reports.next().expect("a report");
    let compound = Compound::parse(first).expect("RTCP");
    let Some(Control::Receiver { mut blocks, .. }) = compound.packets().next() else {
        panic!("A was sent nothing, so it is no sender");
    };
    let block = blocks.next().expect("of A");
    assert_eq!((block.ssrc, block.lost), (77, 2));
    let figures = desk.engine.figures(A).expect("a stream").read();
    assert_eq!((figures.packets_received, figures.lost), (4, 2));
    assert!(figures.score.is_some_and(|score| score < 400));

    desk.left.clear();
    desk.order(Order::Close(B));
    let (_, to, bye) = &desk.left[0];
    assert_eq!(*to, place(2001));
    let compound = Compound::parse(bye).expect("RTCP");
    assert!(compound.packets().any(|one| matches!(one, Control::Bye(_))));
    assert!(desk.come(0, 1000, &rtp(8, 7, &[7; 160])).is_empty());
}

#[test]
fn a_stream_goes_on_in_another_engine() {
    let clear = || Medium::Voice(voice(Security::Clear));
    let (mut here, mut there) = (Desk::joined(clear(), clear()), Desk::new());
    there.order(Order::Close(A));
    let (_, moving) = here.engine.give(A).expect("it is there");
    assert!(here.come(0, 1000, &rtp(8, 1, &[7; 160])).is_empty());
    assert_eq!(there.engine.take(moving), 0);
    there.order(Order::Set(B, terms(3000, clear())));
    there.order(Order::Join(A, B));
    assert_eq!(there.come(0, 1000, &rtp(8, 1, &[7; 160])).len(), 1);
    assert_eq!(there.left[0].1, place(3000));
}
