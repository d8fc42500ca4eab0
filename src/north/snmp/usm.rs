//! The User-based Security Model, incoming side (RFC 3414 §3.2).
//!
//! Tells who sent a message and hands on its scoped PDU in the clear, or names
//! the first test that failed, in the RFC's order. It sends nothing itself:
//! `engine` decides whether a fault becomes a Report.

use std::borrow::Cow;
use std::sync::Arc;

use async_snmp::v3::auth::verify_message;
use snmp_parser::{UsmSecurityParameters, parse_usm_security_parameters};
use thiserror::Error;

use super::counters::Counter;
use super::identity::{Clock, EngineId};
use super::message::{Level, V3Message};
use super::user::User;
use crate::wire::ber::{self, BerError, INTEGER, OCTET_STRING, Reader, SEQUENCE};

/// The longest msgUserName (RFC 3414 §2.4).
pub const MAX_USER_NAME: usize = 32;

/// A message whose sender is known.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// The sender.
    pub user: Arc<User>,
    /// The scoped PDU, tag and all, decrypted where that was needed.
    pub scoped: Cow<'a, [u8]>,
}

/// Why a message was not admitted, in the order of the tests.
#[derive(Debug, Clone, Error)]
pub enum Fault {
    /// The security parameters cannot be read.
    #[error("malformed security parameters: {0}")]
    Malformed(#[from] BerError),
    /// A field of the security parameters is out of its range.
    #[error("security parameters out of range")]
    Range,
    /// The message is for another engine, or its sender looks for this one.
    #[error("unknown engine")]
    UnknownEngineId,
    /// No such user.
    #[error("unknown user")]
    UnknownUserName,
    /// The user has no key for this level.
    #[error("security level without a key")]
    UnsupportedSecLevel,
    /// The digest is not the one that the user's key makes.
    #[error("wrong digest")]
    WrongDigest,
    /// The message is too old, or from another boot; its sender is genuine.
    #[error("not in the time window")]
    NotInTimeWindow(Arc<User>),
    /// The ciphertext cannot be decrypted.
    #[error("decryption error")]
    Decryption,
}

impl Fault {
    /// The counter that remembers it, and that a Report about it carries.
    pub fn counter(&self) -> Counter {
        match self {
            Self::Malformed(_) | Self::Range => Counter::InAsnParseErrs,
            Self::UnknownEngineId => Counter::UnknownEngineIds,
            Self::UnknownUserName => Counter::UnknownUserNames,
            Self::UnsupportedSecLevel => Counter::UnsupportedSecLevels,
            Self::WrongDigest => Counter::WrongDigests,
            Self::NotInTimeWindow(_) => Counter::NotInTimeWindows,
            Self::Decryption => Counter::DecryptionErrors,
        }
    }
}

/// Reads msgSecurityParameters (RFC 3414 §3.2 (1)).
pub fn parameters<'a>(message: &V3Message<'a>) -> Result<UsmSecurityParameters<'a>, Fault> {
    let mut outer = Reader::new(message.security);
    let fields = outer.expect(SEQUENCE)?.content;
    outer.finish()?;
    // The parser below takes any class of tag and an empty INTEGER for 0.
    ber::shape(
        fields,
        &[
            OCTET_STRING,
            INTEGER,
            INTEGER,
            OCTET_STRING,
            OCTET_STRING,
            OCTET_STRING,
        ],
    )?;
    let (_, usm) = parse_usm_security_parameters(message.security).map_err(|_| Fault::Range)?;
    if usm.msg_user_name.len() > MAX_USER_NAME {
        return Err(Fault::Range);
    }
    Ok(usm)
}

