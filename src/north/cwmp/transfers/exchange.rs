//! The HTTP side of one file, without its octets.
//!
//! Knows where to ask next, what proof goes with it and what an answer's head
//! means. It never leaves TLS for the clear, follows few redirects, and proves
//! nothing to a server that has not asked.

use super::super::exchange::Account;
use super::super::fault::Code;
use super::super::proof::{Cover, Proof, Refused};
use super::failure::Failure;
use crate::certs::{Source, Url};

/// How a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It comes here.
    Get,
    /// It goes there (A.4.1.5).
    Put,
    /// It goes there, and the server has no PUT.
    Post,
}

/// The HTTP side of one file.
pub struct FileExchange {
    verb: Verb,
    url: Url,
    account: Account,
    proof: Proof,
    redirects: u8,
}

/// The head of an answer, as far as it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Values of WWW-Authenticate.
    pub challenges: Vec<String>,
    /// Location.
    pub location: Option<String>,
    /// Allow.
    pub allow: Option<String>,
}

/// What an answer's head means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This is it.
    Done,
    /// Ask once more, as [`FileExchange::url`] and [`FileExchange::verb`] say now.
    Again,
}

impl Verb {
    /// As a request line has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
        }
    }
}

impl FileExchange {
    /// Nothing asked yet.
    #[must_use]
    pub fn new(verb: Verb, url: Url, account: Account) -> Self {
        Self {
            verb,
            url,
            account,
            proof: Proof::default(),
            redirects: 0,
        }
    }

    /// Where to ask.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How to ask.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// The value of Authorization; None: nobody asked for one.
    pub fn authorization(&mut self, cnonce: &str) -> Option<String> {
        let uri = self.url.target();
        let verb = self.verb.word();
        self.proof.authorization(&self.account, verb, &uri, cnonce)
    }

    /// Takes the head of an answer.
    ///
    /// # Errors
    /// Where the server has no file, takes none, or leads where this does not go.
    pub fn answered(&mut self, head: &Head) -> Result<Next, Failure> {
        let host = self.url.authority();
        match head.status {
            200..=204 => Ok(Next::Done),
            301 | 302 | 303 | 307 | 308 => self.sent_on(head.location.as_deref()),
            401 => self.challenged(head),
            405 | 501 if self.verb == Verb::Put && wants_post(head) => {
                self.verb = Verb::Post;
                Ok(Next::Again)
            }
            // TR-069 A.5.1: 9016 is a server that was contacted (else 9015) and a
            // file that cannot be accessed; 9017 begins once it comes (see the
            // reader of bodies); 9010 is any failure without a code of its own.
            status @ (403 | 404 | 410) => Err(Failure::new(
                Code::TransferFileUnreachable,
                format!("{host} answered with status {status}"),
            )),
            status => Err(Failure::new(
                Code::TransferFailed,
                format!("{host} answered with status {status}"),
            )),
        }
    }

    fn challenged(&mut self, head: &Head) -> Result<Next, Failure> {
        let cover = match &self.url.source {
            Source::Https(..) => Cover::Tls,
            Source::Http(..) | Source::File => Cover::Clear,
        };
        let why = match self.proof.challenged(&head.challenges, cover) {
            Ok(()) => return Ok(Next::Again),
            Err(Refused::Wrong) => "does not take the user name or the password",
            Err(Refused::Clear) => "wants the password in the clear, which is never sent",
            Err(Refused::Unknown) => "asks for a proof that is neither digest nor basic",
        };
        let why = format!("{} {why}", self.url.authority());
        Err(Failure::new(Code::TransferServerAuthentication, why))
    }

    fn sent_on(&mut self, location: Option<&str>) -> Result<Next, Failure> {
        let failed = |why: &str| {
            Err(Failure::new(
                Code::TransferFailed,
                format!("the file server redirects {why}"),
            ))
        };
        self.redirects += 1;
        if self.redirects > MOST_REDIRECTS {
            return failed("too often");
        }
        let there = match location.map(|location| self.url.follow(location)) {
            Some(Ok(there)) => there,
            Some(Err(bad)) => return failed(&format!("wrongly: {bad}")),
            None => return failed("to nowhere"),
        };
        match (&self.url.source, &there.source) {
            (_, Source::File) => return failed("to a file"),
            (Source::Https(..), Source::Http(..)) => return failed("from https to http"),
            (here, elsewhere) if here == elsewhere => {}
            _ => self.proof.forget(),
        }
        self.url = there;
        Ok(Next::Again)
    }
}

