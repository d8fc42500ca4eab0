//! How requests of others are answered.

use super::Told;

const PEER: &str = "203.0.113.5:5060";

fn request(method: &str, branch: &str, more: &str) -> Vec<u8> {
    let sequence = match method {
        "ACK" => "INVITE",
        method => method,
    };
    format!(
        "{method} sip:100@192.0.2.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:a@example.org>;tag=1\r\n\
         To: <sip:100@example.org>{more}\r\n\
         Call-ID: {sequence}\r\n\
         CSeq: 1 {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The answer to a request.
fn answer(told: &mut Told, request: Vec<u8>) -> String {
    let peer = PEER.parse().expect("an address");
    told.world.datagram(peer, request);
    let answer = told.world.octets.last().expect("an answer");
    String::from_utf8(answer.clone()).expect("text")
}

#[test]
pub(crate) fn options_are_answered_with_200_while_nothing_is_ready_where_that_is_wanted() {
    for (support, status) in [("none", "503"), ("alwaysOk", "200")] {
        let mut told = Told::new(&[("InteropSipOptionsMethodSupport", support)]);
        told.world.registrars[0].manner.refuses = Some((403, None));
        told.begin(2);
        let answer = answer(&mut told, request("OPTIONS", "o", ""));
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} ")),
            "{answer}"
        );
    }
}

#[test]
pub(crate) fn an_unknown_extension_is_refused_unless_require_is_ignored() {
    for (ignored, status) in [("enable", "200"), ("disable", "420")] {
        let mut told = Told::after(1, &[("InteropIgnoreRequireHeaderEnable", ignored)]);
        let wants = request("OPTIONS", "o", "\r\nRequire: foo");
        let answer = answer(&mut told, wants);
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} ")),
            "{answer}"
        );
    }
}

#[test]
pub(crate) fn an_ack_with_another_branch_ends_a_refusal_where_branches_are_not_compared() {
    for (matching, goes_on) in [("rfc3261", true), ("rfc3261WithoutAck", false)] {
        let mut told = Told::after(1, &[("InteropAckBranchMatching", matching)]);
        let refused = answer(&mut told, request("INVITE", "call", ""));
        assert!(refused.starts_with("SIP/2.0 503 "), "{refused}");
        let tag = refused
            .split("To: ")
            .nth(1)
            .and_then(|it| it.split(";tag=").nth(1));
        let tag = tag.and_then(|it| it.lines().next()).expect("a tag");
        let ack = request("ACK", "another", &format!(";tag={tag}"));
        told.world.datagram(PEER.parse().expect("an address"), ack);
        let sent = told.world.octets.len();
        told.world.seconds(3);
        assert_eq!(told.world.octets.len() > sent, goes_on, "{matching}");
    }
}
