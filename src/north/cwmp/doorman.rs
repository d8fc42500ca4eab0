//! Who may ask for a session (TR-069 §3.2.2).
//!
//! Judges the head of a connection request: its method, its path, its digest.
//! A nonce is used once, or with a count that grows; guessing is slowed down
//! and asking too often is put off. The answer never waits for the session.

use super::settings::Requests;
use crate::wire::digest::{Algorithm, Challenge, Credentials, Qop, Secret, Target};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 200: there will be a session.
    Welcome,
    /// 401 with this value of WWW-Authenticate.
    Prove(String),
    /// 404
    NotFound,
    /// 405
    NotThisMethod,
    /// 503
    Later,
}

/// A connection request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Knock<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its request target, with its query.
    pub target: &'a str,
    /// The value of Authorization.
    pub authorization: Option<&'a str>,
}

/// Remembers nonces and how often was asked.
#[derive(Debug, Default)]
pub struct Doorman {
    nonces: VecDeque<Nonce>,
    /// When the last ones were let in.
    welcomed: VecDeque<Instant>,
    /// When the last ones were not.
    refused: VecDeque<Instant>,
}

#[derive(Debug)]
struct Nonce {
    text: String,
    made: Instant,
    /// The highest count that was used.
    uses: u32,
}

impl Doorman {
    /// Judges a request; `nonce` is fresh randomness without quotes.
    pub fn judge(
        &mut self,
        now: Instant,
        settings: &Requests,
        knock: Knock<'_>,
        nonce: String,
    ) -> Verdict {
        let path = knock.target.split('?').next().unwrap_or_default();
        if path.strip_prefix('/') != Some(settings.path.as_str()) {
            return Verdict::NotFound;
        }
        if knock.method != "GET" {
            return Verdict::NotThisMethod;
        }
        forget(&mut self.refused, now);
        if self.refused.len() >= MOST_REFUSED {
            return Verdict::Later;
        }
        match self.proof(now, settings, knock) {
            Proof::Good => {
                forget(&mut self.welcomed, now);
                if self.welcomed.len() >= MOST_WELCOMED {
                    return Verdict::Later;
                }
                self.welcomed.push_back(now);
                Verdict::Welcome
            }
            Proof::None => self.challenge(now, nonce, false),
            Proof::Stale => self.challenge(now, nonce, true),
            Proof::Wrong => {
                self.refused.push_back(now);
                self.challenge(now, nonce, false)
            }
        }
    }

    fn proof(&mut self, now: Instant, settings: &Requests, knock: Knock<'_>) -> Proof {
        let Some(credentials) = knock
            .authorization
            .and_then(|text| Credentials::parse(text).ok())
        else {
            return Proof::None;
        };
        let is_theirs = settings.any_uri || credentials.uri == knock.target;
        let target = Target {
            method: knock.method,
            uri: &credentials.uri,
            body: &[],
        };
        let password = String::from_utf8_lossy(settings.password.expose());
        let right = !settings.username.is_empty()
            && credentials.username == settings.username
            && credentials.realm == REALM
            && is_theirs
            && credentials.verify(Secret::Password(&password), target) == Ok(true);
        if !right {
            return Proof::Wrong;
        }
        let known = self
            .nonces
            .iter_mut()
            .find(|nonce| nonce.text == credentials.nonce);
        match known {
            // RFC 7616 §3.4.5: a count that does not grow is a replay.
            Some(nonce) if now - nonce.made < NONCE_LIFE && credentials.nc.max(1) > nonce.uses => {
                nonce.uses = match credentials.qop {
                    Qop::None => u32::MAX,
                    _ => credentials.nc,
                };
                Proof::Good
            }
            _ => Proof::Stale,
        }
    }

    fn challenge(&mut self, now: Instant, nonce: String, stale: bool) -> Verdict {
        if self.nonces.len() >= MOST_NONCES {
            self.nonces.pop_front();
        }
        self.nonces.push_back(Nonce {
            text: nonce.clone(),
            made: now,
            uses: 0,
        });
        let challenge = Challenge {
            realm: REALM.to_owned(),
            nonce,
            opaque: None,
            // TR-069 §3.2.2: digest as every server has it.
            algorithm: Algorithm::Md5,
            qop: Qop::Auth,
            stale,
        };
        Verdict::Prove(challenge.to_string())
    }
}

enum Proof {
    Good,
    None,
    Stale,
    Wrong,
}

fn forget(times: &mut VecDeque<Instant>, now: Instant) {
    while times
        .front()
        .is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW)
    {
        times.pop_front();
    }
}

