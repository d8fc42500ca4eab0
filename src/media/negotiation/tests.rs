//! Verdicts from RFC 3264, 4568, 5763, 5939 and the behaviour asked for.

use super::testing::*;
use super::*;
use crate::media::keys::mikey::{MikeyFault, Protection};
use crate::media::keys::sdes::SdesFault;
use crate::wire::sdp::{Attribute, Direction, Session, Setup};
use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn answer(side: &mut Negotiation, offer: &Session) -> Result<(Session, Agreed), Refusal> {
    Counter(1 << 32).run(|fresh| side.answer(offer, SendRecv, Keys::Keep, fresh))
}

fn offer(side: &mut Negotiation, wish: Wish) -> Result<Session, Refusal> {
    Counter(1).run(|fresh| side.offer(wish, fresh))
}

fn refusal(side: &mut Negotiation, media: &str) -> Refusal {
    answer(side, &peer(media)).expect_err("a refusal")
}

/// Both ends after one offer and its answer.
fn call(a: &mut Negotiation, b: &mut Negotiation, wish: Wish) -> (Agreed, Agreed) {
    let offer = offer(a, wish).expect("an offer");
    let (reply, at_b) = answer(b, &sent(&offer)).expect("an answer");
    let at_a = a.read_answer(&sent(&reply)).expect("agreement");
    (at_a, at_b)
}

