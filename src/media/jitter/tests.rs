//! A sender, a wire and a player, on a clock of pulls.

use super::*;
use crate::media::codec::Encoder;
use proptest::prelude::*;

const ADAPTIVE: Limits = Limits {
    minimum: Duration::from_millis(20),
    nominal: Duration::from_millis(40),
    maximum: Duration::from_millis(300),
    manner: Manner::Immediately,
};

/// Packets of 20 ms of a voice, with when they come in milliseconds.
struct Wire {
    packets: Vec<(u32, Header, Vec<u8>)>,
    samples: Vec<i16>,
}

fn voice(at: u32) -> i16 {
    let phase = std::f64::consts::TAU * 200.0 * f64::from(at) / 8000.0;
    // Louder and softer, so that no delay looks like another.
    let loudness = 1.0 + 0.4 * (phase / 57.0).sin();
    (loudness * (6000.0 * phase.sin() + 2000.0 * (3.0 * phase).cos())) as i16
}

/// `arrives` says of each packet when it comes, or that it does not.
fn wire(count: u32, first: Header, arrives: impl Fn(u32) -> Option<u32>) -> Wire {
    let mut encoder = Encoder::new(Codec::Pcma);
    let samples: Vec<i16> = (0..count * 160).map(voice).collect();
    let mut packets = Vec::new();
    for (number, frame) in (0..count).zip(samples.chunks(160)) {
        let mut payload = Vec::new();
        encoder.encode(frame, &mut payload);
        let header = Header {
            sequence: first
                .sequence
                .wrapping_add(u16::try_from(number & 0xffff).expect("masked")),
            timestamp: first.timestamp.wrapping_add(number * 160),
            ..first
        };
        if let Some(at) = arrives(number) {
            packets.push((at, header, payload));
        }
    }
    packets.sort_by_key(|(at, ..)| *at);
    Wire { packets, samples }
}

fn first() -> Header {
    Header {
        marker: true,
        payload_type: 8,
        // Both wrap soon.
        sequence: 65530,
        timestamp: u32::MAX - 1000,
        ssrc: 1,
    }
}

/// What is heard, and what became of the packets.
fn played(player: &mut Player, wire: &Wire, milliseconds: u32) -> (Vec<i16>, Vec<Arrival>) {
    let (mut out, mut arrivals) = (Vec::new(), Vec::new());
    let mut packets = wire.packets.iter().peekable();
    for now in (0..milliseconds).step_by(10) {
        while let Some((_, header, payload)) = packets.next_if(|(at, ..)| *at <= now) {
            arrivals.push(player.push(header, payload));
        }
        player.pull(&mut out);
    }
    (out, arrivals)
}

/// Of the voice at its delay, in dB, and the delay in samples.
fn quality(heard: &[i16], voice: &[i16]) -> (f64, usize) {
    let at = |delay: usize| {
        let pairs = heard[delay..].iter().zip(voice).skip(800);
        let (mut signal, mut noise) = (1.0, 1.0);
        for (is, was) in pairs {
            signal += f64::from(*was).powi(2);
            noise += (f64::from(*is) - f64::from(*was)).powi(2);
        }
        10.0 * f64::log10(signal / noise)
    };
    let each = (0..4000).step_by(80).map(|delay| (at(delay), delay));
    each.max_by(|one, other| one.0.total_cmp(&other.0))
        .expect("delays")
}

#[test]
fn a_steady_stream_is_played_after_the_nominal_wait() {
    let wire = wire(100, first(), |number| Some(number * 20));
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    let (heard, arrivals) = played(&mut player, &wire, 500);
    assert!(arrivals.iter().all(|one| *one == Arrival::Kept));
    let (decibel, delay) = quality(&heard[..4000], &wire.samples[..3600]);
    assert!(decibel > 30.0 && delay == 320, "{decibel} dB, {delay}");
}

#[test]
fn the_wait_shrinks_to_the_minimum_when_nothing_is_late() {
    let wire = wire(500, first(), |number| Some(number * 20));
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    played(&mut player, &wire, 9000);
    assert_eq!(player.wait(), Duration::from_millis(30));
}

