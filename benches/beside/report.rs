//! The table that a run prints, in Markdown, line by line as figures come.

/// Prints as it is told.
pub(crate) struct Report;

/// What a figure has to reach.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// At most this much of our own figure, in its unit.
    AtMost(f64),
    /// At least this much of our own figure, in its unit.
    AtLeast(f64),
    /// Our figure at most so many times the peer's.
    RatioAtMost(f64),
    /// Our figure at least so many times the peer's.
    RatioAtLeast(f64),
}

impl Report {
    /// Says where it runs.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        println!("demarc {}, {cores} cores", env!("CARGO_PKG_VERSION"));
        Self
    }

    /// Starts a table, with what has to be known about it.
    pub(crate) fn table(&mut self, title: &str, notes: &[String]) {
        println!("\n{title}\n");
        for note in notes {
            println!("- {note}");
        }
        println!("\n| what | ours | beside it | ratio | target | |");
        println!("|---|---|---|---|---|---|");
    }

    /// A figure of ours beside another one.
    pub(crate) fn pair(&mut self, what: &str, unit: Unit, ours: f64, other: f64, target: Target) {
        let ratio = ours / other;
        let met = target.is_met(ours, Some(ratio));
        let (ours, other) = (unit.show(ours), unit.show(other));
        let target = target.show(unit);
        println!("| {what} | {ours} | {other} | {ratio:.2}x | {target} | {met} |");
    }

    /// A figure of ours alone.
    pub(crate) fn alone(&mut self, what: &str, unit: Unit, ours: f64, target: Target) {
        let met = target.is_met(ours, None);
        let (ours, target) = (unit.show(ours), target.show(unit));
        println!("| {what} | {ours} | | | {target} | {met} |");
    }
}

impl Target {
    fn is_met(self, ours: f64, ratio: Option<f64>) -> &'static str {
        let met = match (self, ratio) {
            (Self::AtMost(most), _) => ours <= most,
            (Self::AtLeast(least), _) => ours >= least,
            (Self::RatioAtMost(most), Some(ratio)) => ratio <= most,
            (Self::RatioAtLeast(least), Some(ratio)) => ratio >= least,
            (Self::RatioAtMost(_) | Self::RatioAtLeast(_), None) => false,
        };
        if met { "met" } else { "MISSED" }
    }

    fn show(self, unit: Unit) -> String {
        match self {
            Self::AtMost(most) => format!("at most {}", unit.show(most)),
            Self::AtLeast(least) => format!("at least {}", unit.show(least)),
            Self::RatioAtMost(most) => format!("at most {most:.2}x"),
            Self::RatioAtLeast(least) => format!("at least {least:.2}x"),
        }
    }
}

/// What a figure counts.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Microseconds,
    Milliseconds,
    PerSecond,
    MiB,
}

impl Unit {
    fn show(self, figure: f64) -> String {
        match self {
            Self::Microseconds if figure < 0.1 => format!("{figure:.3} us"),
            Self::Microseconds => format!("{figure:.2} us"),
            Self::Milliseconds => format!("{figure:.1} ms"),
            Self::PerSecond => format!("{figure:.0}/s"),
            Self::MiB => format!("{figure:.1} MiB"),
        }
    }
}