fn cryptos(session: &Session) -> Vec<String> {
    let lines = session.media.iter().flat_map(|media| media.attributes());
    lines
        .filter(|line| matches!(line, Attribute::Crypto(_)))
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_answer_has_the_offerer_s_order_and_payload_types() {
    let mut side = side(1, Mode::Unsecure);
    let offer = peer("m=audio 4000 RTP/AVP 18 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    let (answer, agreed) = answer(&mut side, &offer).expect("an answer");
    assert_eq!(media_lines(&answer), ["m=audio 5004 RTP/AVP 0 8 101"]);
    let audio = voice(&agreed);
    assert_eq!(audio.remote, socket("198.51.100.1:4000"));
    assert_eq!(audio.remote_rtcp, socket("198.51.100.1:4001"));
    let names: Vec<_> = audio.codecs.iter().map(|codec| &codec.encoding).collect();
    assert_eq!(names, ["PCMU", "PCMA"]);
    let dtmf = Payloads {
        send: 101,
        receive: 101,
    };
    assert_eq!(audio.dtmf, Some(dtmf));
}

#[test]
fn an_answer_may_use_other_payload_types_than_the_offer() {
    let mut side = side(1, Mode::Unsecure);
    let sent = offer(&mut side, Wish::VOICE).expect("an offer");
    assert_eq!(media_lines(&sent), ["m=audio 5004 RTP/AVP 8 0 96"]);
    let reply = peer(
        "m=audio 4000 RTP/AVP 110 111\r\na=rtpmap:110 PCMU/8000\r\na=rtpmap:111 telephone-event/8000\r\na=rtcp:4009\r\n",
    );
    let agreed = side.read_answer(&reply).expect("agreement");
    let audio = voice(&agreed);
    let (send, receive) = (110, 0);
    assert_eq!(audio.codecs[0].payloads, Payloads { send, receive });
    let (send, receive) = (111, 96);
    assert_eq!(audio.dtmf, Some(Payloads { send, receive }));
    assert_eq!(audio.remote_rtcp, socket("198.51.100.1:4009"));
}

#[test]
fn media_that_are_not_taken_keep_their_place_with_port_0() {
    let mut side = side(1, Mode::Unsecure);
    let offer = peer(
        "m=video 4002 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4004 RTP/AVP 0\r\nm=image 4006 udptl t38\r\n",
    );
    let (answer, agreed) = answer(&mut side, &offer).expect("an answer");
    let expected = [
        "m=video 0 RTP/AVP 31",
        "m=audio 5004 RTP/AVP 8",
        "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38",
    ];
    assert_eq!(media_lines(&answer), expected);
    assert_eq!(voice(&agreed).line, 1);
}

#[test]
fn a_hold_is_answered_by_what_remains() {
    for (line, expected) in [
        ("a=sendonly\r\n", RecvOnly),
        ("a=inactive\r\n", Inactive),
        ("a=recvonly\r\n", SendOnly),
        ("c=IN IP4 0.0.0.0\r\n", RecvOnly),
        ("c=IN IP4 0.0.0.0\r\na=inactive\r\n", Inactive),
    ] {
        let mut side = side(1, Mode::Unsecure);
        let offer = peer(&format!("m=audio 4000 RTP/AVP 8\r\n{line}"));
        let (reply, agreed) = answer(&mut side, &offer).expect("an answer");
        assert_eq!(voice(&agreed).direction, expected, "{line}");
        assert!(reply.to_string().contains(&format!("a={}\r\n", expected)));
        assert_eq!(voice(&agreed).remote.is_none(), line.contains("0.0.0.0"));
    }
}

#[test]
fn the_version_grows_only_with_a_change() {
    let (mut a, mut b) = (side(1, Mode::Secure), side(2, Mode::Secure));
    let mut versions = Vec::new();
    for direction in [SendRecv, SendRecv, SendOnly, SendRecv] {
        let wish = Wish {
            direction,
            ..Wish::VOICE
        };
        let offered = offer(&mut a, wish).expect("an offer");
        versions.push(offered.origin.version.clone());
        let (reply, _) = answer(&mut b, &sent(&offered)).expect("an answer");
        a.read_answer(&reply).expect("agreement");
    }
    // The second offers one key of the two suites, so it has changed.
    assert_eq!(versions, ["1", "2", "3", "4"]);
    let again = offer(&mut a, Wish::VOICE).expect("an offer");
    assert_eq!(again.origin.version, "4");
}

#[test]
fn both_ends_of_a_secure_call_have_the_same_keys_crosswise() {
    let (mut a, mut b) = (side(1, Mode::Secure), side(2, Mode::Secure));
    let (at_a, at_b) = call(&mut a, &mut b, Wish::VOICE);
    let Secured::Srtp { send, receive } = &voice(&at_a).security else {
        panic!("no SRTP")
    };
    let crossed = Secured::Srtp {
        send: receive.clone(),
        receive: send.clone(),
    };
    assert_eq!(voice(&at_b).security, crossed);
    assert_ne!(send, receive);
    assert_eq!(voice(&at_a).port, 6004);
}

#[test]
fn a_refresh_by_either_side_repeats_the_same_keys() {
    let (mut a, mut b) = (side(1, Mode::Secure), side(2, Mode::Secure));
    let (first_a, first_b) = call(&mut a, &mut b, Wish::VOICE);
    let (at_b, at_a) = call(&mut b, &mut a, Wish::VOICE);
    assert_eq!(voice(&at_a).security, voice(&first_a).security);
    assert_eq!(voice(&at_b).security, voice(&first_b).security);
    let late = offer(&mut a, Wish::VOICE).expect("a delayed offer");
    assert_eq!(media_lines(&late), ["m=audio 6004 RTP/SAVP 8 0 96"]);
    assert_eq!(cryptos(&late).len(), 1);
}

#[test]
fn another_key_is_made_only_when_it_is_asked_for() {
    let (mut a, mut b) = (side(1, Mode::Secure), side(2, Mode::Secure));
    let (first, _) = call(&mut a, &mut b, Wish::VOICE);
    let wish = Wish {
        keys: Keys::Renew,
        ..Wish::VOICE
    };
    let offered = Counter(1 << 40)
        .run(|fresh| a.offer(wish, fresh))
        .expect("an offer");
    let (reply, at_b) = answer(&mut b, &sent(&offered)).expect("an answer");
    let again = a.read_answer(&sent(&reply)).expect("agreement");
    let keys = |agreed: &Agreed| match &voice(agreed).security {
        Secured::Srtp { send, receive } => (send.octets.clone(), receive.octets.clone()),
        _ => panic!("no SRTP"),
    };
    assert_ne!(keys(&again).0, keys(&first).0, "ours is another");
    assert_eq!(keys(&again).1, keys(&first).1, "the peer's stays");
    assert_eq!(keys(&at_b).1, keys(&again).0);
}

#[test]
fn a_refused_offer_leaves_keys_and_places_as_they_were() {
    let (mut a, mut b) = (side(1, Mode::Secure), side(2, Mode::Secure));
    call(&mut a, &mut b, Wish::VOICE);
    let before = cryptos(&offer(&mut a, Wish::VOICE).expect("an offer"));
    a.withdraw();
    let wish = Wish {
        keys: Keys::Renew,
        ..Wish::VOICE
    };
    let renewed = Counter(1 << 40)
        .run(|fresh| a.offer(wish, fresh))
        .expect("an offer");
    assert_ne!(cryptos(&renewed), before);
    a.withdraw();
    assert_eq!(
        cryptos(&offer(&mut a, Wish::VOICE).expect("an offer")),
        before
    );
}

#[test]
fn secure_mode_refuses_rtp_then_and_later() {
    let mut side = side(1, Mode::Secure);
    let clear = "m=audio 4000 RTP/AVP 8\r\n";
    assert_eq!(refusal(&mut side, clear), Refusal::ClearInSecure);
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    let secure = format!("m=audio 4000 RTP/SAVP 8\r\n{crypto}");
    let (_, first) = answer(&mut side, &peer(&secure)).expect("an answer");
    assert_eq!(refusal(&mut side, clear).status(), 488);
    let (_, again) = answer(&mut side, &peer(&secure)).expect("an answer");
    assert_eq!(voice(&again).security, voice(&first).security);
}

#[test]
fn an_answer_without_keys_does_not_downgrade() {
    for (media, expected) in [
        ("m=audio 4000 RTP/SAVP 8\r\n", Refusal::NoKeys),
        ("m=audio 4000 RTP/AVP 8\r\n", Refusal::Profile),
        ("m=audio 0 RTP/SAVP 8\r\n", Refusal::Rejected),
    ] {
        let mut side = side(1, Mode::Secure);
        offer(&mut side, Wish::VOICE).expect("an offer");
        assert_eq!(side.read_answer(&peer(media)), Err(expected));
    }
}

#[test]
fn the_wrong_key_management_is_415_or_488_as_asked_for() {
    let mikey = "a=key-mgmt:mikey AQAFAA==\r\nm=audio 4000 RTP/SAVP 8\r\n";
    let fault = refusal(&mut side(1, Mode::Secure), mikey);
    assert_eq!(
        (fault.status(), fault.accept()),
        (415, Some("application/sdp"))
    );
    let mut other = security(Mode::Secure, Management::Sdes);
    other.mismatch = Mismatch::NotAcceptableHere;
    let mut other = Negotiation::new(end(1, other), Hop::Tls);
    let fault = refusal(&mut other, mikey);
    assert_eq!((fault.status(), fault.accept()), (488, None));
}

#[test]
fn with_fallback_the_wrong_key_management_leaves_the_clear_medium_and_says_so() {
    let media =
        "a=key-mgmt:mikey AQAFAA==\r\nm=audio 4000 RTP/SAVP 8\r\nm=audio 4002 RTP/AVP 8\r\n";
    let mut side = side(1, Mode::SecureWithFallback);
    let (reply, agreed) = answer(&mut side, &peer(media)).expect("an answer");
    assert!(agreed.mismatch);
    let expected = ["m=audio 0 RTP/SAVP 8", "m=audio 5004 RTP/AVP 8"];
    assert_eq!(media_lines(&reply), expected);
}

#[test]
fn what_cannot_be_taken_is_refused_with_its_reason() {
    let crypto = |suite: &str| format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:1 {suite} {KEY}\r\n");
    let mut secure = side(1, Mode::Secure);
    let unknown = refusal(&mut secure, &crypto("F8_128_HMAC_SHA1_80"));
    assert_eq!(unknown, Refusal::Sdes(SdesFault::Suite));
    assert_eq!(unknown.status(), 488);
    let keyless = refusal(&mut secure, "m=audio 4000 RTP/SAVP 8\r\n");
    assert_eq!(keyless, Refusal::NoKeys);
    let mut clear = side(1, Mode::Unsecure);
    let savp = refusal(&mut clear, &crypto("AES_CM_128_HMAC_SHA1_80"));
    assert_eq!(savp, Refusal::SecurityDisabled);
    let codec = refusal(&mut clear, "m=audio 4000 RTP/AVP 3 13\r\n");
    assert_eq!(codec.status(), 488);
    assert!(codec.to_string().contains("GSM, CN"), "{codec}");
    assert_eq!(refusal(&mut clear, ""), Refusal::NoMedia);
    let name = "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 host.example.com\r\n";
    assert_eq!(refusal(&mut clear, name), Refusal::Address);
}

#[test]
fn keys_do_not_go_over_a_hop_without_tls() {
    let on = |mode, hop| {
        let local = end(1, security(mode, Management::Sdes));
        Negotiation::new(local, hop)
    };
    let mut secure = on(Mode::Secure, Hop::Clear);
    assert_eq!(offer(&mut secure, Wish::VOICE), Err(Refusal::ClearHop));
    let savp = format!("m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    assert_eq!(refusal(&mut secure, &savp), Refusal::ClearHop);
    let mut fallback = on(Mode::SecureWithFallback, Hop::Clear);
    let offered = offer(&mut fallback, Wish::VOICE).expect("an offer");
    assert_eq!(media_lines(&offered), ["m=audio 5004 RTP/AVP 8 0 96"]);
    assert!(cryptos(&offered).is_empty());
    let mut allowed = security(Mode::Secure, Management::Sdes);
    allowed.clear_hop = ClearHop::Allow;
    let mut allowed = Negotiation::new(end(1, allowed), Hop::Clear);
    assert!(offer(&mut allowed, Wish::VOICE).is_ok());
}

#[test]
fn each_form_of_fallback_is_protected_where_the_peer_can() {
    for fallback in [
        Fallback::TwoMedia,
        Fallback::KeysInAvp,
        Fallback::Capabilities,
    ] {
        let mut own = security(Mode::SecureWithFallback, Management::Sdes);
        own.fallback = fallback;
        let mut a = Negotiation::new(end(1, own.clone()), Hop::Tls);
        let mut b = side(2, Mode::Secure);
        let (at_a, at_b) = call(&mut a, &mut b, Wish::VOICE);
        for agreed in [&at_a, &at_b] {
            let security = &voice(agreed).security;
            assert!(matches!(security, Secured::Srtp { .. }), "{fallback:?}");
        }
        let (again_b, again_a) = call(&mut b, &mut a, Wish::VOICE);
        assert_eq!(voice(&again_a).security, voice(&at_a).security);
        assert_eq!(voice(&again_b).security, voice(&at_b).security);
        let mut a = Negotiation::new(end(1, own), Hop::Tls);
        let mut b = side(2, Mode::Unsecure);
        let (at_a, _) = call(&mut a, &mut b, Wish::VOICE);
        assert_eq!(voice(&at_a).security, Secured::None, "{fallback:?}");
    }
}

#[test]
fn a_configuration_is_answered_with_its_number_and_profile() {
    let offered = peer(&format!(
        "m=audio 4000 RTP/AVP 8\r\na=tcap:1 RTP/SAVPF RTP/SAVP\r\n\
a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_32 {KEY}\r\na=acap:2 crypto:2 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n\
a=pcfg:2 t=1 a=2\r\na=pcfg:1 t=2 a=1|2\r\na=pcfg:3 t=9 a=2\r\n"
    ));
    let mut side = side(1, Mode::SecureWithFallback);
    let (reply, _) = answer(&mut side, &offered).expect("an answer");
    assert_eq!(media_lines(&reply), ["m=audio 6004 RTP/SAVP 8"]);
    assert!(
        reply.to_string().contains("a=acfg:1 t=2 a=2\r\n"),
        "{reply}"
    );
    assert!(cryptos(&reply)[0].starts_with("crypto:2 AES_CM_128_HMAC_SHA1_80"));
}

#[test]
fn a_configuration_with_what_is_not_known_is_passed_over() {
    let keys = format!("a=tcap:1 RTP/SAVP\r\na=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    for rest in [
        "a=pcfg:1 t=1 a=1 +x=1\r\n",
        "a=pcfg:1 t=1 a=1,5\r\n",
        "a=creq:med-v0\r\na=pcfg:1 t=1 a=1\r\n",
    ] {
        let offered = peer(&format!("m=audio 4000 RTP/AVP 8\r\n{keys}{rest}"));
        let mut side = side(1, Mode::SecureWithFallback);
        let (reply, agreed) = answer(&mut side, &offered).expect("an answer");
        assert_eq!(voice(&agreed).security, Secured::None, "{rest}");
        assert!(!reply.to_string().contains("acfg"));
    }
}

#[test]
fn dtls_agrees_on_who_opens_and_keeps_it() {
    let of = |host| Negotiation::new(end(host, security(Mode::Secure, dtls())), Hop::Clear);
    let (mut a, mut b) = (of(1), of(2));
    let role = |agreed: &Agreed| match &voice(agreed).security {
        Secured::Dtls { role, .. } => *role,
        _ => panic!("no DTLS"),
    };
    let offered = offer(&mut a, Wish::VOICE).expect("an offer");
    assert_eq!(
        media_lines(&offered),
        ["m=audio 6004 UDP/TLS/RTP/SAVP 8 0 96"]
    );
    let setup = Attribute::Setup(Setup::Actpass);
    assert!(offered.media[0].attributes().any(|line| *line == setup));
    let (reply, at_b) = answer(&mut b, &sent(&offered)).expect("an answer");
    let at_a = a.read_answer(&reply).expect("agreement");
    assert_eq!((role(&at_a), role(&at_b)), (Role::Server, Role::Client));
    let (at_b, at_a) = call(&mut b, &mut a, Wish::VOICE);
    assert_eq!((role(&at_a), role(&at_b)), (Role::Server, Role::Client));
}

#[test]
fn sdes_towards_dtls_is_the_wrong_key_management() {
    let mut a = Negotiation::new(end(1, security(Mode::Secure, dtls())), Hop::Tls);
    let offered = offer(&mut a, Wish::VOICE).expect("an offer");
    let fault = answer(&mut side(2, Mode::Secure), &sent(&offered)).expect_err("a refusal");
    assert_eq!(fault.status(), 415);
}

/// A secure end with MIKEY; without a pre-shared key its keys need TLS.
fn mikey_side(host: u8, protection: Protection, hop: Hop) -> Negotiation {
    let security = security(Mode::Secure, mikey(protection));
    Negotiation::new(end(host, security), hop)
}

#[test]
fn mikey_stands_at_session_level_and_both_ends_have_the_same_keys() {
    for (protection, hop) in [(psk(), Hop::Clear), (Protection::Null, Hop::Tls)] {
        let mut a = mikey_side(1, protection.clone(), hop);
        let mut b = mikey_side(2, protection, hop);
        let offered = offer(&mut a, Wish::VOICE).expect("an offer");
        assert_eq!(media_lines(&offered), ["m=audio 6004 RTP/SAVP 8 0 96"]);
        let mikey = |session: &Session| {
            let mut own = session.attributes();
            own.any(|line| matches!(line, Attribute::KeyManagement(_)))
        };
        assert!(mikey(&offered));
        let (reply, at_b) = answer(&mut b, &sent(&offered)).expect("an answer");
        assert!(mikey(&reply));
        let at_a = a.read_answer(&sent(&reply)).expect("agreement");
        let Secured::Srtp { send, receive } = voice(&at_a).security.clone() else {
            panic!("no SRTP")
        };
        let (send, receive) = (receive, send);
        assert_eq!(voice(&at_b).security, Secured::Srtp { send, receive });
        let (again_b, again_a) = call(&mut b, &mut a, Wish::VOICE);
        assert_eq!(voice(&again_a).security, voice(&at_a).security);
        assert_eq!(voice(&again_b).security, voice(&at_b).security);
    }
}

#[test]
fn mikey_at_media_level_counts_and_is_answered_there() {
    let mut a = mikey_side(1, psk(), Hop::Tls);
    let mut offered = offer(&mut a, Wish::VOICE).expect("an offer");
    let moved = offered.lines.pop().expect("a key-mgmt line");
    offered.media[0].lines.push(moved);
    let mut b = mikey_side(2, psk(), Hop::Tls);
    let (reply, _) = answer(&mut b, &sent(&offered)).expect("an answer");
    assert_eq!(reply.attributes().count(), 0);
    assert!(a.read_answer(&sent(&reply)).is_ok());
}

#[test]
fn mikey_without_a_pre_shared_key_does_not_go_over_a_hop_without_tls() {
    let mut a = mikey_side(1, Protection::Null, Hop::Clear);
    assert_eq!(offer(&mut a, Wish::VOICE), Err(Refusal::ClearHop));
    let mut peer = mikey_side(2, Protection::Null, Hop::Tls);
    let offered = offer(&mut peer, Wish::VOICE).expect("an offer");
    assert_eq!(answer(&mut a, &offered).err(), Some(Refusal::ClearHop));
}

#[test]
fn the_wrong_pre_shared_key_is_refused_with_that_reason() {
    let mut a = mikey_side(1, psk(), Hop::Tls);
    let other = Protection::Psk(b"another".to_vec().into());
    let mut b = mikey_side(2, other, Hop::Tls);
    let offered = offer(&mut a, Wish::VOICE).expect("an offer");
    let fault = answer(&mut b, &sent(&offered)).expect_err("a refusal");
    assert_eq!(
        (&fault, fault.status()),
        (&Refusal::Mikey(MikeyFault::Mac), 488)
    );
}

#[test]
fn mikey_and_sdes_do_not_meet() {
    let mut a = mikey_side(1, psk(), Hop::Tls);
    let offered = offer(&mut a, Wish::VOICE).expect("an offer");
    let fault = answer(&mut side(2, Mode::Secure), &sent(&offered)).expect_err("a refusal");
    assert_eq!(fault.status(), 415);
    let offered = offer(&mut side(2, Mode::Secure), Wish::VOICE).expect("an offer");
    a.withdraw();
    let fault = answer(&mut a, &sent(&offered)).expect_err("a refusal");
    assert_eq!(fault.status(), 415);
}

#[test]
fn a_protected_medium_answers_an_open_message_that_asked_for_no_proof() {
    let clear = "m=audio 4000 RTP/SAVP 8\r\n";
    let mut a = mikey_side(1, Protection::Null, Hop::Tls);
    offer(&mut a, Wish::VOICE).expect("an offer");
    let agreed = a.read_answer(&peer(clear)).expect("agreement");
    assert!(matches!(voice(&agreed).security, Secured::Srtp { .. }));
    let mut a = mikey_side(1, psk(), Hop::Tls);
    offer(&mut a, Wish::VOICE).expect("an offer");
    assert_eq!(a.read_answer(&peer(clear)), Err(Refusal::NoKeys));
}

#[test]
fn a_fax_takes_a_place_of_its_own_and_voice_comes_back() {
    let (mut a, mut b) = (side(1, Mode::Unsecure), side(2, Mode::Unsecure));
    call(&mut a, &mut b, Wish::VOICE);
    let fax = Wish {
        subject: Subject::Fax,
        ..Wish::VOICE
    };
    let offered = offer(&mut a, fax).expect("an offer");
    let expected = ["m=audio 0 RTP/AVP 8", "m=image 7004 udptl t38"];
    assert_eq!(media_lines(&offered), expected);
    let (reply, at_b) = answer(&mut b, &sent(&offered)).expect("an answer");
    assert_eq!(media_lines(&reply), expected);
    a.read_answer(&reply).expect("agreement");
    let Media::Fax(at_b) = at_b.media else {
        panic!("no fax")
    };
    assert_eq!(
        (at_b.remote, at_b.max_datagram),
        (socket("192.0.2.1:7004"), 400)
    );
    let (at_b, _) = call(&mut b, &mut a, Wish::VOICE);
    assert_eq!(voice(&at_b).line, 0);
    let last = offer(&mut a, Wish::VOICE).expect("an offer");
    assert_eq!(media_lines(&last)[1], "m=image 0 udptl t38");
}

#[test]
fn a_fax_on_a_protected_call_is_refused_unless_allowed() {
    let (mut a, mut b) = (side(1, Mode::Secure), side(2, Mode::Secure));
    call(&mut a, &mut b, Wish::VOICE);
    let fax = Wish {
        subject: Subject::Fax,
        ..Wish::VOICE
    };
    assert_eq!(offer(&mut a, fax), Err(Refusal::FaxInSecure));
    let image = "m=audio 0 RTP/SAVP 8\r\nm=image 4006 udptl t38\r\n";
    assert_eq!(refusal(&mut a, image), Refusal::FaxInSecure);
    let mut allowed = end(1, security(Mode::Secure, Management::Sdes));
    allowed.fax.as_mut().expect("a fax").beside_srtp = FaxBesideSrtp::Allow;
    let mut allowed = Negotiation::new(allowed, Hop::Tls);
    let (before, _) = call(&mut allowed, &mut b, Wish::VOICE);
    answer(&mut allowed, &peer(image)).expect("an answer");
    let again = offer(&mut allowed, Wish::VOICE).expect("an offer");
    let Secured::Srtp { send, .. } = &voice(&before).security else {
        panic!("no SRTP")
    };
    let key = crate::media::keys::sdes::attribute(&crate::media::keys::sdes::Tagged {
        tag: 1,
        material: send.clone(),
    });
    assert_eq!(cryptos(&again), [format!("crypto:{key}")]);
}

#[test]
fn one_offer_waits_at_a_time_and_media_are_never_taken_away() {
    let mut side = side(1, Mode::Unsecure);
    assert_eq!(side.read_answer(&peer("")), Err(Refusal::NotAsked));
    offer(&mut side, Wish::VOICE).expect("an offer");
    assert_eq!(offer(&mut side, Wish::VOICE), Err(Refusal::Pending));
    let glare = refusal(&mut side, "m=audio 4000 RTP/AVP 8\r\n");
    assert_eq!(glare.status(), 491);
    let two = "m=audio 4000 RTP/AVP 8\r\nm=video 0 RTP/AVP 31\r\n";
    let (offered, found) = (1, 2);
    let fault = Refusal::AnswerMedia { offered, found };
    assert_eq!(side.read_answer(&peer(two)), Err(fault));
    answer(&mut side, &peer(two)).expect("an answer");
    assert_eq!(
        refusal(&mut side, "m=audio 4000 RTP/AVP 8\r\n"),
        Refusal::Shrunk
    );
}

#[test]
fn rtcp_shares_the_port_where_both_say_so() {
    let mut local = end(1, security(Mode::Unsecure, Management::Sdes));
    local.rtcp_mux = true;
    let mut side = Negotiation::new(local, Hop::Tls);
    let plain = peer("m=audio 4000 RTP/AVP 8\r\n");
    let (reply, agreed) = answer(&mut side, &plain).expect("an answer");
    assert!(!voice(&agreed).rtcp_mux && !reply.to_string().contains("rtcp-mux"));
    let muxed = peer("m=audio 4000 RTP/AVP 8\r\na=rtcp-mux\r\n");
    let (reply, agreed) = answer(&mut side, &muxed).expect("an answer");
    assert!(reply.to_string().contains("a=rtcp-mux\r\n"));
    assert_eq!(voice(&agreed).remote_rtcp, voice(&agreed).remote);
}
