//! Our offerer against our answerer in every combination of settings: both
//! agree on keys that fit, or none does. That others read it as we do is
//! shown elsewhere.

use proptest::prelude::*;

use super::testing::*;
use super::*;
use crate::media::keys::mikey::Protection;
use crate::wire::sdp::{Attribute, Direction};

fn any_security() -> impl Strategy<Value = Security> {
    let modes = prop_oneof![
        Just(Mode::Unsecure),
        Just(Mode::Secure),
        Just(Mode::SecureWithFallback)
    ];
    let managements = prop_oneof![
        Just(Management::Sdes),
        Just(dtls()),
        Just(mikey(Protection::Null)),
        Just(mikey(psk()))
    ];
    let fallbacks = prop_oneof![
        Just(Fallback::TwoMedia),
        Just(Fallback::KeysInAvp),
        Just(Fallback::Capabilities)
    ];
    (modes, managements, fallbacks).prop_map(|(mode, management, fallback)| Security {
        fallback,
        ..security(mode, management)
    })
}

fn any_wish() -> impl Strategy<Value = (bool, Wish)> {
    let directions = prop_oneof![
        Just(Direction::SendRecv),
        Just(Direction::SendOnly),
        Just(Direction::Inactive)
    ];
    let keys = prop_oneof![Just(Keys::Keep), Just(Keys::Renew)];
    (any::<bool>(), directions, keys).prop_map(|(first, direction, keys)| {
        let wish = Wish {
            direction,
            keys,
            ..Wish::VOICE
        };
        (first, wish)
    })
}

/// That both ends can hear each other as far as they want.
fn fit(own: &Audio, peer: &Audio) {
    assert_eq!(own.direction, peer.direction.reversed());
    assert_eq!(own.line, peer.line);
    match (&own.security, &peer.security) {
        (Secured::None, Secured::None) => {}
        (
            Secured::Srtp { send, receive },
            Secured::Srtp {
                send: theirs,
                receive: heard,
            },
        ) => {
            assert_eq!((send, receive), (heard, theirs));
            assert!(send.master().is_ok() && receive.master().is_ok());
            assert_ne!(send.octets, receive.octets);
        }
        (Secured::Dtls { role, .. }, Secured::Dtls { role: other, .. }) => {
            assert_ne!(role, other);
        }
        (own, peer) => panic!("{own:?} beside {peer:?}"),
    }
}

proptest! {
    #[test]
    fn two_ends_agree_on_keys_that_fit_or_refuse(
        securities in (any_security(), any_security()),
        clear_hop in any::<bool>(),
        wishes in prop::collection::vec(any_wish(), 1..6),
    ) {
        let hop = if clear_hop { Hop::Clear } else { Hop::Tls };
        let (first, second) = securities;
        let modes = [first.mode, second.mode];
        let mut a = Negotiation::new(end(1, first), hop);
        let mut b = Negotiation::new(end(2, second), hop);
        let mut random = Counter(1);
        let mut protected = false;
        for (turn, wish) in wishes {
            let (caller, called) = if turn { (&mut a, &mut b) } else { (&mut b, &mut a) };
            let Ok(offer) = random.run(|fresh| caller.offer(wish, fresh)) else {
                prop_assert!(clear_hop && modes.contains(&Mode::Secure));
                continue;
            };
            let keys = Keys::Keep;
            match random.run(|fresh| called.answer(&sent(&offer), Direction::SendRecv, keys, fresh)) {
                Ok((answer, at_called)) => {
                    let at_caller = caller.read_answer(&sent(&answer));
                    let at_caller = at_caller.expect("what we answer we accept");
                    fit(voice(&at_caller), voice(&at_called));
                    let now = voice(&at_caller).security != Secured::None;
                    prop_assert!(now || !modes.contains(&Mode::Secure), "RTP in secure mode");
                    prop_assert!(now || !protected, "a downgrade");
                    protected = now;
                }
                Err(_) => {
                    prop_assert!(!protected, "a refresh was refused");
                    caller.withdraw();
                }
            }
        }
    }

    #[test]
    fn no_offer_is_answered_in_a_shape_of_its_own(
        lines in prop::collection::vec(0_usize..14, 0..12),
        mode in prop_oneof![Just(Mode::Unsecure), Just(Mode::Secure), Just(Mode::SecureWithFallback)],
    ) {
        const LINES: [&str; 14] = [
            "m=audio 4000 RTP/SAVP 8 0", "m=audio 4002 RTP/AVP 0", "m=audio 0 RTP/AVP 0",
            "m=image 4004 udptl t38", "m=video 4006 RTP/AVP 31", "c=IN IP4 0.0.0.0",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            "a=tcap:1 RTP/SAVP", "a=pcfg:1 t=1 a=-ms:1", "a=pcfg:2 a=1|[1]", "a=sendonly",
            "a=setup:actpass", "a=key-mgmt:mikey AAAA",
        ];
        let text: Vec<&str> = lines.iter().map(|at| LINES[*at]).collect();
        let offer = peer(&text.iter().map(|line| format!("{line}\r\n")).collect::<String>());
        let mut side = side(1, mode);
        let answered = Counter(1).run(|fresh| side.answer(&offer, Direction::SendRecv, Keys::Keep, fresh));
        if let Ok((answer, agreed)) = answered {
            prop_assert_eq!(answer.media.len(), offer.media.len());
            for (own, theirs) in answer.media.iter().zip(&offer.media) {
                prop_assert_eq!(&own.kind, &theirs.kind);
                prop_assert!(theirs.port != 0 || own.port == 0);
            }
            let live = answer.media.iter().filter(|media| media.port != 0);
            prop_assert_eq!(live.count(), 1);
            if let Media::Audio(audio) = agreed.media {
                let secured = audio.security != Secured::None;
                let cryptos = answer.media[audio.line].attributes();
                let cryptos = cryptos.filter(|line| matches!(line, Attribute::Crypto(_))).count();
                prop_assert_eq!(cryptos, usize::from(secured));
            }
        }
    }
}
