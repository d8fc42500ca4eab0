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
        out.push(format!("  {}", problem.object));
        out.push(format!("      {}", problem.reason));
    }
    out
}

fn section(part: &Part, paint: Paint, out: &mut Vec<String>) {
    out.push(paint.title(part.title));
    let (brief, lines): (Vec<&Line>, Vec<&Line>) = part
        .lines
        .iter()
        .partition(|line| part.brief && line.mood == Mood::Good);
    if let Some(first) = brief.first() {
        let names: Vec<&str> = brief.iter().filter_map(|line| cell(line, 0)).collect();
        let state = cell(first, 1).unwrap_or_default();
        let good = format!("{state}: {}", names.join(", "));
        out.push(format!("  {} {good}", paint.good("ok")));
    }
    let headed = !is_plain(part);
    let widths = widths(&lines, headed);
    if let Some(first) = lines.first().filter(|_| headed) {
        let headings = first.cells.keys().map(String::as_str);
        out.push(format!("     {}", paint.dim(&aligned(headings, &widths))));
    }
    for line in lines {
        let cells = line
            .cells
            .values()
            .map(|cell| cell.as_str().unwrap_or_default());
        out.push(format!(
            "  {} {}",
            mark(line, paint),
            aligned(cells, &widths)
        ));
        if !line.reason.is_empty() {
            out.push(format!("      {}", line.reason));
        }
    }
}

/// Two columns explain themselves.
fn is_plain(part: &Part) -> bool {
    part.lines.iter().all(|line| line.cells.len() <= 2)
}

fn cell(line: &Line, at: usize) -> Option<&str> {
    line.cells.values().nth(at)?.as_str()
}

/// The width of each column; columns that are empty in every line take no room.
fn widths(lines: &[&Line], headed: bool) -> Vec<usize> {
    let columns = lines.iter().map(|line| line.cells.len()).max();
    let width = |at: usize| {
        let longest = longest(lines.iter().filter_map(|line| cell(line, at)));
        let heading = lines.first().filter(|_| headed);
        let heading = heading.and_then(|line| line.cells.keys().nth(at));
        match longest {
            0 => 0,
            longest => longest.max(heading.map_or(0, |heading| heading.chars().count())),
        }
    };
    (0..columns.unwrap_or_default()).map(width).collect()
}

fn aligned<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let cells = cells.zip(widths).filter(|(_, width)| **width > 0);
    let cells: Vec<String> = cells
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
        let transport = "SipEp.TransportConfig[GatewayName=default]";
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
            (format!("{why}.Text"), "the connection was refused"),
            ("Scm.ServicesInfo[Name=Hoc].Name".to_owned(), "Hoc"),
            ("Scm.ServicesInfo[Name=Hoc].ExecState".to_owned(), "started"),
            ("Scm.ServicesInfo[Name=Snmp].Name".to_owned(), "Snmp"),
            (
                "Scm.ServicesInfo[Name=Snmp].ExecState".to_owned(),
                "started",
            ),
            ("Scm.ServicesInfo[Name=SipEp].Name".to_owned(), "SipEp"),
            (
                "Scm.ServicesInfo[Name=SipEp].ExecState".to_owned(),
                "started",
            ),
            (
                "Conf.ServiceVersion[Name=SipEp].LastError".to_owned(),
                "gateway default: port 5060 is in use: change SipEp.Gateway[Name=default].Port",
            ),
            (format!("{transport}.TlsEnable"), "enable"),
            ("SipEp.Gateway[Name=default].Port".to_owned(), "0"),
            (
                "SipEp.InteropTlsCertificateValidation".to_owned(),
                "hostName",
            ),
            (format!("{certificate}.Store"), "host"),
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

State
  ok SNMP     127.0.0.1:1161
  !! Journal  full

Services
  ok started: Hoc, Snmp
  !! SipEp  started
      gateway default: port 5060 is in use: change SipEp.Gateway[Name=default].Port

Gateways
     gateway  state  TLS port
  ok default  Ready  5061

Links
     gateway  state  server
  !! default  down   sip.example.com:5061
      the connection was refused

Certificates
     file    state    days left  kind
  !! gw.pem  expired  -3         host

Wrong now
  Conf.JournalState
      full: see the disk of the data folder
  Scm.ServicesInfo[Name=SipEp]
      started: gateway default: port 5060 is in use: change SipEp.Gateway[Name=default].Port
  SipEp.TlsPersistentConnectionStatus[Index=1]
      down: the connection was refused: is the server right? See SipEp.DefaultStaticProxyHomeDomainHost, SipEp.DefaultStaticRegistrarServerHost, SipEp.GwSpecificProxy and SipEp.GwSpecificRegistration
  Cert.CertificateDetail[Store=host,FileName=gw.pem,Position=1]
      expired: install a new one: demarc cert add --name gw.pem --type host FILE
  SipEp.TransportConfig[GatewayName=default]
      TLS servers are validated, but no authority is installed: demarc cert add --type other FILE"
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
        let waiting = facts(&[(link, "waitingUp"), (why, "see Hoc.ClockSource")]);
        let wrong = Picture::of(&waiting, "").wrong;
        assert_eq!(wrong[0].reason, "waitingUp: see Hoc.ClockSource");
    }

    #[test]
    fn a_change_that_waits_for_its_confirmation_says_until_when_and_how() {
        let row = "Conf.PendingChange[Version=7]";
        let facts = facts(&[
            ("Conf.PendingChange[Version=7].User", "admin by local"),
            ("Conf.PendingChange[Version=7].Made", "2026-03-01 14:05:09"),
            ("Conf.PendingChange[Version=7].Within", "300"),
            ("Conf.PendingChange[Version=7].Objects", "Hoc"),
        ]);
        let wrong = Picture::of(&facts, "").wrong;
        assert_eq!(wrong[0].object, row);
        assert_eq!(
            wrong[0].reason,
            format!(
                "admin by local changed Hoc: undone 300 s after 2026-03-01 14:05:09, unless it is confirmed: demarc set {row}.Confirm=confirm"
            )
        );
    }

    #[test]
    fn an_interface_that_is_switched_off_is_not_wrong() {
        let state = (
            "Bni.NetworkInterfacesStatus[Idx=1].InterfaceStatus",
            "linkDown",
        );
        let off = ("Bni.NetworkInterfaces[Idx=1].Activation", "disable");
        assert!(Picture::of(&facts(&[state, off]), "").wrong.is_empty());
        let wrong = Picture::of(&facts(&[state]), "").wrong;
        assert_eq!(wrong[0].reason, "linkDown: see Bni.NetworkInterfaces");
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
    fn services_that_run_are_one_line_and_one_that_does_not_has_its_own() {
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
            well.contains("\n  ok started: Hoc, Nlm, Cert, Conf\n"),
            "{well}"
        );
        let ill = drawn("stopped");
        assert!(ill.contains("\n  ok started: Hoc, Cert, Conf\n"), "{ill}");
        assert!(ill.contains("\n  .. Nlm  stopped\n"), "{ill}");
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
