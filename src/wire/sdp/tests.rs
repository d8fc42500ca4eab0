//! Verdicts from RFC 8866, 4568, 4567, 5939, 8122 and T.38 annex D.

use super::*;
use proptest::prelude::*;

const OFFER: &str = "v=0\r\no=- 18446744073709551616 2 IN IP4 192.0.2.1\r\ns=-\r\n\
i=unknown but kept\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\nt=0 0\r\na=tool:other\r\na=sendonly\r\n\
m=audio 5004 RTP/SAVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
a=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp:5007 IN IP4 192.0.2.9\r\na=rtcp-mux\r\n\
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4 KDR=3 WSH=128 -X=1\r\n\
a=tcap:1 RTP/SAVP UDP/TLS/RTP/SAVPF\r\na=acap:7 setup:actpass\r\na=pcfg:1 t=1|2 a=-m:7,8,[9]|7\r\n\
m=image 6004 udptl t38\r\nc=IN IP6 2001:db8::1\r\na=T38FaxVersion:0\r\na=T38FaxRateManagement:transferredTCF\r\n\
a=T38FaxUdpEC:t38UDPRedundancy\r\na=inactive\r\n";

fn attributes(text: &str) -> Attribute {
    Attribute::parse(text)
}

#[test]
fn a_description_prints_as_it_was_read() {
    let session = Session::parse(OFFER.as_bytes()).expect("a description");
    assert_eq!(session.to_string(), OFFER);
}

#[test]
fn what_a_medium_lacks_the_session_says() {
    let session = Session::parse(OFFER.as_bytes()).expect("a description");
    let [audio, fax] = &session.media[..] else {
        panic!("two media")
    };
    assert_eq!(session.direction(audio), Direction::SendOnly);
    assert_eq!(session.direction(fax), Direction::Inactive);
    let address = |media| session.connection(media).and_then(Connection::address);
    assert_eq!(address(audio), "192.0.2.1".parse().ok());
    assert_eq!(address(fax), "2001:db8::1".parse().ok());
}

#[test]
fn a_crypto_attribute_has_its_lifetime_and_its_name() {
    let crypto = Crypto::parse(
        "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 UNENCRYPTED_SRTP",
    )
    .expect("RFC 4568 §4");
    assert_eq!(crypto.keys[0].material.len(), 30);
    assert_eq!(crypto.keys[0].lifetime, Some(1 << 20));
    assert_eq!(crypto.keys[0].mki, [0, 0, 0, 1]);
    assert_eq!(crypto.parameters, [SessionParameter::UnencryptedSrtp]);
    assert!(!format!("{crypto:?}").contains("119"), "a key is shown");
}

#[test]
fn a_broken_crypto_attribute_is_refused_with_its_part() {
    let fault = |text: &str| Crypto::parse(text).err();
    let suite = "AES_CM_128_HMAC_SHA1_80";
    let of = |rest: &str| fault(&format!("1 {suite} {rest}"));
    assert_eq!(fault("1 X"), Some(CryptoFault::Short));
    assert_eq!(fault("x X inline:AAAA"), Some(CryptoFault::Tag));
    assert_eq!(fault("1234567890 X inline:AAAA"), Some(CryptoFault::Tag));
    assert_eq!(of("uri:AAAA"), Some(CryptoFault::Method));
    assert_eq!(of("inline:*"), Some(CryptoFault::Key));
    assert_eq!(of("inline:AAAA|2^49"), Some(CryptoFault::Lifetime));
    assert_eq!(of("inline:AAAA|2^200"), Some(CryptoFault::Lifetime));
    assert_eq!(of("inline:AAAA|0"), Some(CryptoFault::Lifetime));
    assert_eq!(of("inline:AAAA|256:1"), Some(CryptoFault::Mki));
    assert_eq!(of("inline:AAAA|1:129"), Some(CryptoFault::Mki));
    assert_eq!(of("inline:AAAA KDR=25"), Some(CryptoFault::Parameter));
    assert_eq!(of("inline:AAAA WSH=63"), Some(CryptoFault::Parameter));
}

