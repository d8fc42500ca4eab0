//! The streams of a session: an SSRC and its window each.
//!
//! The first stands in place, since most sessions have one; others are made
//! only by packets that are authentic.

use super::error::Error;
use super::window::Window;

/// Streams by SSRC and epoch: sequence numbers that begin anew make another stream.
#[derive(Default)]
pub(super) struct Streams {
    first: Option<Stream>,
    others: Vec<Stream>,
}

struct Stream {
    ssrc: u32,
    epoch: u32,
    window: Window,
}

impl Streams {
    /// The window of a stream; a new one's is empty.
    pub(super) fn window(&self, ssrc: u32, epoch: u32) -> Result<Window, Error> {
        if let Some(window) = self.find(ssrc, epoch) {
            return Ok(window);
        }
        if self.others.len() + 1 >= MAX_STREAMS && self.first.is_some() {
            return Err(Error::TooManyStreams);
        }
        Ok(Window::default())
    }

    /// The window of a stream that there is.
    pub(super) fn find(&self, ssrc: u32, epoch: u32) -> Option<Window> {
        let all = self.first.iter().chain(&self.others);
        let mut those = all.filter(|stream| stream.ssrc == ssrc && stream.epoch == epoch);
        those.next().map(|stream| stream.window)
    }

    /// Puts a window in the place of what it was copied from.
    pub(super) fn keep(&mut self, ssrc: u32, epoch: u32, window: Window) {
        let all = self.first.iter_mut().chain(&mut self.others);
        let mut those = all.filter(|stream| stream.ssrc == ssrc && stream.epoch == epoch);
        if let Some(stream) = those.next() {
            stream.window = window;
            return;
        }
        let stream = Stream {
            ssrc,
            epoch,
            window,
        };
        match self.first {
            None => self.first = Some(stream),
            Some(_) => self.others.push(stream),
        }
    }

    /// Forgets all streams of other epochs.
    pub(super) fn retain(&mut self, epoch: u32) {
        self.others.retain(|stream| stream.epoch == epoch);
        if self
            .first
            .as_ref()
            .is_some_and(|first| first.epoch != epoch)
        {
            self.first = self.others.pop();
        }
    }
}

/// The most streams of one session and direction: who makes new ones has the key, and yet shall not fill the memory.
pub const MAX_STREAMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_last_stream() {
        let mut streams = Streams::default();
        for ssrc in 0..MAX_STREAMS as u32 {
            let window = streams.window(ssrc, 0).expect("room");
            streams.keep(ssrc, 0, window);
        }
        assert_eq!(streams.window(1_000, 0), Err(Error::TooManyStreams));
        assert!(streams.window(63, 0).is_ok());
    }

    #[test]
    fn an_epoch_that_is_over_leaves_room() {
        let mut streams = Streams::default();
        for (ssrc, epoch) in [(1, 0), (2, 0), (1, 1)] {
            streams.keep(ssrc, epoch, Window::at(epoch));
        }
        streams.retain(1);
        assert_eq!(streams.find(1, 1), Some(Window::at(1)));
        assert_eq!((streams.find(1, 0), streams.find(2, 0)), (None, None));
    }
}
