//! Media: audio, and the packets that carry it. Pure cores; nothing here waits.

pub mod codec;
pub mod dtmf;
pub mod jitter;
pub mod statistics;
pub mod tone;
pub mod wav;