#[test]
fn order_and_duplicates_are_not_heard() {
    let mut wire = wire(100, first(), |number| Some(number * 20));
    for pair in wire.packets.chunks_mut(2) {
        let (one, other) = pair.split_at_mut(1);
        std::mem::swap(&mut one[0].0, &mut other[0].0);
    }
    let copies: Vec<_> = wire.packets.iter().step_by(3).cloned().collect();
    wire.packets.extend(copies);
    wire.packets.sort_by_key(|(at, ..)| *at);
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    let (heard, arrivals) = played(&mut player, &wire, 500);
    assert!(arrivals.contains(&Arrival::Duplicate));
    assert!(!arrivals.contains(&Arrival::Late));
    assert!(quality(&heard, &wire.samples[..3200]).0 > 30.0);
}

#[test]
fn a_lost_packet_is_concealed() {
    let all = wire(100, first(), |number| Some(number * 20));
    let gaps = wire(100, first(), |number| {
        (number % 10 != 7).then_some(number * 20)
    });
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    let (heard, _) = played(&mut player, &gaps, 500);
    // Silence instead of two packets of 22 would leave 10 dB.
    let (decibel, _) = quality(&heard, &all.samples[..3600]);
    assert!(decibel > 15.0, "{decibel} dB");
    assert_eq!(player.concealed(), Duration::from_millis(40 + 40));
}

#[test]
fn the_wait_grows_with_the_jitter_and_few_packets_are_lost_then() {
    // Up to 100 ms late, in no order.
    let late = |number: u32| number.wrapping_mul(2_654_435_761) >> 16;
    let wire = wire(1000, first(), |number| {
        Some(number * 20 + late(number) % 100)
    });
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    let (_, arrivals) = played(&mut player, &wire, 20200);
    let lost = |range: std::ops::Range<usize>| {
        arrivals[range]
            .iter()
            .filter(|one| **one == Arrival::Late)
            .count()
    };
    assert!(lost(200..1000) < 16, "{}", lost(200..1000));
    let wait = player.wait();
    assert!((50..90).contains(&wait.as_millis()), "{wait:?}");
}

#[test]
fn a_drifting_clock_is_followed_both_ways() {
    // One in 500, many times what clocks do: 40 ms in 20 s.
    for (numerator, name) in [(998, "fast"), (1002, "slow")] {
        let wire = wire(1000, first(), |number| Some(number * 20 * numerator / 1000));
        let mut player = Player::new(Codec::Pcma, ADAPTIVE);
        let (_, arrivals) = played(&mut player, &wire, 19900);
        let lost = arrivals.iter().filter(|one| **one != Arrival::Kept).count();
        assert!(lost <= 6, "{name}: {lost}");
        assert!(
            player.wait() < Duration::from_millis(60),
            "{name}: {:?}",
            player.wait()
        );
    }
}

#[test]
fn spurts_of_talk_are_played_whole() {
    // 400 ms of talk, 600 ms of nothing; the second spurt comes 80 ms later than it should.
    let spurt = |number: u32| number % 50 < 20;
    let late = |number: u32| if number >= 50 { 80 } else { 0 };
    let wire = wire(200, first(), |number| {
        spurt(number).then_some(number * 20 + late(number))
    });
    let limits = Limits {
        manner: Manner::InSilence,
        ..ADAPTIVE
    };
    let mut player = Player::new(Codec::Pcma, limits);
    let (heard, arrivals) = played(&mut player, &wire, 4000);
    let lost = arrivals.iter().filter(|one| **one != Arrival::Kept).count();
    assert!(lost <= 6, "{lost}");
    // 1600 ms of talk, and what is made up behind each spurt.
    let loud = heard.iter().filter(|one| one.unsigned_abs() > 100).count();
    assert!((12000..12800 + 4 * 480).contains(&loud), "{loud}");
}