fn wants_post(head: &Head) -> bool {
    let allow = head.allow.as_deref().unwrap_or_default();
    allow
        .split(',')
        .any(|method| method.trim().eq_ignore_ascii_case("POST"))
}

/// Redirects followed for one file.
const MOST_REDIRECTS: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Secret;

    fn exchange(verb: Verb, url: &str) -> FileExchange {
        let account = Account {
            username: "u".to_owned(),
            password: Secret::from(&b"pw"[..]),
        };
        FileExchange::new(verb, Url::parse(url).expect("a URL"), account)
    }

    fn head(status: u16) -> Head {
        Head {
            status,
            ..Head::default()
        }
    }

    fn code(outcome: Result<Next, Failure>) -> u16 {
        outcome.expect_err("refused").fault().code
    }

    #[test]
    fn each_status_has_its_fault_code() {
        let mut get = exchange(Verb::Get, "http://a.example/f");
        assert_eq!(get.answered(&head(200)), Ok(Next::Done));
        assert_eq!(code(get.answered(&head(404))), 9016);
        assert_eq!(code(get.answered(&head(403))), 9016);
        assert_eq!(code(get.answered(&head(500))), 9010);
        assert_eq!(code(get.answered(&head(401))), 9012);
    }

    #[test]
    fn a_digest_is_answered_once_and_basic_only_over_tls() {
        let mut asked = head(401);
        asked.challenges = vec!["Digest realm=\"r\", nonce=\"n\", qop=\"auth\"".to_owned()];
        let mut get = exchange(Verb::Get, "http://a.example/f?x=1");
        assert_eq!(get.authorization("c"), None);
        assert_eq!(get.answered(&asked), Ok(Next::Again));
        let proof = get.authorization("c").expect("a proof");
        assert!(proof.contains("uri=\"/f?x=1\""), "{proof}");
        assert_eq!(code(get.answered(&asked)), 9012);
        asked.challenges = vec!["Basic realm=\"r\"".to_owned()];
        let mut clear = exchange(Verb::Get, "http://a.example/f");
        assert_eq!(code(clear.answered(&asked)), 9012);
        let mut secure = exchange(Verb::Get, "https://a.example/f");
        assert_eq!(secure.answered(&asked), Ok(Next::Again));
        assert_eq!(secure.authorization("c").as_deref(), Some("Basic dTpwdw=="));
    }

    #[test]
    fn a_redirect_never_leaves_tls_and_takes_no_proof_along() {
        let mut asked = head(401);
        asked.challenges = vec!["Basic realm=\"r\"".to_owned()];
        let mut get = exchange(Verb::Get, "https://a.example/f");
        assert_eq!(get.answered(&asked), Ok(Next::Again));
        let to = |location: &str| Head {
            status: 302,
            location: Some(location.to_owned()),
            ..Head::default()
        };
        assert_eq!(code(get.answered(&to("http://a.example/f"))), 9010);
        assert_eq!(get.answered(&to("https://b.example/f")), Ok(Next::Again));
        assert_eq!(get.authorization("c"), None);
        for _ in 0..3 {
            assert_eq!(get.answered(&to("/f")), Ok(Next::Again));
        }
        assert_eq!(code(get.answered(&to("/f"))), 9010);
    }

    #[test]
    fn a_server_without_put_that_has_post_is_sent_a_post() {
        let mut put = exchange(Verb::Put, "https://a.example/f");
        assert_eq!(code(put.answered(&head(405))), 9010);
        let allow = Some("GET, POST".to_owned());
        let no_put = Head { allow, ..head(405) };
        assert_eq!(put.answered(&no_put), Ok(Next::Again));
        assert_eq!(put.verb(), Verb::Post);
        assert_eq!(put.answered(&head(201)), Ok(Next::Done));
    }
}
