//! Keys that a stream sends as telephone events, one after the other.

use crate::media::dtmf::sender::{Due, Manner, Sender};
use crate::media::seam::Digit;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Of one stream.
#[derive(Debug, Default)]
pub(super) struct Keypad {
    waiting: VecDeque<Digit>,
    current: Option<Sender>,
    /// When the next key may begin.
    free: Option<Instant>,
}

impl Keypad {
    /// One more key; beyond [`MOST`] it is forgotten.
    pub(super) fn push(&mut self, digit: Digit) {
        if self.waiting.len() < MOST {
            self.waiting.push_back(digit);
        }
    }

    /// The next report that is due, to be asked until there is none.
    /// `timestamp` is what the stream's clock shows.
    pub(super) fn poll(&mut self, now: Instant, timestamp: u32) -> Option<Due> {
        if self.current.as_ref().is_some_and(|key| key.due().is_none()) {
            self.current = None;
            self.free = Some(now + PAUSE);
        }
        if self.current.is_none() {
            self.begin(now, timestamp);
        }
        self.current.as_mut()?.poll(now)
    }

    /// Whether a key is down: its events stand for the audio.
    pub(super) fn is_down(&self) -> bool {
        self.current.is_some()
    }

    /// Whether anything is to be sent.
    pub(super) fn is_busy(&self) -> bool {
        self.is_down() || !self.waiting.is_empty()
    }

    /// Nothing of it can be sent any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn begin(&mut self, now: Instant, timestamp: u32) {
        if self.free.is_some_and(|free| free > now) {
            return;
        }
        while self.current.is_none()
            && let Some(digit) = self.waiting.pop_front()
        {
            self.current = Sender::new(now, timestamp, digit.key, digit.held, Manner::default());
        }
    }
}

/// Between two keys, so that they are two (ITU-T Q.24).
const PAUSE: Duration = Duration::from_millis(70);
/// Keys that wait.
const MOST: usize = 32;
