//! Our syslog lines, read by syslog_loose at its strictest.

use demarc::wire::syslog::{Facility, Message, Severity};
use demarc::wire::time::UnixTime;
use proptest::prelude::*;
use syslog_loose::{ProcId, Protocol, Variant, parse_message_with_year_exact};

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(vec![
        Severity::Critical,
        Severity::Error,
        Severity::Warning,
        Severity::Informational,
        Severity::Debug,
    ])
}

fn facility() -> impl Strategy<Value = Facility> {
    prop::sample::select(vec![Facility::Local0, Facility::Local3, Facility::Local7])
}

proptest! {
    #[test]
    fn a_line_says_to_the_other_what_it_was_meant_to_say(
        facility in facility(),
        severity in severity(),
        // 1970 to 2100, in microseconds.
        at in proptest::option::of(0..4_102_444_800_000_000u64),
        host in "[a-z][a-z0-9.-]{0,20}",
        process in proptest::option::of(1..100_000u32),
        id in "[1-9][0-9]{2}\\.[0-9]{1,3}",
        device in "[a-z0-9 \"\\\\\\]]{1,12}",
        service in "[A-Z][a-z]{1,8}",
        text in "[a-zA-Z0-9 :;,.%<>\\[\\]\"\\\\\u{e9}\u{4e2d}-]{0,80}",
    ) {
        let message = Message {
            facility,
            severity,
            at: at.map(UnixTime::from_micros),
            host: &host,
            process,
            id: &id,
            device: &device,
            service: &service,
            text: &text,
        };
        let line = String::from_utf8(message.print()).expect("UTF-8");
        let read = parse_message_with_year_exact(&line, |_| 1970, Variant::RFC5424);
        let read = read.map_err(|error| TestCaseError::fail(format!("{error}: {line}")))?;
        prop_assert_eq!(read.protocol, Protocol::RFC5424(1));
        prop_assert_eq!(read.facility.map(|it| it as u8), Some(facility as u8));
        prop_assert_eq!(read.severity.map(|it| it as u8), Some(severity as u8));
        let time = read.timestamp.map(|time| time.timestamp_micros());
        prop_assert_eq!(time, at.map(|at| at as i64));
        prop_assert_eq!(read.hostname, Some(&*host));
        prop_assert_eq!(read.appname, Some("demarc"));
        let pid = process.map(|process| ProcId::PID(process as i32));
        prop_assert_eq!(read.procid, pid);
        prop_assert_eq!(read.msgid, Some(&*id));
        prop_assert_eq!(read.structured_data.len(), 1);
        let params = read.structured_data[0].params();
        let params: Vec<_> = params.map(|(name, value)| (*name, value.to_string())).collect();
        prop_assert_eq!(params, [("device", device.clone()), ("service", service.clone())]);
        // RFC 5424 §6.4: the mark belongs to the form, not to the text.
        let expected = format!("\u{feff}{text}");
        prop_assert_eq!(read.msg, expected.trim_end());
    }
}
