//! DTMF: keys as telephone events, in SIP INFO, and as tones.
//!
//! For lines and for the switch, which turns one into another. A key is one of
//! `0`..`9`, `*`, `#`, `A`..`D`, and `!` for the hook flash where it is an event.

pub mod detector;
pub mod info;
pub mod receiver;
pub mod sender;

use crate::media::tone::Tone;

/// The tone of a key (ITU-T Q.23), for as long as it is played.
pub fn tone(key: char) -> Option<Tone> {
    let key = key.to_ascii_uppercase();
    let at = KEYS.iter().position(|row| row.contains(&key))?;
    let column = KEYS[at].iter().position(|one| *one == key)?;
    Some(Tone::new([ROWS[at], COLUMNS[column]], LEVEL, (1000, 0)))
}

/// As they stand on the pad.
const KEYS: [[char; 4]; 4] = [
    ['1', '2', '3', 'A'],
    ['4', '5', '6', 'B'],
    ['7', '8', '9', 'C'],
    ['*', '0', '#', 'D'],
];
/// In Hz.
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
/// In Hz.
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
/// Of each of the two, in dBm0.
const LEVEL: f64 = -9.0;
