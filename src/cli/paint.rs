//! Colour, where a person looks at a terminal.

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
    /// Colour on a terminal, unless `NO_COLOR` is set to anything or the terminal is dumb.
    pub(super) fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match std::io::stdout().is_terminal() && !refused && !dumb {
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

    /// ECMA-48 §8.3.117, select graphic rendition.
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}
