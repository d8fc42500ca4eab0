//! A script as it was read: what to assign and what to invoke, in order.
//!
//! One assignment or operation a line, `#` comments, all or nothing unless
//! the first line says `Conf.ScriptMode=continue`. Reading goes on after a
//! fault, so that all of them are told at once.

use super::fault::{Fault, Place, Problem};
use super::line::{Call, assignment, first_word, operation};
use crate::schema::{Name, Value};

/// A script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What a refusal means for the rest.
    pub mode: Mode,
    /// What it does, in order.
    pub entries: Vec<Entry>,
}

/// What a refusal means for the rest of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All assignments are one transaction; then the operations follow until one fails.
    #[default]
    AllOrNothing,
    /// Each line stands for itself.
    Continue,
}

/// One line that does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// What it does.
    pub act: Act,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Assigns a value, or sets a command.
    Assign(Name, Value),
    /// Invokes an operation.
    Invoke(Call),
}

/// The longest script, in octets.
pub const SCRIPT_LIMIT: usize = 1 << 20;
/// The longest line, in octets.
pub const LINE_LIMIT: usize = 64 << 10;
/// The most lines.
pub const LINES_LIMIT: usize = 20_000;

impl Script {
    /// Reads a script, or says everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        within_limits(text).map_err(|fault| vec![fault])?;
        let mut script = Self::default();
        let mut faults = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err((object, problem)) = script.take(Place::Line(at + 1), line) {
                faults.push(Fault {
                    place: Place::Line(at + 1),
                    object,
                    problem,
                });
            }
        }
        match faults.is_empty() {
            true => Ok(script),
            false => Err(faults),
        }
    }

    /// Reads the settings of a command line, each `NAME=VALUE`.
    pub fn of_settings(settings: &[String]) -> Result<Self, Vec<Fault>> {
        let mut script = Self::default();
        let mut faults = Vec::new();
        for (at, text) in settings.iter().enumerate() {
            let place = Place::Setting(at + 1);
            match assign(text) {
                Ok(act) => script.entries.push(Entry { place, act }),
                Err((object, problem)) => faults.push(Fault {
                    place,
                    object,
                    problem,
                }),
            }
        }
        match faults.is_empty() {
            true => Ok(script),
            false => Err(faults),
        }
    }

    /// Adds what another script does, in this one's mode.
    pub fn append(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// The operations that it invokes.
    pub fn calls(&self) -> impl Iterator<Item = (Place, &Call)> {
        self.entries.iter().filter_map(|entry| match &entry.act {
            Act::Invoke(call) => Some((entry.place, call)),
            Act::Assign(..) => None,
        })
    }

    fn take(&mut self, place: Place, line: &str) -> Result<(), (String, Problem)> {
        let asks_for_mode =
            assignment(line).filter(|(name, _)| name.eq_ignore_ascii_case(MODE_NAME));
        if let Some((_, mode)) = asks_for_mode {
            self.mode = self
                .read_mode(mode)
                .map_err(|problem| (MODE_NAME.to_owned(), problem))?;
            return Ok(());
        }
        let act = match assignment(line) {
            Some(_) => assign(line)?,
            None => Act::Invoke(operation(line)?),
        };
        self.entries.push(Entry { place, act });
        Ok(())
    }

    fn read_mode(&self, mode: &str) -> Result<Mode, Problem> {
        if !self.entries.is_empty() {
            return Err(Problem::ModeNotAtHead);
        }
        match mode.trim_matches('"') {
            word if word.eq_ignore_ascii_case("continue") => Ok(Mode::Continue),
            other => Err(Problem::NoSuchMode(other.to_owned())),
        }
    }
}

fn within_limits(text: &str) -> Result<(), Fault> {
    let whole = |problem| Fault {
        place: Place::Whole,
        object: String::new(),
        problem,
    };
    if text.len() > SCRIPT_LIMIT {
        return Err(whole(Problem::TooLong(text.len())));
    }
    let count = text.lines().count();
    if count > LINES_LIMIT {
        return Err(whole(Problem::TooManyLines(count)));
    }
    let long = text.lines().position(|line| line.len() > LINE_LIMIT);
    match long.and_then(|at| Some((at, text.lines().nth(at)?))) {
        Some((at, line)) => Err(Fault {
            place: Place::Line(at + 1),
            object: String::new(),
            problem: Problem::LineTooLong(line.len()),
        }),
        None => Ok(()),
    }
}

