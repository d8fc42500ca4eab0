//! The HTTP side of a session, without its octets (TR-069 §3.4).
//!
//! Knows where the next message goes, which cookies and which proof go with
//! it, and what an answer's head means: a body to read, the same message once
//! more, or the end. One exchange lives as long as its session.

use super::client::{Trouble, TroubleKind};
use super::cookies::Jar;
use super::proof::{Cover, Proof, Refused};
use crate::certs::{Source, Url};
use crate::schema::Secret;
use std::time::Duration;

/// Who this side is towards the ACS.
#[derive(Clone)]
pub struct Account {
    /// The name.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// The HTTP side of one session.
pub struct Exchange {
    url: Url,
    account: Account,
    jar: Jar,
    proof: Proof,
    redirects: u8,
}

/// The head of an answer, as far as it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Values of Set-Cookie.
    pub cookies: Vec<String>,
    /// Values of WWW-Authenticate.
    pub challenges: Vec<String>,
    /// Location.
    pub location: Option<String>,
    /// Retry-After, in seconds.
    pub retry_after: Option<u64>,
}

/// What an answer's head means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read its body, which may be empty.
    Body,
    /// The same message again, over the same connection where there still is one.
    Again,
    /// The same message again, to another place.
    Elsewhere,
    /// The session fails.
    Failed(Trouble),
}

impl Exchange {
    /// A session that begins at this URL.
    pub fn new(url: Url, account: Account) -> Self {
        Self {
            url,
            account,
            jar: Jar::default(),
            proof: Proof::default(),
            redirects: 0,
        }
    }

    /// Where the next message goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The value of Cookie; None: no cookie is for this URL.
    pub fn cookie(&self) -> Option<String> {
        let (host, secure) = place(&self.url);
        self.jar.value(&host, self.url.path(), secure)
    }

    /// The value of Authorization; None: nobody asked for one. `cnonce` is
    /// fresh randomness without quotes.
    pub fn authorization(&mut self, cnonce: &str) -> Option<String> {
        let uri = self.url.target();
        self.proof
            .authorization(&self.account, "POST", &uri, cnonce)
    }

    /// A new message is under way.
    pub fn begins(&mut self) {
        self.proof.begins();
    }

    /// Takes the head of an answer.
    pub fn answered(&mut self, head: &Head) -> Next {
        let (host, secure) = place(&self.url);
        for cookie in &head.cookies {
            self.jar.take(cookie, &host, self.url.path(), secure);
        }
        match head.status {
            // 500 carries a SOAP Fault by SOAP 1.1 §6.2; the body tells.
            200..=204 | 500 => Next::Body,
            401 => self.challenged(head),
            301 | 302 | 307 | 308 => self.sent_on(head),
            503 => Next::Failed(Trouble {
                kind: TroubleKind::Other,
                reason: "the ACS is busy (503 Service Unavailable)".to_owned(),
                pause: head.retry_after.map(Duration::from_secs),
            }),
            status => failed(
                TroubleKind::Other,
                format!("the ACS answered with status {status}"),
            ),
        }
    }

    fn challenged(&mut self, head: &Head) -> Next {
        let cover = match place(&self.url).1 {
            true => Cover::Tls,
            false => Cover::Clear,
        };
        let why = match self.proof.challenged(&head.challenges, cover) {
            Ok(()) => return Next::Again,
            Err(Refused::Wrong) => WRONG,
            Err(Refused::Clear) => {
                "the ACS wants the password in the clear over http, which is never sent: make Cwmp.AcsStaticUrl https, or have the ACS use digest"
            }
            Err(Refused::Unknown) => {
                "the ACS asks for a proof of a kind that is not known here; digest and basic are"
            }
        };
        failed(TroubleKind::AuthFailure, why.to_owned())
    }

    fn sent_on(&mut self, head: &Head) -> Next {
        self.redirects += 1;
        let Some(location) = &head.location else {
            return failed(
                TroubleKind::Other,
                "the ACS redirects to nowhere".to_owned(),
            );
        };
        if self.redirects > MOST_REDIRECTS {
            return failed(
                TroubleKind::Other,
                format!("the ACS redirects more than {MOST_REDIRECTS} times"),
            );
        }
        let there = match self.url.follow(location) {
            Ok(there) => there,
            Err(error) => {
                return failed(
                    TroubleKind::Other,
                    format!("the ACS redirects wrongly: {error}"),
                );
            }
        };
        match (&self.url.source, &there.source) {
            (_, Source::File) => {
                failed(TroubleKind::Other, "the ACS redirects to a file".to_owned())
            }
            (Source::Https(..), Source::Http(..)) => failed(
                TroubleKind::Other,
                "the ACS redirects from https to http, which is not followed".to_owned(),
            ),
            (here, elsewhere) if here == elsewhere => {
                self.url = there;
                Next::Again
            }
            _ => {
                // Nothing is proven to a server that has not asked.
                self.proof.forget();
                self.url = there;
                Next::Elsewhere
            }
        }
    }
}

/// The host as cookies name it, and whether it is reached over TLS.
fn place(url: &Url) -> (String, bool) {
    match &url.source {
        Source::Https(host, _) => (host.to_string(), true),
        Source::Http(host, _) => (host.to_string(), false),
        Source::File => (String::new(), false),
    }
}

fn failed(kind: TroubleKind, reason: String) -> Next {
    Next::Failed(Trouble {
        kind,
        reason,
        pause: None,
    })
}

