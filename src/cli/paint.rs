//! Colour, where a person looks at a terminal.

use std::ffi::OsString;
use std::io::IsTerminal;

/// Whether words are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// They are.
    Colour,
    /// They are not.
    Plain,
}

impl Paint {
    /// As standard output and the environment want it.
    pub(super) fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self::of(terminal, |name| std::env::var_os(name))
    }

    /// Colour on a terminal, unless `NO_COLOR` is set to anything or the terminal is dumb.
    fn of(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        match terminal && !refused && !dumb {
            true => Self::Colour,
            false => Self::Plain,
        }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(super) fn title(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// ECMA-48 §8.3.117, select graphic rendition.
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let of = |terminal, set: &[(&str, &str)]| {
            let set = set.to_vec();
            Paint::of(terminal, move |name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(of(true, &[("TERM", "xterm")]), Paint::Colour);
        assert_eq!(of(true, &[("NO_COLOR", "")]), Paint::Colour);
        assert_eq!(of(false, &[("TERM", "xterm")]), Paint::Plain);
        assert_eq!(of(true, &[("NO_COLOR", "1")]), Paint::Plain);
        assert_eq!(of(true, &[("TERM", "dumb")]), Paint::Plain);
    }
}