fn assign(line: &str) -> Result<Act, (String, Problem)> {
    // Its first word only: behind it may stand a secret.
    let unreadable = || (first_word(line).to_owned(), Problem::Unreadable);
    let (name, value) = assignment(line).ok_or_else(unreadable)?;
    let blame = |problem: Problem| (name.to_owned(), problem);
    let name = Name::parse(name).map_err(|error| blame(error.into()))?;
    let bare = !value.starts_with('"');
    if bare && value.contains(" #") {
        return Err(blame(Problem::CommentBehindValue));
    }
    let value = name.column.get().parse(value);
    Ok(Act::Assign(
        name,
        value.map_err(|error| blame(error.into()))?,
    ))
}

const MODE_NAME: &str = "Conf.ScriptMode";

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let faults = Script::parse(text).expect_err("faulty");
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_script_is_lines_comments_and_operations() {
        let script = Script::parse(
            "\u{feff}# the office\r\n\r\nHoc.SystemName = \"gw #1\"\r\n  scm.ServiceCommands[Name=SipEp].Restart=restart\nCert.Transfer Url=\"https://a/b\" Type=host\n",
        )
        .expect("well-formed");
        assert_eq!(script.mode, Mode::AllOrNothing);
        let places: Vec<Place> = script.entries.iter().map(|entry| entry.place).collect();
        assert_eq!(places, [Place::Line(3), Place::Line(4), Place::Line(5)]);
        let Act::Assign(name, value) = &script.entries[1].act else {
            panic!("an assignment");
        };
        assert_eq!(name.to_string(), "Scm.ServiceCommands[Name=SipEp].Restart");
        assert_eq!(value, &Value::Integer(10));
        assert_eq!(script.calls().count(), 1);
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_its_culprit() {
        assert_eq!(
            faults(
                "Hoc.Contact=x\nHoc.SystemName=ok\nHoc.SntpSynchronizationPeriod=often\nnonsense\nHoc.StaticHosts.Name=a\nHoc.SystemName=x # why\n"
            ),
            [
                "Hoc.Contact: Hoc has no object \"Contact\"; did you mean Hoc.SystemContact? (line 1)",
                "Hoc.SntpSynchronizationPeriod: \"often\" is not a number (line 3)",
                "nonsense: write an assignment, Name=value, or an operation, Service.Operation Argument=value, or begin a comment with # (line 4)",
                "Hoc.StaticHosts.Name: Hoc.StaticHosts.Name needs a row: Hoc.StaticHosts[Index=...].Name (line 5)",
                "Hoc.SystemName: put the value in double quotes if it holds \" #\", or the comment on a line of its own (line 6)",
            ]
        );
    }

    #[test]
    fn a_fault_never_repeats_a_secret() {
        for line in [
            r#"Cwmp.Password="hush"hush""#,
            r#"Cwmp.Password="hush"#,
            r#"Cwmp.Password="hush\q""#,
            "Cwmp.Password=hush #",
            r#"Cwmp.Password: "hush""#,
            r#"Cert.Transfer Password="hush"hush"#,
            r#"Cert.Transfer Password= "hush"#,
            r#"Cert.Transfer Password="hush"#,
        ] {
            let told = faults(line).join("; ");
            assert!(!told.contains("hush"), "{told}");
        }
        let told = Script::of_settings(&["Cwmp.Password hush".to_owned()]);
        let told = told.expect_err("no assignment")[0].to_string();
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn the_mode_stands_at_the_head() {
        let script = Script::parse("# go on\nConf.ScriptMode=continue\nHoc.SystemName=a\n");
        assert_eq!(script.map(|script| script.mode), Ok(Mode::Continue));
        assert_eq!(
            faults("Hoc.SystemName=a\nConf.ScriptMode=continue\n"),
            ["Conf.ScriptMode: it must stand before everything else in the script (line 2)"]
        );
        assert!(faults("Conf.ScriptMode=maybe\n")[0].contains("\"maybe\" is no mode"));
    }

    #[test]
    fn size_lines_and_length_of_a_line_are_bounded() {
        assert!(faults(&" ".repeat(SCRIPT_LIMIT + 1))[0].starts_with("script: it has 1048577"));
        assert!(faults(&"\n".repeat(LINES_LIMIT + 1))[0].contains("20001 lines"));
        let long = format!("#\nHoc.SystemName=\"{}\"", "x".repeat(LINE_LIMIT));
        assert!(faults(&long)[0].ends_with("octets and at most 65536 are read (line 2)"));
        assert!(Script::parse(&"#\n".repeat(LINES_LIMIT)).is_ok());
    }

    #[test]
    fn settings_of_the_command_line_count_by_themselves() {
        let settings = [
            "Hoc.SystemName=two words".to_owned(),
            "Hoc.Nope=1".to_owned(),
        ];
        let faults = Script::of_settings(&settings).expect_err("the second");
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].place, Place::Setting(2));
        assert!(Script::of_settings(&settings[..1]).is_ok());
    }
}