const REALM: &str = "Demarc";
const NONCE_LIFE: Duration = Duration::from_secs(300);
const MOST_NONCES: usize = 64;
const WINDOW: Duration = Duration::from_secs(60);
/// Sessions that may be asked for in a minute.
const MOST_WELCOMED: usize = 10;
/// Wrong proofs in a minute, before nobody is listened to.
const MOST_REFUSED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::cwmp::settings::Settings;
    use crate::schema::{Name, Value};
    use crate::tree::{Actor, Configured, Transaction, Tree};

    struct Door {
        doorman: Doorman,
        settings: Requests,
        now: Instant,
        nonces: u32,
    }

    impl Door {
        fn new(any_uri: bool) -> Self {
            let tree = Tree::in_memory();
            let mut txn = Transaction::new(Actor::local());
            let uri = if any_uri { 200 } else { 100 };
            for (name, value) in [
                ("Cwmp.ConnectionRequestUsername", Value::from("acs")),
                ("Cwmp.ConnectionRequestPassword", Value::from("pw")),
                ("Cwmp.ConnectionRequestPath", Value::from("r4nd0m")),
                ("Cwmp.InteropConnectionRequestUri", Value::Integer(uri)),
            ] {
                txn.assign(Name::parse(name).expect("a name"), value);
            }
            tree.commit_and_wait(txn, 0).expect("granted");
            Self {
                doorman: Doorman::default(),
                settings: Settings::read(&tree.snapshot()).requests,
                now: Instant::now(),
                nonces: 0,
            }
        }

        fn knock(&mut self, method: &str, target: &str, authorization: Option<&str>) -> Verdict {
            self.nonces += 1;
            let knock = Knock {
                method,
                target,
                authorization,
            };
            let nonce = format!("n{}", self.nonces);
            self.doorman.judge(self.now, &self.settings, knock, nonce)
        }

        fn challenge(&mut self) -> Challenge {
            match self.knock("GET", "/r4nd0m", None) {
                Verdict::Prove(value) => Challenge::parse_all([value.as_str()]).remove(0),
                other => panic!("{other:?}"),
            }
        }
    }

    fn answer(challenge: &Challenge, uri: &str, password: &str, nc: u32) -> String {
        let target = Target {
            method: "GET",
            uri,
            body: &[],
        };
        let secret = Secret::Password(password);
        let credentials = challenge.answer("acs", secret, target, nc, "c");
        credentials.expect("MD5 is there").to_string()
    }

    #[test]
    fn who_proves_the_password_is_welcome_and_a_query_does_not_matter() {
        let mut door = Door::new(false);
        let challenge = door.challenge();
        let target = "/r4nd0m?x=1";
        let proof = answer(&challenge, target, "pw", 1);
        assert_eq!(door.knock("GET", target, Some(&proof)), Verdict::Welcome);
    }

    #[test]
    fn a_replay_is_stale_and_a_higher_count_is_not() {
        let mut door = Door::new(false);
        let challenge = door.challenge();
        let first = answer(&challenge, "/r4nd0m", "pw", 1);
        assert_eq!(door.knock("GET", "/r4nd0m", Some(&first)), Verdict::Welcome);
        let Verdict::Prove(again) = door.knock("GET", "/r4nd0m", Some(&first)) else {
            panic!("a replay");
        };
        assert!(again.contains("stale=true"));
        let second = answer(&challenge, "/r4nd0m", "pw", 2);
        assert_eq!(
            door.knock("GET", "/r4nd0m", Some(&second)),
            Verdict::Welcome
        );
        door.now += NONCE_LIFE;
        let third = answer(&challenge, "/r4nd0m", "pw", 3);
        assert!(matches!(
            door.knock("GET", "/r4nd0m", Some(&third)),
            Verdict::Prove(_)
        ));
    }

    #[test]
    fn another_path_or_method_is_refused_before_anything_is_proven() {
        let mut door = Door::new(false);
        assert_eq!(door.knock("GET", "/", None), Verdict::NotFound);
        assert_eq!(door.knock("GET", "/r4nd0m/x", None), Verdict::NotFound);
        assert_eq!(door.knock("POST", "/r4nd0m", None), Verdict::NotThisMethod);
    }

    #[test]
    fn a_uri_that_differs_is_taken_only_where_that_is_allowed() {
        let mut strict = Door::new(false);
        let challenge = strict.challenge();
        let proof = answer(&challenge, "/", "pw", 1);
        assert!(matches!(
            strict.knock("GET", "/r4nd0m", Some(&proof)),
            Verdict::Prove(_)
        ));
        let mut lenient = Door::new(true);
        let challenge = lenient.challenge();
        let proof = answer(&challenge, "/", "pw", 1);
        assert_eq!(
            lenient.knock("GET", "/r4nd0m", Some(&proof)),
            Verdict::Welcome
        );
    }

    #[test]
    fn guessing_and_asking_too_often_are_put_off() {
        let mut door = Door::new(false);
        let challenge = door.challenge();
        for nc in 1..=MOST_WELCOMED {
            let nc = u32::try_from(nc).expect("small");
            let proof = answer(&challenge, "/r4nd0m", "pw", nc);
            assert_eq!(door.knock("GET", "/r4nd0m", Some(&proof)), Verdict::Welcome);
        }
        let proof = answer(&challenge, "/r4nd0m", "pw", 99);
        assert_eq!(door.knock("GET", "/r4nd0m", Some(&proof)), Verdict::Later);
        let mut door = Door::new(false);
        let challenge = door.challenge();
        let wrong = answer(&challenge, "/r4nd0m", "guess", 1);
        for _ in 0..MOST_REFUSED {
            assert!(matches!(
                door.knock("GET", "/r4nd0m", Some(&wrong)),
                Verdict::Prove(_)
            ));
        }
        assert_eq!(door.knock("GET", "/r4nd0m", Some(&wrong)), Verdict::Later);
        door.now += WINDOW;
        assert!(matches!(
            door.knock("GET", "/r4nd0m", None),
            Verdict::Prove(_)
        ));
    }

    #[test]
    fn without_a_user_nobody_is_welcome() {
        let mut door = Door::new(false);
        door.settings.username.clear();
        let challenge = door.challenge();
        let proof = answer(&challenge, "/r4nd0m", "pw", 1);
        assert!(matches!(
            door.knock("GET", "/r4nd0m", Some(&proof)),
            Verdict::Prove(_)
        ));
    }
}
