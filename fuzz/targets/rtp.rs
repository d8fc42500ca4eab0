//! RTP, RTCP and what they carry: what is read is written and read again, and
//! what was checked can be walked. A player survives whatever it is given.
#![no_main]

use demarc::media::codec::Codec;
use demarc::media::dtmf::info::Signal;
use demarc::media::dtmf::receiver::Receiver;
use demarc::media::jitter::{Limits, Manner, Player};
use demarc::wire::rtp::event::Report;
use demarc::wire::rtp::noise::Noise;
use demarc::wire::rtp::rtcp::{self, Compound};
use demarc::wire::rtp::shared::Kind;
use demarc::wire::rtp::{HEADER, Packet};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, Instant};

fuzz_target!(|octets: &[u8]| {
    match Kind::of(octets) {
        Some(Kind::Rtcp) => reports(octets),
        _ => {
            media(octets);
            stream(octets);
        }
    }
    let _ = (Signal::parse_relay(octets), Signal::parse_plain(octets));
});

fn media(octets: &[u8]) {
    match Packet::parse(octets) {
        Ok(packet) => {
            let mut out = Vec::new();
            packet.write(&mut out);
            assert_eq!(Packet::parse(&out), Ok(packet));
            assert!(packet.csrcs().count() <= 15);
            payload(packet.payload);
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
}

fn payload(payload: &[u8]) {
    if let Ok(each) = Report::all(payload) {
        for (_, report) in each {
            let again = Report::all(&report.octets()).map(|mut all| all.next());
            assert_eq!(again, Ok(Some((0, report))));
        }
    }
    let mut receiver = Receiver::default();
    let _ = receiver.packet(Instant::now(), 0, payload, |_| {});
    if let Ok(noise) = Noise::parse(payload) {
        let mut out = Vec::new();
        noise.write(&mut out);
        assert_eq!(Noise::parse(&out), Ok(noise));
        assert!(noise.coefficients().all(|one| one.abs() < 1.0));
    }
}

fn reports(octets: &[u8]) {
    let compound = match Compound::parse(octets) {
        Ok(compound) => compound,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    assert!(compound.packets().count() > 0);
    for packet in compound.packets() {
        match packet {
            rtcp::Packet::Sender { blocks, .. } | rtcp::Packet::Receiver { blocks, .. } => {
                assert!(blocks.count() <= 31);
            }
            rtcp::Packet::Description(names) => assert!(names.count() <= 31),
            rtcp::Packet::Bye(sources) => assert!(sources.count() <= 31),
            rtcp::Packet::Other(kind) => assert!(!(200..=203).contains(&kind)),
        }
    }
}

/// Packets of 40 octets, one a pull.
fn stream(octets: &[u8]) {
    let limits = Limits {
        minimum: Duration::from_millis(20),
        nominal: Duration::from_millis(0),
        maximum: Duration::from_millis(125),
        manner: Manner::Immediately,
    };
    let mut player = Player::new(Codec::G722, limits);
    let mut out = Vec::new();
    for packet in octets.chunks(HEADER + 28) {
        if let Ok(packet) = Packet::parse(packet) {
            player.push(&packet.header, packet.payload);
        }
        out.clear();
        player.pull(&mut out);
        assert_eq!(out.len(), 160);
    }
}