#[test]
fn attributes_that_break_their_grammar_are_kept_as_text() {
    for text in [
        "rtpmap:128 PCMU/8000",
        "rtpmap:0 PCMU/0",
        "fingerprint:sha-256 0G",
        "setup:both",
        "key-mgmt:mikey %",
        "pcfg:0 t=1",
        "acap:1",
        "crypto:1 X uri:y",
    ] {
        let attribute = attributes(text);
        assert!(matches!(attribute, Attribute::Other(..)), "{text}");
        assert_eq!(attribute.to_string(), text);
    }
}

#[test]
fn a_capability_holds_no_capability() {
    let nested = "acap:1 ".repeat(1_000) + "sendonly";
    let Attribute::AttributeCapability(outer) = attributes(&nested) else {
        panic!("a capability")
    };
    assert!(matches!(*outer.attribute, Attribute::Other(..)));
}

#[test]
fn hostile_descriptions_are_refused_with_their_reason() {
    let parse = |text: &str| Session::parse(text.as_bytes()).err();
    let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";
    let with = |rest: &str| parse(&format!("{head}{rest}"));
    assert_eq!(parse(""), Some(Fault::Version));
    assert_eq!(parse("v=1\r\n"), Some(Fault::Version));
    assert_eq!(parse("v=0\r\ns=-\r\n"), Some(Fault::Origin));
    assert_eq!(with("o=- 1 1 IN IP4 192.0.2.1\r\n"), Some(Fault::Origin));
    assert_eq!(with("m=audio 65536 RTP/AVP 0\r\n"), Some(Fault::Line(3)));
    assert_eq!(with("m=audio 5004 RTP/AVP\r\n"), Some(Fault::Line(3)));
    assert_eq!(with("c=IN IP5 192.0.2.1\r\n"), Some(Fault::Line(3)));
    assert_eq!(with("nonsense\r\n"), Some(Fault::Line(3)));
    assert_eq!(with("s=\0\r\n"), Some(Fault::Text));
    assert_eq!(
        with(&"m=audio 1 RTP/AVP 0\n".repeat(33)),
        Some(Fault::Media)
    );
    assert_eq!(with(&"a=x\n".repeat(1_024)), Some(Fault::Lines));
    assert_eq!(
        with(&format!("a={}", "x".repeat(9_000))),
        Some(Fault::LongLine(3))
    );
    assert_eq!(
        with(&"x".repeat(70_000)),
        Some(Fault::Long(70_000 + head.len()))
    );
}

#[test]
fn an_address_of_the_other_family_is_none() {
    let of = |text| Connection::parse(text).expect("a connection").address();
    assert_eq!(of("IN IP4 2001:db8::1"), None);
    assert_eq!(of("IN IP4 224.2.1.1/127"), None);
    assert_eq!(of("IN IP4 224.2.1.1"), None);
    assert_eq!(of("IN IP4 host.example.com"), None);
    assert!(of("IN IP6 ::").is_some_and(|address| address.is_unspecified()));
}

proptest! {
    #[test]
    fn whatever_is_read_is_read_again_the_same(text in "(v=0\n)?o=- 1 1 IN IP4 h\n([a-z]=[ -~]{0,20}\n){0,8}") {
        if let Ok(session) = Session::parse(text.as_bytes()) {
            prop_assert_eq!(Session::parse(session.to_string().as_bytes()), Ok(session));
        }
    }

    #[test]
    fn whatever_attribute_is_read_is_read_again_the_same(
        name in "(rtpmap|fmtp|rtcp|crypto|key-mgmt|fingerprint|tcap|acap|pcfg|setup|T38FaxUdpEC)",
        value in "[0-9a-zA-Z:|=,/ \\[\\]^+-]{0,24}",
    ) {
        let attribute = Attribute::parse(&format!("{name}:{value}"));
        prop_assert_eq!(Attribute::parse(&attribute.to_string()), attribute);
    }
}
