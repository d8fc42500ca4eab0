//! The windows of time of a ScheduleDownload (TR-069 A.4.1.8).
//!
//! Counted in seconds from the request. A window has its tries; when they are
//! used up or it has passed, the next one's turn comes.

use crate::wire::soap::message::TimeWindow;
use std::time::Duration;

/// When a scheduled download may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From the request on.
    pub begin: Duration,
    /// Later than its begin.
    pub end: Duration,
    /// What else has to be.
    pub mode: Mode,
    /// Tries after the first that failed.
    pub retries: u32,
}

/// How a window is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whenever it suits.
    AnyTime,
    /// As it begins.
    Immediately,
    /// While nobody uses the unit.
    WhenIdle,
}

impl Mode {
    const ALL: [(Self, &'static str, char); 3] = [
        (Self::AnyTime, "1 At Any Time", '1'),
        (Self::Immediately, "2 Immediately", '2'),
        (Self::WhenIdle, "3 When Idle", '3'),
    ];

    fn of(text: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, name, _)| *name == text);
        found.map(|(mode, ..)| *mode)
    }
}

impl Window {
    /// The windows of a request, if they are as A.4.1.8 wants them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn all(wanted: &[TimeWindow]) -> Result<Vec<Self>, &'static str> {
        if wanted.is_empty() || wanted.len() > MOST {
            return Err("there are one or two windows");
        }
        let mut windows: Vec<Self> = Vec::new();
        for window in wanted {
            let mode = Mode::of(&window.mode)
                .ok_or("the modes are 1 At Any Time, 2 Immediately and 3 When Idle: nobody is here to confirm")?;
            let begin = Duration::from_secs(window.start.into());
            let end = Duration::from_secs(window.end.into());
            let free = windows.last().is_none_or(|before| before.end <= begin);
            if begin >= end || !free {
                return Err("a window begins before its end and after the one before it");
            }
            windows.push(Self {
                begin,
                end,
                mode,
                // -1: as often as this side likes.
                retries: u32::try_from(window.max_retries).unwrap_or(OWN_CHOICE),
            });
        }
        Ok(windows)
    }

    /// As the row of the transfer keeps them.
    pub(super) fn written(windows: &[Self]) -> String {
        let lines = windows.iter().map(|window| {
            let mode = Mode::ALL.iter().find(|(mode, ..)| *mode == window.mode);
            let mode = mode.map_or('1', |(.., letter)| *letter);
            let (begin, end) = (window.begin.as_secs(), window.end.as_secs());
            format!("{begin} {end} {mode} {}", window.retries)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// As they were written; what cannot be read is left out.
    pub(super) fn read(text: &str) -> Vec<Self> {
        let window = |line: &str| {
            let mut words = line.split(' ');
            let begin = words.next()?.parse().ok()?;
            let end = words.next()?.parse().ok()?;
            let letter = words.next()?.chars().next()?;
            let mode = Mode::ALL.iter().find(|(.., known)| *known == letter)?.0;
            Some(Self {
                begin: Duration::from_secs(begin),
                end: Duration::from_secs(end),
                mode,
                retries: words.next()?.parse().ok()?,
            })
        };
        text.lines().filter_map(window).take(MOST).collect()
    }
}

/// cwmp-1-2.xsd, TimeWindowList.
const MOST: usize = 2;
/// Tries where the ACS leaves their number to this side.
const OWN_CHOICE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(start: u32, end: u32, mode: &str) -> TimeWindow {
        TimeWindow {
            start,
            end,
            mode: mode.to_owned(),
            user_message: String::new(),
            max_retries: -1,
        }
    }

    #[test]
    fn windows_come_back_as_they_were_written() {
        let wanted = [
            wanted(0, 10, "2 Immediately"),
            wanted(10, 20, "3 When Idle"),
        ];
        let windows = Window::all(&wanted).expect("right");
        assert_eq!(Window::read(&Window::written(&windows)), windows);
        assert_eq!(windows[1].retries, OWN_CHOICE);
    }

    #[test]
    fn windows_that_overlap_end_early_or_ask_somebody_are_refused() {
        let any = "1 At Any Time";
        for windows in [
            vec![],
            vec![wanted(5, 5, any)],
            vec![wanted(0, 10, any), wanted(9, 20, any)],
            vec![wanted(0, 10, "4 Confirmation Needed")],
            vec![wanted(0, 1, any), wanted(2, 3, any), wanted(4, 5, any)],
        ] {
            assert!(Window::all(&windows).is_err(), "{windows:?}");
        }
    }
}
