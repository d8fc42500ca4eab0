//! Who may ask for a session by a datagram (TR-069 annex G).
//!
//! Judges UDP connection requests: who asks, whether it is signed, whether it
//! is new. Nothing is ever answered. Of the copies of a request one counts;
//! time stamps only grow, so that what was overheard is of no use. What is
//! refused is told of now and then, however often it comes.

use super::settings::{Requests, Stun};
use crate::schema::Secret;
use crate::tree::messages;
use crate::tree::notice::Notice;
use crate::wire::udp_request::{Fault, UdpRequest};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Remembers what was taken, and what was said.
#[derive(Debug)]
pub struct Letterbox {
    /// The time stamp of the last one that was taken.
    last: u64,
    /// Its id; None after a restart.
    id: Option<String>,
    /// What it was signed with: for another secret, time begins anew.
    secret: Option<(String, Secret)>,
    /// When the last ones were taken.
    taken: VecDeque<Instant>,
    /// When something refused was last told of, and how much was not since.
    said: Option<Instant>,
    unsaid: u32,
}

/// What becomes of a datagram.
#[derive(Debug)]
pub enum Verdict {
    /// There will be a session; before it, this time stamp is to be kept.
    Welcome(Option<u64>),
    /// One that is known, or too many.
    Nothing,
    /// It is none, or not to be believed; to be logged where it is told of now.
    Refused(Option<Notice>),
}

impl Letterbox {
    /// One that took the request of this time stamp last.
    pub fn new(last: u64) -> Self {
        Self {
            last,
            id: None,
            secret: None,
            taken: VecDeque::new(),
            said: None,
            unsaid: 0,
        }
    }

    /// Judges a datagram.
    pub fn judge(
        &mut self,
        now: Instant,
        requests: &Requests,
        stun: &Stun,
        from: SocketAddr,
        octets: &[u8],
    ) -> Verdict {
        self.heed(requests);
        let request = match UdpRequest::parse(octets) {
            Ok(request) => request,
            Err(fault) => return self.refuse(now, from, &Why::Malformed(fault)),
        };
        if self.id.as_ref() == Some(&request.id) {
            // A copy: three of each are sent.
            return Verdict::Nothing;
        }
        if !stun.unproven {
            let named = !requests.username.is_empty() && request.user == requests.username;
            if !named {
                return self.refuse(now, from, &Why::User);
            }
            if !request.is_signed_with(requests.password.expose()) {
                return self.refuse(now, from, &Why::Signature);
            }
            if request.ts <= self.last {
                return self.refuse(now, from, &Why::Old);
            }
        }
        self.forget(now);
        if self.taken.len() >= MOST_TAKEN {
            return self.refuse(now, from, &Why::Often);
        }
        self.taken.push_back(now);
        self.id = Some(request.id);
        if stun.unproven {
            return Verdict::Welcome(None);
        }
        self.last = request.ts;
        Verdict::Welcome(Some(self.last))
    }

    /// What was signed with another secret is of no use now.
    fn heed(&mut self, requests: &Requests) {
        let secret = (requests.username.clone(), requests.password.clone());
        let before = self.secret.replace(secret);
        if before.is_some() && before != self.secret {
            (self.last, self.id) = (0, None);
        }
    }

    fn forget(&mut self, now: Instant) {
        let is_over = |at: &Instant| now.saturating_duration_since(*at) >= WINDOW;
        while self.taken.front().is_some_and(is_over) {
            self.taken.pop_front();
        }
    }

    fn refuse(&mut self, now: Instant, from: SocketAddr, why: &Why) -> Verdict {
        let is_quiet = |at: Instant| now.saturating_duration_since(at) < PERIOD;
        if self.said.is_some_and(is_quiet) {
            self.unsaid = self.unsaid.saturating_add(1);
            return Verdict::Refused(None);
        }
        self.said = Some(now);
        let more = match std::mem::take(&mut self.unsaid) {
            0 => String::new(),
            count => format!(" (and {count} more before it)"),
        };
        Verdict::Refused(Some(messages::UDP_REQUEST_REFUSED.with([
            &from,
            &why.to_string(),
            &more,
        ])))
    }
}

/// Why a datagram is not taken.
#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{0}")]
    Malformed(Fault),
    #[error("it is not of Cwmp.ConnectionRequestUsername")]
    User,
    #[error("it is not signed with Cwmp.ConnectionRequestPassword")]
    Signature,
    #[error("its time stamp is not after that of the last one (Cwmp.LastUdpConnectionRequest)")]
    Old,
    #[error("{MOST_TAKEN} were taken in the last minute")]
    Often,
}