#[test]
fn another_source_is_heard_from_its_second_packet_on() {
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    played(
        &mut player,
        &wire(50, first(), |number| Some(number * 20)),
        1000,
    );
    let other = Header {
        ssrc: 2,
        timestamp: 5,
        ..first()
    };
    let (heard, arrivals) = played(
        &mut player,
        &wire(50, other, |number| Some(number * 20)),
        1000,
    );
    assert_eq!(
        arrivals[..3],
        [Arrival::Strange, Arrival::Kept, Arrival::Kept]
    );
    assert!(heard[4000..].iter().any(|one| one.unsigned_abs() > 5000));
    // A single packet of a third does not disturb.
    let stray = Header { ssrc: 3, ..first() };
    assert_eq!(player.push(&stray, &[0xd5; 160]), Arrival::Strange);
    assert_eq!(player.push(&stray, &[]), Arrival::Empty);
}

#[test]
fn a_sender_that_sets_its_clock_is_followed() {
    for jump in [
        100_000_u32,
        1_u32.wrapping_sub(100_000),
        4000_u32.wrapping_neg(),
    ] {
        let mut wire = wire(200, first(), |number| Some(number * 20));
        for (_, header, _) in &mut wire.packets[100..] {
            header.timestamp = header.timestamp.wrapping_add(jump);
        }
        let mut player = Player::new(Codec::Pcma, ADAPTIVE);
        let (heard, arrivals) = played(&mut player, &wire, 4000);
        let lost = arrivals.iter().filter(|one| **one != Arrival::Kept).count();
        assert!(lost <= 8, "{jump}: {lost}");
        assert!(
            heard[28000..31000]
                .iter()
                .any(|one| one.unsigned_abs() > 5000)
        );
    }
}

#[test]
fn a_fixed_wait_stays_as_it_is() {
    let limits = Limits {
        manner: Manner::Fixed,
        nominal: Duration::from_millis(100),
        ..ADAPTIVE
    };
    let wire = wire(500, first(), |number| Some(number * 20 + number % 3 * 10));
    let mut player = Player::new(Codec::Pcma, limits);
    let (heard, _) = played(&mut player, &wire, 10000);
    let (decibel, delay) = quality(&heard, &wire.samples[..70000]);
    assert!(decibel > 30.0 && delay == 800, "{decibel} {delay}");
}

#[test]
fn comfort_noise_is_heard_until_there_is_audio() {
    let mut player = Player::new(Codec::Pcma, ADAPTIVE);
    played(
        &mut player,
        &wire(10, first(), |number| Some(number * 20)),
        400,
    );
    player.silence(30);
    let mut noise = Vec::new();
    (0..10).for_each(|_| player.pull(&mut noise));
    assert!(noise[400..].iter().any(|one| one.unsigned_abs() > 300));
    assert!(noise.iter().all(|one| one.unsigned_abs() < 3000));
    let again = Header {
        timestamp: first().timestamp.wrapping_add(500 * 8),
        ..first()
    };
    let (heard, _) = played(
        &mut player,
        &wire(20, again, |number| Some(number * 20)),
        300,
    );
    assert!(heard.iter().any(|one| one.unsigned_abs() > 5000));
}

#[test]
fn wide_band_audio_has_twice_the_samples() {
    let mut player = Player::new(Codec::G722, ADAPTIVE);
    let mut out = Vec::new();
    for number in 0..20 {
        let header = Header {
            timestamp: number * 160,
            ..first()
        };
        player.push(&header, &[0xfa; 160]);
        (0..2).for_each(|_| player.pull(&mut out));
    }
    assert_eq!(out.len(), 20 * 320);
}

proptest! {
    /// Whatever comes, each pull brings 10 ms.
    #[test]
    fn any_packets_are_survived(packets in prop::collection::vec((any::<u32>(), any::<u16>(), 0u32..3, 0usize..600), 0..60), near in any::<bool>()) {
        let mut player = Player::new(Codec::Pcmu, ADAPTIVE);
        let mut out = Vec::new();
        for (timestamp, sequence, ssrc, length) in packets {
            let timestamp = if near { timestamp % 8000 } else { timestamp };
            let header = Header { timestamp, sequence, ssrc, ..first() };
            player.push(&header, &vec![0x80; length]);
            out.clear();
            player.pull(&mut out);
            prop_assert_eq!(out.len(), 80);
            prop_assert!(player.wait() <= Duration::from_millis(2000));
        }
    }
}