/// Tests (3) to (8) of RFC 3414 §3.2.
pub fn admit<'a>(
    message: &V3Message<'a>,
    usm: &UsmSecurityParameters<'a>,
    engine_id: &EngineId,
    clock: Clock,
    users: &[Arc<User>],
) -> Result<Admitted<'a>, Fault> {
    if usm.msg_authoritative_engine_id != engine_id.as_bytes() {
        return Err(Fault::UnknownEngineId);
    }
    let user = users
        .iter()
        .find(|user| *user.name == *usm.msg_user_name)
        .ok_or(Fault::UnknownUserName)?;
    if message.level > user.level() {
        return Err(Fault::UnsupportedSecLevel);
    }
    if message.level >= Level::AuthNoPriv {
        authenticate(message, usm, user)?;
        let sent = Clock {
            boots: usm.msg_authoritative_engine_boots,
            time: usm.msg_authoritative_engine_time,
        };
        if !clock.admits(sent) {
            return Err(Fault::NotInTimeWindow(user.clone()));
        }
    }
    let scoped = match message.level {
        Level::AuthPriv => Cow::Owned(decrypt(message, usm, user)?),
        Level::NoAuthNoPriv | Level::AuthNoPriv => Cow::Borrowed(message.data),
    };
    Ok(Admitted {
        user: user.clone(),
        scoped,
    })
}

/// RFC 3414 §3.2 (6): the digest is made over the message with zeros in its
/// place, and has exactly its algorithm's length (RFC 7860 §4.2.2).
fn authenticate(
    message: &V3Message<'_>,
    usm: &UsmSecurityParameters<'_>,
    user: &User,
) -> Result<(), Fault> {
    let key = user.auth().ok_or(Fault::UnsupportedSecLevel)?;
    let digest = usm.msg_authentication_parameters;
    if digest.len() != key.mac_len() {
        return Err(Fault::WrongDigest);
    }
    let offset = digest.as_ptr().addr() - message.datagram.as_ptr().addr();
    match verify_message(key, message.datagram, offset, digest.len()) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Fault::WrongDigest),
    }
}

/// RFC 3826 §3.1.4. A wrong key shows only when the plaintext is read.
fn decrypt(
    message: &V3Message<'_>,
    usm: &UsmSecurityParameters<'_>,
    user: &User,
) -> Result<Vec<u8>, Fault> {
    user.privacy()
        .ok_or(Fault::UnsupportedSecLevel)?
        .decrypt(
            message.data,
            usm.msg_authoritative_engine_boots,
            usm.msg_authoritative_engine_time,
            usm.msg_privacy_parameters,
        )
        .map(Vec::from)
        .map_err(|_| Fault::Decryption)
}

#[cfg(test)]
mod tests {
    use crate::north::snmp::counters::Counter;
    use crate::north::snmp::engine::Outcome;
    use crate::north::snmp::identity::{Clock, MAX_CLOCK};
    use crate::north::snmp::testing::{Answer, Asking, Bench, NULL, SYS_DESCR, pdu, user};
    use crate::north::snmp::user::AuthAlgorithm;

    const NO_AUTH: u8 = 0;
    const AUTH: u8 = 1;
    const PRIV: u8 = 3;
    const REPORT: u8 = 0xa8;
    const TABLE: &[u32] = &[1, 3, 6, 1, 4, 1, 32473, 5];

    fn answer(bench: &Bench, asking: &Asking) -> Answer {
        match bench.handle(&asking.datagram()) {
            Outcome::Answer(datagram) => Answer::of_v3(&datagram, asking.algorithm),
            other => panic!("{other:?}"),
        }
    }

    /// What a Report is about and the Report; the count has to be in it.
    fn report(bench: &Bench, asking: &Asking) -> (Counter, Answer) {
        match bench.handle(&asking.datagram()) {
            Outcome::Report(datagram, counter) => {
                let answer = Answer::of_v3(&datagram, asking.algorithm);
                assert_eq!(answer.tag, REPORT);
                assert_eq!(answer.message_id, asking.id);
                assert_eq!(answer.names(), [counter.instance()]);
                assert_eq!(answer.bindings[0].1[0], 0x41);
                (counter, answer)
            }
            other => panic!("{other:?}"),
        }
    }

