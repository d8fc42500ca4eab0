//! The picture as lines of text.

use super::super::paint::Paint;
use super::picture::{Line, Mood, Part, Picture};

/// The picture, line by line.
pub(super) fn lines(picture: &Picture, paint: Paint) -> Vec<String> {
    let mut out = Vec::new();
    let width = longest(picture.device.keys().map(String::as_str));
    for (word, value) in &picture.device {
        let value = value.as_str().unwrap_or_default();
        out.push(format!("{word:width$}  {value}"));
    }
    for part in &picture.sections {
        out.push(String::new());
        section(part, paint, &mut out);
    }
    out.push(String::new());
    if picture.wrong.is_empty() {
        out.push(paint.good("Nothing is wrong."));
        return out;
    }
    out.push(paint.bad("Wrong now"));
    for problem in &picture.wrong {
        out.push(format!("  {}: {}", problem.object, problem.reason));
    }
    out
}

fn section(part: &Part, paint: Paint, out: &mut Vec<String>) {
    out.push(paint.title(part.title));
    if let Some(line) = alike(part) {
        out.push(format!("  {} {line}", paint.good("ok")));
        return;
    }
    let columns = part.lines.iter().map(|line| line.cells.len()).max();
    let widths: Vec<usize> = (0..columns.unwrap_or_default())
        .map(|at| {
            let cells = part.lines.iter().filter_map(|line| line.cells.get(at));
            longest(cells.map(String::as_str))
        })
        .collect();
    for line in &part.lines {
        out.push(format!(
            "  {} {}",
            mark(line, paint),
            aligned(line, &widths)
        ));
        if !line.reason.is_empty() {
            out.push(format!("      {}", line.reason));
        }
    }
}

/// Many good lines of a name and the same state are one.
fn alike(part: &Part) -> Option<String> {
    const MANY: usize = 4;
    let state = part.lines.first()?.cells.get(1)?;
    let same = |line: &Line| {
        let good = line.mood == Mood::Good && line.reason.is_empty();
        good && line.cells.len() == 2 && line.cells[1] == *state
    };
    if part.lines.len() < MANY || !part.lines.iter().all(same) {
        return None;
    }
    let names = part.lines.iter().map(|line| line.cells[0].as_str());
    Some(format!("{state}: {}", names.collect::<Vec<_>>().join(" ")))
}

/// Columns that are empty in every line take no room.
fn aligned(line: &Line, widths: &[usize]) -> String {
    let cells = line.cells.iter().zip(widths);
    let cells: Vec<String> = cells
        .filter(|(_, width)| **width > 0)
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    cells.join("  ").trim_end().to_owned()
}

/// Told apart without colour too.
fn mark(line: &Line, paint: Paint) -> String {
    match line.mood {
        Mood::Good => paint.good("ok"),
        Mood::Waiting => paint.warn(".."),
        Mood::Bad => paint.bad("!!"),
    }
}

