//! The local log, as lines.

use super::ask::{Ask, say};
use super::failure::Failure;
use super::paint::Paint;
use crate::north::local::{Answer, LogLine, Request};
use serde_json::json;
use std::io::Write;

pub(super) fn log(
    ask: &mut Ask,
    follow: bool,
    since: u32,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let json = ask.json;
    let paint = Paint::of_stdout();
    ask.each(&Request::Log { since, follow }, |answer| {
        let Answer::Log(lines) = answer else {
            return Ok(());
        };
        for line in lines {
            match json {
                true => say(out, json!(line))?,
                false => say(out, text(&line, paint))?,
            }
        }
        out.flush().map_err(Failure::Output)
    })
}

fn text(line: &LogLine, paint: Paint) -> String {
    let time = match line.time.as_str() {
        "" => "time not known    ",
        time => time,
    };
    let severity = format!("{:11}", line.severity);
    let severity = match line.severity.as_str() {
        "error" | "critical" => paint.bad(&severity),
        "warning" => paint.warn(&severity),
        _ => severity,
    };
    let LogLine {
        service,
        id,
        message,
        ..
    } = line;
    format!("{time} {severity} {service} {id} {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_how_grave_who_and_what() {
        let line = LogLine {
            index: 7,
            time: "2026-03-01 14:05:09".to_owned(),
            severity: "warning".to_owned(),
            service: "SipEp".to_owned(),
            id: "1400.100".to_owned(),
            message: "gateway default: establishing".to_owned(),
        };
        assert_eq!(
            text(&line, Paint::Plain),
            "2026-03-01 14:05:09 warning     SipEp 1400.100 gateway default: establishing"
        );
    }
}