const WRONG: &str = "the ACS does not take the user name or the password: set Cwmp.Username and Cwmp.Password to what it knows";
/// TR-069 §3.4.2: a CPE follows five at least.
const MOST_REDIRECTS: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::FromCell;
    use crate::schema::{Value, kind};
    use crate::wire::digest::{Credentials, Secret as Known, Target};

    fn exchange(url: &str) -> Exchange {
        let password = Value::from("pw");
        let account = Account {
            username: "0090F8-X-1".into(),
            password: <Secret as FromCell<kind::Secret>>::from_cell(Some(&password)),
        };
        Exchange::new(Url::parse(url).expect("a URL"), account)
    }

    fn status(status: u16) -> Head {
        Head {
            status,
            ..Head::default()
        }
    }

    fn digest(nonce: &str, more: &str) -> Head {
        Head {
            challenges: vec![format!("Digest realm=\"acs\", nonce=\"{nonce}\"{more}")],
            ..status(401)
        }
    }

    fn reason(next: &Next) -> (TroubleKind, &str) {
        match next {
            Next::Failed(trouble) => (trouble.kind, &trouble.reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_proven_before_it_is_asked_for_and_then_with_each_message() {
        let mut exchange = exchange("http://acs.example/cwmp?x=1");
        assert_eq!(exchange.authorization("c"), None);
        let head = digest("n", ", qop=\"auth,auth-int\"");
        assert_eq!(exchange.answered(&head), Next::Again);
        for uses in 1..=2 {
            let value = exchange.authorization("c").expect("asked for");
            let credentials = Credentials::parse(&value).expect("it reads");
            assert_eq!(
                (credentials.nc, credentials.uri.as_str()),
                (uses, "/cwmp?x=1")
            );
            let target = Target {
                method: "POST",
                uri: "/cwmp?x=1",
                body: &[],
            };
            assert_eq!(credentials.verify(Known::Password("pw"), target), Ok(true));
        }
    }

    #[test]
    fn a_second_challenge_is_a_wrong_password_unless_the_nonce_was_stale() {
        let mut exchange = exchange("http://acs.example/");
        assert_eq!(exchange.answered(&digest("a", "")), Next::Again);
        assert_eq!(exchange.answered(&digest("b", ", stale=true")), Next::Again);
        let (kind, reason) = (exchange.answered(&digest("c", "")), WRONG);
        assert_eq!(
            super::tests::reason(&kind),
            (TroubleKind::AuthFailure, reason)
        );
        exchange.begins();
        assert_eq!(exchange.answered(&digest("d", "")), Next::Again);
    }

    #[test]
    fn a_password_goes_in_the_clear_only_through_tls() {
        let basic = Head {
            challenges: vec!["Basic realm=\"acs\"".into()],
            ..status(401)
        };
        let mut secure = exchange("https://acs.example/");
        assert_eq!(secure.answered(&basic), Next::Again);
        let value = secure.authorization("c").expect("asked for");
        assert_eq!(value, "Basic MDA5MEY4LVgtMTpwdw==");
        let mut clear = exchange("http://acs.example/");
        let refused = clear.answered(&basic);
        assert_eq!(reason(&refused).0, TroubleKind::AuthFailure);
        assert_eq!(clear.authorization("c"), None);
    }

    fn redirect(to: &str) -> Head {
        Head {
            location: Some(to.into()),
            ..status(302)
        }
    }

    #[test]
    fn a_redirect_is_followed_five_times_and_nothing_is_proven_to_a_stranger() {
        let mut exchange = exchange("http://acs.example/");
        assert_eq!(exchange.answered(&digest("a", "")), Next::Again);
        assert_eq!(exchange.answered(&redirect("/other")), Next::Again);
        assert!(exchange.authorization("c").is_some());
        assert_eq!(
            exchange.answered(&redirect("http://b.example/")),
            Next::Elsewhere
        );
        assert_eq!(exchange.authorization("c"), None);
        assert_eq!(exchange.url().authority(), "b.example");
        for host in ["c", "d", "e"] {
            let to = format!("http://{host}.example/");
            assert_eq!(exchange.answered(&redirect(&to)), Next::Elsewhere);
        }
        let refused = exchange.answered(&redirect("http://f.example/"));
        assert_eq!(reason(&refused).1, "the ACS redirects more than 5 times");
    }

    #[test]
    fn a_redirect_never_leaves_tls() {
        let mut exchange = exchange("https://acs.example/");
        let refused = exchange.answered(&redirect("http://acs.example/"));
        assert_eq!(
            reason(&refused).1,
            "the ACS redirects from https to http, which is not followed"
        );
    }

    #[test]
    fn a_busy_server_says_how_long_to_wait() {
        let head = Head {
            retry_after: Some(60),
            ..status(503)
        };
        let Next::Failed(trouble) = exchange("http://acs.example/").answered(&head) else {
            panic!("it fails");
        };
        assert_eq!(trouble.pause, Some(Duration::from_secs(60)));
    }

    #[test]
    fn the_session_cookie_comes_back() {
        let mut exchange = exchange("http://acs.example/cwmp");
        let head = Head {
            cookies: vec!["session=abc".into()],
            ..status(200)
        };
        assert_eq!(exchange.answered(&head), Next::Body);
        assert_eq!(exchange.cookie().as_deref(), Some("session=abc"));
    }
}
