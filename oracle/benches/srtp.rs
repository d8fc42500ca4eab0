//! SRTP beside libsrtp, in one run: `cargo bench --manifest-path oracle/Cargo.toml`.
//!
//! Here, and not with the other benches, because libsrtp needs libclang to
//! build. A packet is copied into its buffer, protected and unprotected, by
//! batches of 250 as a media thread reads them: over and over in one session
//! (hot), or in 4 000 sessions, one after the other. Nothing is asserted. A
//! figure is the median of nine rounds that alternate with the peer's; it is
//! made of the CPU of the one thread, by /proc/thread-self/schedstat.

use std::fs;

use demarc::media::srtp::{MAX_OVERHEAD, MasterKey, Receiver, Sender, Suite};
use srtp::{CryptoPolicy, Session, StreamPolicy};

fn main() {
    let peer = srtp::get_version_string();
    println!(
        "demarc {}, {peer} over the system's libcrypto",
        env!("CARGO_PKG_VERSION")
    );
    println!(
        "\n| packets of 160 octets, protected and unprotected | ours | {peer} | ratio | target | |"
    );
    println!("|---|---|---|---|---|---|");
    for (suite, sessions, target) in [
        (Suite::AesCm128HmacSha1_80, 1, 2.5),
        (Suite::AesCm128HmacSha1_80, SESSIONS, 6.0),
        (Suite::AeadAes128Gcm, 1, 2.0),
        (Suite::AeadAes128Gcm, SESSIONS, 2.0),
    ] {
        beside(suite, sessions, target);
    }
}

fn beside(suite: Suite, sessions: usize, target: f64) {
    let mut ours: Vec<_> = (0..sessions).map(|at| our_pair(suite, at)).collect();
    let mut theirs: Vec<_> = (0..sessions).map(|at| their_pair(suite, at)).collect();
    let mut sequence = 0;
    // The first round warms both up.
    let rounds = (0..=ROUNDS).map(|_| {
        let ours = ours_takes(&mut ours, sequence);
        let theirs = theirs_takes(&mut theirs, sequence);
        sequence += PACKETS / sessions;
        (ours, theirs)
    });
    let (ours, theirs) = rounds.skip(1).unzip();
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = theirs / ours;
    let met = if ratio >= target { "met" } else { "missed" };
    let (ours, theirs) = (1.0 / ours, 1.0 / theirs);
    println!(
        "| {suite}, sessions: {sessions} | {ours:.2} million/s | {theirs:.2} million/s | \
         {ratio:.1}x | at least {target:.1}x | {met} |"
    );
}

fn our_pair(suite: Suite, at: usize) -> (Sender, Receiver) {
    let (key, salt) = keying(suite, at);
    let key = MasterKey::new(suite, &key, &salt).expect("its lengths");
    (Sender::new(&key), Receiver::new(&key))
}

fn their_pair(suite: Suite, at: usize) -> (Session, Session) {
    let (key, salt) = keying(suite, at);
    let key = [key, salt].concat();
    let policy = match suite {
        Suite::AeadAes128Gcm => CryptoPolicy::aes_gcm_128_16_auth(),
        _ => CryptoPolicy::aes_cm_128_hmac_sha1_80(),
    };
    let policy = StreamPolicy {
        rtp: policy,
        rtcp: policy,
        key: &key,
        ..StreamPolicy::default()
    };
    let sender = Session::with_outbound_template(policy).expect("a session");
    (
        sender,
        Session::with_inbound_template(policy).expect("a session"),
    )
}

fn keying(suite: Suite, at: usize) -> (Vec<u8>, Vec<u8>) {
    let octets = at.to_le_bytes().into_iter().cycle();
    let key = octets.clone().take(suite.key_length()).collect();
    (key, octets.take(suite.salt_length()).collect())
}

/// Microseconds that a packet takes from its copy to its reading.
fn takes<P>(
    pairs: &mut [P],
    first: usize,
    protect: impl Fn(&mut P, &mut Vec<u8>),
    unprotect: impl Fn(&mut P, &mut Vec<u8>),
) -> f64 {
    let buffer = |_| Vec::with_capacity(PACKET + 2 * MAX_OVERHEAD);
    let mut buffers: Vec<Vec<u8>> = (0..BATCH).map(buffer).collect();
    let count = pairs.len();
    let before = thread_cpu();
    for batch in 0..PACKETS / BATCH {
        let places = (batch * BATCH..).map(|at| (at % count, first + at / count));
        for (buffer, (pair, sequence)) in buffers.iter_mut().zip(places.clone()) {
            buffer.clear();
            buffer.extend_from_slice(&packet(sequence));
            protect(&mut pairs[pair], buffer);
        }
        for (buffer, (pair, _)) in buffers.iter_mut().zip(places) {
            unprotect(&mut pairs[pair], buffer);
        }
    }
    (thread_cpu() - before) / PACKETS as f64
}

fn ours_takes(pairs: &mut [(Sender, Receiver)], first: usize) -> f64 {
    takes(
        pairs,
        first,
        |(sender, _), buffer| {
            buffer.resize(PACKET + sender.overhead(), 0);
            let length = sender.protect(buffer, PACKET).expect("protected");
            buffer.truncate(length);
        },
        |(_, receiver), buffer| {
            let length = receiver.unprotect(buffer).expect("unprotected");
            buffer.truncate(length);
        },
    )
}

fn theirs_takes(pairs: &mut [(Session, Session)], first: usize) -> f64 {
    takes(
        pairs,
        first,
        |(sender, _), buffer| sender.protect(buffer).expect("protected"),
        |(_, receiver), buffer| receiver.unprotect(buffer).expect("unprotected"),
    )
}

fn packet(sequence: usize) -> [u8; PACKET] {
    let mut packet = [0x55; PACKET];
    packet[..2].copy_from_slice(&[0x80, 8]);
    packet[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
    packet[4..12].copy_from_slice(b"\0\0\x12\x34DMRC");
    packet
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Microseconds, right to a tick of the kernel: rounds take a tenth of a second.
fn thread_cpu() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let spent = text
        .split(' ')
        .next()
        .and_then(|spent| spent.parse::<f64>().ok());
    spent.expect("nanoseconds") / 1e3
}

const SESSIONS: usize = 4_000;
const ROUNDS: usize = 9;
/// Packets of a round.
const PACKETS: usize = 400_000;
const BATCH: usize = 250;
/// A header and twenty milliseconds of G.711.
const PACKET: usize = 12 + 160;