fn longest<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    words
        .map(|word| word.chars().count())
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::facts::Facts;
    use super::*;
    use crate::north::local::Cell;
    use crate::schema::{Name, Value};

    fn facts(values: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::default();
        let cells = values.iter().map(|(name, value)| {
            let name = Name::parse(name).expect("a name");
            let syntax = &name.column.get().syntax;
            let value = Value::parse(value, syntax).expect("a value");
            let cell = Cell::of(&value, syntax, name.dotted());
            (name, cell)
        });
        facts.take(cells.collect());
        facts
    }

    fn night() -> Facts {
        let gateway = "SipEp.GatewayStatus[Name=default]";
        let link = "SipEp.TlsPersistentConnectionStatus[Index=1]";
        let why = "SipEp.TlsPersistentConnectionStatusReason[Index=1]";
        let certificate = "Cert.CertificateDetail[Store=host,FileName=gw.pem,Position=1]";
        let values = [
            ("Hoc.SystemName".to_owned(), "gw"),
            ("Dcm.UnitInfoSerialNumber".to_owned(), "42"),
            ("Snmp.ListenState".to_owned(), "127.0.0.1:1161"),
            ("Conf.JournalState".to_owned(), "full"),
            (format!("{gateway}.Name"), "default"),
            (format!("{gateway}.State"), "Ready"),
            (format!("{gateway}.SecurePort"), "5061"),
            (format!("{link}.Gateway"), "default"),
            (format!("{link}.State"), "down"),
            (format!("{link}.RemoteHost"), "sip.example.com:5061"),
            (
                format!("{why}.Text"),
                "unknown authority: add it to Cert.OthersCertificatesInfo",
            ),
            (format!("{certificate}.FileName"), "gw.pem"),
            (format!("{certificate}.State"), "expired"),
            (format!("{certificate}.DaysLeft"), "-3"),
        ];
        let values: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        facts(&values)
    }

    #[test]
    fn a_bad_night_is_drawn_and_each_problem_stands_at_the_end_with_its_remedy() {
        let lines = lines(&Picture::of(&night(), "1.2.3"), Paint::Plain);
        assert_eq!(
            lines.join("\n"),
            "\
software       1.2.3
serial number  42
name           gw

Faces and state
  ok SNMP     127.0.0.1:1161
  !! Journal  full

Gateways
  ok default  Ready  5061

Links
  !! default  down  sip.example.com:5061
      unknown authority: add it to Cert.OthersCertificatesInfo

Certificates
  !! gw.pem  expired  -3

Wrong now
  Conf.JournalState: full: see the disk of the data folder
  SipEp.TlsPersistentConnectionStatus[Index=1]: down: unknown authority: add it to Cert.OthersCertificatesInfo
  Cert.CertificateDetail[Store=host,FileName=gw.pem,Position=1]: expired: install a new one by `demarc cert add`"
        );
    }

    #[test]
    fn a_good_night_says_so_in_colour_and_without() {
        let facts = facts(&[("Snmp.ListenState", "[::1]:1161")]);
        let picture = Picture::of(&facts, "1");
        let plain = lines(&picture, Paint::Plain);
        assert_eq!(plain.last().map(String::as_str), Some("Nothing is wrong."));
        let colour = lines(&picture, Paint::Colour).join("\n");
        assert!(colour.contains("\x1b[32mok\x1b[0m SNMP"));
        assert!(!plain.join("\n").contains('\x1b'));
    }

    #[test]
    fn what_waits_for_a_reason_is_wrong_and_what_merely_waits_is_not() {
        let link = "SipEp.TlsPersistentConnectionStatus[Index=1].State";
        let why = "SipEp.TlsPersistentConnectionStatusReason[Index=1].Text";
        let waiting = facts(&[(link, "waitingUp")]);
        assert!(Picture::of(&waiting, "").wrong.is_empty());
        let waiting = facts(&[(link, "waitingUp"), (why, "the time is not known")]);
        let wrong = Picture::of(&waiting, "").wrong;
        assert_eq!(wrong[0].reason, "waitingUp: the time is not known");
    }

    #[test]
    fn a_service_that_runs_with_an_error_is_not_well() {
        let facts = facts(&[
            ("Scm.ServicesInfo[Name=Nlm].ExecState", "started"),
            ("Conf.ServiceVersion[Name=Nlm].LastError", "no such host"),
        ]);
        let wrong = Picture::of(&facts, "").wrong;
        assert_eq!(wrong[0].object, "Scm.ServicesInfo[Name=Nlm]");
    }

    #[test]
    fn services_that_all_run_are_one_line_and_one_that_does_not_brings_them_all() {
        let drawn = |nlm: &str| {
            let names = ["Cert", "Conf", "Hoc", "Nlm"];
            let cells = names.iter().flat_map(|name| {
                let row = format!("Scm.ServicesInfo[Name={name}]");
                let state = if *name == "Nlm" { nlm } else { "started" };
                [
                    (format!("{row}.Name"), *name),
                    (format!("{row}.ExecState"), state),
                ]
            });
            let cells: Vec<(String, &str)> = cells.collect();
            let cells: Vec<(&str, &str)> = cells
                .iter()
                .map(|(name, value)| (name.as_str(), *value))
                .collect();
            lines(&Picture::of(&facts(&cells), ""), Paint::Plain).join("\n")
        };
        let well = drawn("started");
        assert!(
            well.contains("\n  ok started: Hoc Nlm Cert Conf\n"),
            "{well}"
        );
        let ill = drawn("stopped");
        assert!(ill.contains("\n  .. Nlm   stopped\n"), "{ill}");
    }

    #[test]
    fn a_link_that_makes_way_is_no_fault_and_no_state_is_said_twice() {
        let link = "SipEp.TlsPersistentConnectionStatus[Index=1].State";
        let why = "SipEp.TlsPersistentConnectionStatusReason[Index=1].Text";
        let leaving = facts(&[(link, "waitingShutdown"), (why, "a new link takes over")]);
        assert!(Picture::of(&leaving, "").wrong.is_empty());
        let why = "Waiting for time synchronization: check Hoc.ClockSource";
        let waiting = facts(&[
            (
                "SipEp.GatewayStatus[Name=default].State",
                "Waiting for time synchronization",
            ),
            ("SipEp.GatewayStatusReason[Name=default].Text", why),
        ]);
        assert_eq!(Picture::of(&waiting, "").wrong[0].reason, why);
    }
}
