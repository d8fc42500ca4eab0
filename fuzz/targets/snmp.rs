//! The SNMP engine: a datagram in, a well-formed answer or silence out.
//!
//! The first octet chooses whether the rest is the datagram, or a scoped PDU
//! that arrives authenticated, or encrypted as well.
#![no_main]

use std::sync::LazyLock;

use demarc::north::snmp::message::{Message, ScopedPdu, Version};
use demarc::north::snmp::pdu::{Kind, Pdu};
use demarc_fuzz::manager::{Bench, Wrap};
use libfuzzer_sys::fuzz_target;

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::default);

fuzz_target!(|octets: &[u8]| {
    let Some((&way, octets)) = octets.split_first() else {
        return;
    };
    let wrap = [Wrap::Bare, Wrap::Authenticated, Wrap::Encrypted][usize::from(way % 3)];
    let datagram = BENCH.wrapped(wrap, octets);
    let opened = Message::open(&datagram);
    let answer = BENCH.ask(&datagram);
    match (opened, answer) {
        (Ok(asked), Some(answer)) => check(&asked, &answer),
        (Err(error), answer) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(answer, None, "no answer to what is no message");
        }
        (Ok(_), None) => {}
    }
});

fn check(asked: &Message<'_>, answer: &[u8]) {
    assert!(answer.len() <= BENCH.limit(), "{} octets", answer.len());
    match (asked, Message::open(answer).expect("our own message")) {
        (Message::Community(asked), Message::Community(answer)) => {
            assert_eq!(
                (answer.version, answer.community),
                (asked.version, asked.community)
            );
            let request = Pdu::read(asked.pdu, asked.version).expect("it was answered");
            check_pdu(&request, answer.pdu, asked.version);
        }
        (Message::V3(asked), Message::V3(answer)) => {
            assert_eq!(answer.id, asked.id);
            assert!(!answer.reportable, "an answer is never to be reported");
            if let Ok(scoped) = ScopedPdu::open(answer.data) {
                Pdu::read(scoped.pdu, Version::V3).expect("our own PDU");
            }
        }
        (asked, answer) => panic!("{asked:?} answered by {answer:?}"),
    }
}

fn check_pdu(request: &Pdu<'_>, answer: &[u8], version: Version) {
    let answer = Pdu::read(answer, version).expect("our own PDU");
    assert_eq!(
        (answer.kind, answer.request_id),
        (Kind::Response, request.request_id)
    );
    let done = answer.non_repeaters == 0;
    if request.kind == Kind::GetNext && done && version == Version::V2c {
        for (asked, found) in request.bindings.iter().zip(&answer.bindings) {
            let end = found.value.tag == 0x82;
            assert!(found.name > asked.name || end, "{:?}", found.name);
        }
    }
}
