//! Digest challenges and credentials: an answer proves its password.
#![no_main]

use demarc::wire::digest::{Challenge, Credentials, Qop, Secret, Target};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let challenges = Challenge::parse_all([text]);
    if let Some(challenge) = Challenge::strongest(&challenges) {
        answer(challenge);
    }
    for challenge in challenges {
        let printed = challenge.to_string();
        assert_eq!(Challenge::parse_all([&*printed]), [challenge], "{printed}");
    }
    match Credentials::parse(text) {
        Ok(credentials) => check(&credentials),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn answer(challenge: &Challenge) {
    let answer = challenge.answer("1000", SECRET, TARGET, 1, "c");
    let credentials = answer.expect("every algorithm that is read is there");
    assert_eq!(credentials.verify(SECRET, TARGET), Ok(true));
    assert_eq!(
        credentials.verify(Secret::Password("other"), TARGET),
        Ok(false)
    );
    check(&match credentials.qop {
        // The count is not sent then.
        Qop::None => Credentials {
            nc: 0,
            ..credentials
        },
        Qop::Auth | Qop::AuthInt => credentials,
    });
}

fn check(credentials: &Credentials) {
    let printed = credentials.to_string();
    assert_eq!(
        Credentials::parse(&printed).as_ref(),
        Ok(credentials),
        "{printed}"
    );
}

const SECRET: Secret<'_> = Secret::Password("secret");
const TARGET: Target<'_> = Target {
    method: "REGISTER",
    uri: "sip:example.org",
    body: b"",
};