const WINDOW: Duration = Duration::from_secs(60);
/// Sessions that may be asked for in a minute.
const MOST_TAKEN: usize = 10;
/// How long nothing is said after something was.
const PERIOD: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::cwmp::settings::Settings;
    use crate::schema::{Name, Value};
    use crate::tree::{Actor, Configured, Transaction, Tree};
    use crate::wire::hmac::hmac_sha1;

    struct Letters {
        letters: Letterbox,
        settings: Settings,
        now: Instant,
        lines: Vec<String>,
    }

    impl Letters {
        fn new(unproven: bool) -> Self {
            let tree = Tree::in_memory();
            let mut txn = Transaction::new(Actor::local());
            let name = "Cwmp.InteropAllowUnauthenticatedUDPConnectionRequests";
            for (name, value) in [
                ("Cwmp.Tr111StunEnable", Value::Integer(1)),
                ("Cwmp.ConnectionRequestUsername", "acs".into()),
                ("Cwmp.ConnectionRequestPassword", "pw".into()),
                (name, Value::from(unproven)),
            ] {
                txn.assign(Name::parse(name).expect("a name"), value);
            }
            tree.commit_and_wait(txn, 0).expect("granted");
            Self {
                letters: Letterbox::new(0),
                settings: Settings::read(&tree.snapshot()),
                now: Instant::now(),
                lines: Vec::new(),
            }
        }

        /// Whether there will be a session.
        fn takes(&mut self, letter: &str) -> bool {
            let stun = self.settings.stun.clone().expect("on");
            let requests = &self.settings.requests;
            let from = ([192, 0, 2, 7], 9).into();
            let verdict = self
                .letters
                .judge(self.now, requests, &stun, from, letter.as_bytes());
            if let Verdict::Refused(Some(notice)) = &verdict {
                self.lines.push(notice.text.clone());
            }
            matches!(verdict, Verdict::Welcome(_))
        }
    }

    fn letter(user: &str, password: &str, ts: u64, id: u64) -> String {
        let text = format!("{ts}{id}{user}c");
        let digest = hmac_sha1(password.as_bytes(), text.as_bytes()).expect("a key");
        let sig = digest.map(|octet| format!("{octet:02X}")).concat();
        format!("GET http://h:1?ts={ts}&id={id}&un={user}&cn=c&sig={sig} HTTP/1.1\r\n\r\n")
    }

    #[test]
    fn three_copies_are_one_request() {
        let mut letters = Letters::new(false);
        let request = letter("acs", "pw", 100, 7);
        assert!(letters.takes(&request));
        assert!(!letters.takes(&request) && !letters.takes(&request));
        // A copy that was stamped again is still a copy.
        assert!(!letters.takes(&letter("acs", "pw", 101, 7)));
        assert!(letters.lines.is_empty());
        assert!(letters.takes(&letter("acs", "pw", 101, 8)));
    }

    #[test]
    fn time_stamps_only_grow_also_over_a_restart() {
        let mut letters = Letters::new(false);
        assert!(letters.takes(&letter("acs", "pw", 100, 7)));
        assert!(!letters.takes(&letter("acs", "pw", 100, 8)));
        assert!(!letters.takes(&letter("acs", "pw", 99, 9)));
        letters.letters = Letterbox::new(100);
        assert!(!letters.takes(&letter("acs", "pw", 100, 7)));
        assert!(letters.takes(&letter("acs", "pw", 101, 7)));
        // With another password, what was overheard is worthless anyway.
        letters.settings.requests.password = b"new"[..].into();
        assert!(!letters.takes(&letter("acs", "pw", 200, 10)));
        assert!(letters.takes(&letter("acs", "new", 50, 11)));
    }

    #[test]
    fn who_does_not_prove_the_password_is_refused_and_told_of_once_in_a_while() {
        let mut letters = Letters::new(false);
        for _ in 0..1000 {
            assert!(!letters.takes(&letter("acs", "guess", 100, 7)));
            assert!(!letters.takes(&letter("other", "pw", 100, 7)));
            assert!(!letters.takes("GET / HTTP/1.1\r\n\r\n"));
        }
        assert_eq!(letters.lines.len(), 1, "{:?}", letters.lines);
        assert!(letters.lines[0].contains("Cwmp.ConnectionRequestPassword"));
        letters.now += PERIOD;
        assert!(!letters.takes("x"));
        assert!(letters.lines[1].contains("(and 2999 more before it)"));
        // None of it stands in the way of who may.
        assert!(letters.takes(&letter("acs", "pw", 100, 7)));
        letters.settings.requests.username.clear();
        assert!(!letters.takes(&letter("", "pw", 101, 8)));
    }

    #[test]
    fn asking_too_often_is_put_off() {
        let mut letters = Letters::new(false);
        for count in 1..=10 {
            assert!(letters.takes(&letter("acs", "pw", count, count)));
        }
        assert!(!letters.takes(&letter("acs", "pw", 11, 11)));
        letters.now += WINDOW;
        assert!(letters.takes(&letter("acs", "pw", 12, 12)));
    }

    #[test]
    fn without_proof_anybody_may_ask_where_that_is_allowed() {
        let mut letters = Letters::new(true);
        assert!(letters.takes(&letter("x", "y", 1, 1)));
        assert!(!letters.takes(&letter("x", "y", 1, 1)));
        // It does not move the time for those who prove it.
        assert!(letters.takes(&letter("x", "y", 1, 2)));
        assert_eq!(letters.letters.last, 0);
    }
}