    fn silence(bench: &Bench, datagram: &[u8]) -> Option<Counter> {
        match bench.handle(datagram) {
            Outcome::Silence(counter) => counter,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_level_is_answered_at_its_own_level() {
        let bench = Bench::new();
        for (name, flags) in [("open", NO_AUTH), ("auth", AUTH), ("priv", PRIV)] {
            let answer = answer(&bench, &Asking::get(name, flags));
            assert_eq!(answer.flags, flags);
            assert_eq!((answer.tag, answer.id, answer.status), (0xa2, 42, 0));
            assert_eq!(answer.message_id, 77);
            assert_eq!(answer.bindings[0].1, b"\x04\x09a gateway");
        }
    }

    #[test]
    fn every_hash_authenticates_and_encrypts() {
        for (algorithm, length) in [
            (AuthAlgorithm::Sha1, 12),
            (AuthAlgorithm::Sha224, 16),
            (AuthAlgorithm::Sha256, 24),
            (AuthAlgorithm::Sha384, 32),
            (AuthAlgorithm::Sha512, 48),
        ] {
            let mut bench = Bench::new();
            bench.settings.users = vec![user("u", algorithm, true)];
            let mut asking = Asking::get("u", PRIV);
            asking.algorithm = algorithm;
            asking.digest_length = length;
            assert_eq!(answer(&bench, &asking).status, 0, "{algorithm:?}");
        }
    }

    #[test]
    fn discovery_is_answered_with_the_engine_and_its_clock() {
        let bench = Bench::new();
        let mut asking = Asking::get("", NO_AUTH);
        asking.engine_id.clear();
        asking.pdu = pdu(0xa0, 42, 0, 0, &[]);
        let (counter, answer) = report(&bench, &asking);
        assert_eq!(counter, Counter::UnknownEngineIds);
        assert_eq!((answer.flags, answer.id), (NO_AUTH, 42));
    }

    #[test]
    fn engine_ids_of_any_length_are_unknown() {
        let bench = Bench::new();
        for length in [0, 1, 4, 5, 12, 14, 32, 33, 200] {
            let mut asking = Asking::get("auth", AUTH);
            asking.engine_id = vec![0x80; length];
            assert_eq!(report(&bench, &asking).0, Counter::UnknownEngineIds);
        }
    }

    #[test]
    fn the_tests_run_in_the_order_of_the_rfc() {
        let bench = Bench::new();
        let mut asking = Asking::get("nobody", AUTH);
        asking.digest_length = 1;
        asking.time = 0;
        asking.engine_id = b"another engine".to_vec();
        assert_eq!(report(&bench, &asking).0, Counter::UnknownEngineIds);
        asking.engine_id = Bench::engine_id().as_bytes().to_vec();
        assert_eq!(report(&bench, &asking).0, Counter::UnknownUserNames);
        asking.user = "open";
        assert_eq!(report(&bench, &asking).0, Counter::UnsupportedSecLevels);
        asking.user = "auth";
        assert_eq!(report(&bench, &asking).0, Counter::WrongDigests);
        asking.digest_length = 12;
        assert_eq!(report(&bench, &asking).0, Counter::NotInTimeWindows);
        asking.time = 5000;
        assert_eq!(answer(&bench, &asking).status, 0);
    }

    #[test]
    fn a_digest_of_another_length_is_wrong() {
        let bench = Bench::new();
        for length in [0, 1, 11, 13, 20, 48, 49, 200] {
            let mut asking = Asking::get("auth", AUTH);
            asking.digest_length = length;
            let (counter, answer) = report(&bench, &asking);
            assert_eq!((counter, answer.flags), (Counter::WrongDigests, NO_AUTH));
        }
    }

    #[test]
    fn a_digest_by_another_hash_is_wrong() {
        let mut asking = Asking::get("auth", AUTH);
        asking.algorithm = AuthAlgorithm::Sha256;
        assert_eq!(report(&Bench::new(), &asking).0, Counter::WrongDigests);
    }

    #[test]
    fn one_flipped_bit_is_enough_for_a_wrong_digest() {
        let bench = Bench::new();
        let mut datagram = Asking::get("auth", AUTH).datagram();
        let last = datagram.len() - 3;
        datagram[last] ^= 1;
        assert!(matches!(
            bench.handle(&datagram),
            Outcome::Report(_, Counter::WrongDigests)
        ));
    }

    #[test]
    fn the_report_about_time_is_authenticated() {
        let bench = Bench::new();
        for (boots, time) in [(3, 4849), (3, 5151), (2, 5000), (4, 5000), (0, 0)] {
            let mut asking = Asking::get("priv", PRIV);
            (asking.boots, asking.time) = (boots, time);
            let (counter, answer) = report(&bench, &asking);
            assert_eq!((counter, answer.flags), (Counter::NotInTimeWindows, AUTH));
        }
        let mut asking = Asking::get("auth", AUTH);
        asking.time = 5150;
        assert_eq!(answer(&bench, &asking).status, 0);
    }

    #[test]
    fn an_engine_at_its_last_boot_takes_nothing_authentic() {
        let mut bench = Bench::new();
        let boots = MAX_CLOCK;
        bench.clock = Clock { boots, time: 5000 };
        let mut asking = Asking::get("auth", AUTH);
        asking.boots = i32::MAX;
        assert_eq!(report(&bench, &asking).0, Counter::NotInTimeWindows);
    }

    #[test]
    fn salts_have_eight_octets() {
        let bench = Bench::new();
        for length in [0, 1, 7, 9, 16] {
            let mut asking = Asking::get("priv", PRIV);
            asking.salt = vec![9; length];
            let (counter, answer) = report(&bench, &asking);
            assert_eq!(
                (counter, answer.flags),
                (Counter::DecryptionErrors, NO_AUTH)
            );
            // The request could not be read, so neither could its id.
            assert_eq!(answer.id, 0);
        }
    }

    #[test]
    fn a_plaintext_that_makes_no_sense_is_dropped() {
        let bench = Bench::new();
        for ciphertext in [vec![], vec![1], vec![7; 13], vec![0; 64]] {
            let mut asking = Asking::get("priv", PRIV);
            asking.ciphertext = Some(ciphertext);
            let dropped = silence(&bench, &asking.datagram());
            assert_eq!(dropped, Some(Counter::InAsnParseErrs));
        }
    }

    #[test]
    fn a_level_below_the_users_own_is_not_authorized() {
        let bench = Bench::new();
        for (name, flags) in [("auth", NO_AUTH), ("priv", NO_AUTH), ("priv", AUTH)] {
            let answer = answer(&bench, &Asking::get(name, flags));
            assert_eq!((answer.tag, answer.status, answer.index), (0xa2, 16, 0));
            assert_eq!(answer.bindings[0].1, NULL);
        }
    }

    #[test]
    fn without_the_reportable_flag_no_report_leaves() {
        let bench = Bench::new();
        let mut asking = Asking::get("nobody", NO_AUTH);
        asking.flags = 0;
        let dropped = silence(&bench, &asking.datagram());
        assert_eq!(dropped, Some(Counter::UnknownUserNames));
    }

    #[test]
    fn what_is_no_request_is_never_reported_nor_answered() {
        let bench = Bench::new();
        for tag in [0xa2, 0xa7, 0xa8] {
            let body = || pdu(tag, 42, 0, 0, &[(SYS_DESCR, NULL)]);
            for (name, flags) in [("nobody", NO_AUTH), ("open", NO_AUTH), ("auth", AUTH)] {
                silence(&bench, &Asking::new(name, flags, body()).datagram());
            }
            let mut late = Asking::new("auth", AUTH, body());
            late.time = 0;
            silence(&bench, &late.datagram());
            silence(&bench, &Asking::new("priv", PRIV, body()).datagram());
        }
    }

    #[test]
    fn another_engines_context_is_reported() {
        let mut asking = Asking::get("auth", AUTH);
        asking.context_engine_id = b"another engine".to_vec();
        let (counter, answer) = report(&Bench::new(), &asking);
        assert_eq!((counter, answer.flags), (Counter::UnknownPduHandlers, AUTH));
        assert_eq!(answer.id, 42);
    }

    #[test]
    fn the_engine_that_a_manager_does_not_know_yet_answers_in_the_context_it_was_asked_in() {
        // RFC 5343 §3.1 and §3.2: localEngineID stands for whoever hears it.
        for (user, flags) in [("auth", AUTH), ("priv", PRIV)] {
            let mut asking = Asking::get(user, flags);
            asking.context_engine_id = vec![0x80, 0, 0, 0, 6];
            let Outcome::Answer(datagram) = Bench::new().handle(&asking.datagram()) else {
                panic!("no answer");
            };
            let answer = Answer::of_v3(&datagram, asking.algorithm);
            assert_eq!(answer.context, [0x80, 0, 0, 0, 6]);
            assert_eq!((answer.status, answer.names()), (0, vec![SYS_DESCR]));
        }
    }

    #[test]
    fn an_unknown_context_is_reported() {
        let mut asking = Asking::get("priv", PRIV);
        asking.context_name = b"bridge1".to_vec();
        let (counter, answer) = report(&Bench::new(), &asking);
        assert_eq!((counter, answer.flags), (Counter::UnknownContexts, PRIV));
    }

    #[test]
    fn an_inform_has_no_handler_here() {
        let inform = pdu(0xa6, 42, 0, 0, &[(SYS_DESCR, NULL)]);
        let (counter, _) = report(&Bench::new(), &Asking::new("auth", AUTH, inform));
        assert_eq!(counter, Counter::UnknownPduHandlers);
    }

    #[test]
    fn the_senders_maximum_bounds_the_answer() {
        let bench = Bench::new();
        let mut asking = Asking::new("priv", PRIV, pdu(0xa5, 42, 0, 1000, &[(TABLE, NULL); 100]));
        for (max_size, longest) in [(484, 484), (1000, 1000), (i32::MAX, 1472)] {
            asking.max_size = max_size;
            let Outcome::Answer(datagram) = bench.handle(&asking.datagram()) else {
                panic!("no answer");
            };
            let fill = longest - 80..=longest;
            assert!(fill.contains(&datagram.len()), "{}", datagram.len());
        }
    }

    #[test]
    fn user_names_end_at_32_octets() {
        let bench = Bench::new();
        let name = "a user name of thirty-two octets";
        assert_eq!(
            report(&bench, &Asking::get(name, NO_AUTH)).0,
            Counter::UnknownUserNames
        );
        let name = "a user name of thirty-three octet";
        assert_eq!(
            silence(&bench, &Asking::get(name, NO_AUTH).datagram()),
            Some(Counter::InAsnParseErrs)
        );
    }

    #[test]
    fn clocks_out_of_range_are_malformed() {
        let bench = Bench::new();
        let mut asking = Asking::get("auth", AUTH);
        asking.boots = -1;
        assert_eq!(
            silence(&bench, &asking.datagram()),
            Some(Counter::InAsnParseErrs)
        );
    }

    #[test]
    fn no_truncation_and_no_changed_octet_is_answered() {
        let bench = Bench::new();
        for asking in [Asking::get("auth", AUTH), Asking::get("priv", PRIV)] {
            let whole = asking.datagram();
            for length in 0..whole.len() {
                silence(&bench, &whole[..length]);
            }
            for index in 0..whole.len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut changed = whole.clone();
                    changed[index] ^= flip;
                    // Nothing that passes the digest can differ; but flags can
                    // ask for less protection, and that is not authorized.
                    if let Outcome::Answer(datagram) = bench.handle(&changed) {
                        let answer = Answer::of_v3(&datagram, asking.algorithm);
                        assert_eq!(answer.status, 16);
                    }
                }
            }
        }
    }
}
