//! Answering digest challenges (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! Keeps the nonce of each realm and counts its uses, so that later requests
//! carry credentials at once. A nonce that was given out for this very
//! request and is refused without `stale` means a wrong password.

use thiserror::Error;

use crate::sip::message::{HeaderName, Request, Response, StatusCode};
use crate::sip::rng::Rng;
use crate::sip::settings::Authentication;
use crate::wire::digest::{Challenge, DigestError, Secret, Target};

/// How many realms are answered at once.
const MAX_REALMS: usize = 4;

/// Why a challenge is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nothing in it that we can compute.
    #[error("the challenge has no digest that can be computed")]
    NoDigest,
    /// No row fits.
    #[error(
        "no row of SipEp.Authentication answers the realm \"{0}\": add one, or clear its Realm or ValidateRealm"
    )]
    NoRow(String),
    /// The credentials were refused.
    #[error(
        "the credentials of user \"{username}\" for realm \"{realm}\" were refused: set SipEp.Authentication.Username and Password"
    )]
    Wrong {
        /// As it was sent.
        username: String,
        /// As it was challenged.
        realm: String,
    },
    /// The server calls every nonce stale.
    #[error("the server calls each of its own nonces for realm \"{0}\" stale")]
    AlwaysStale(String),
    /// The hash failed.
    #[error("{0}")]
    Digest(#[from] DigestError),
}

/// One realm's challenge and who answers it.
#[derive(Debug, Clone)]
struct Held {
    field: HeaderName,
    challenge: Challenge,
    username: String,
    password: String,
    uses: u32,
    age: Age,
}

/// How a nonce came to be held, seen from the request that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    /// From an earlier request.
    Kept,
    /// Given for this one.
    Fresh,
    /// Given for this one instead of a stale one.
    Renewed,
}

/// The challenges of one registration or call.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    held: Vec<Held>,
}

impl Credentials {
    /// A new request begins: what is held comes from earlier ones.
    pub fn begin(&mut self) {
        for held in &mut self.held {
            held.age = Age::Kept;
        }
    }

    /// Whether any credentials were sent.
    pub fn were_used(&self) -> bool {
        self.held.iter().any(|it| it.uses > 0)
    }

    /// Takes in the challenges of a 401 or 407; `user` answers where a row names nobody.
    pub fn challenged(
        &mut self,
        response: &Response,
        rows: &[Authentication],
        user: &str,
    ) -> Result<(), Refusal> {
        let (field, values) = match response.status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => (
                HeaderName::ProxyAuthorization,
                response.headers.proxy_authenticate(),
            ),
            _ => (
                HeaderName::Authorization,
                response.headers.www_authenticate(),
            ),
        };
        let challenges = Challenge::parse_all(values.iter().map(String::as_str));
        let (challenge, row) = choose(&challenges, rows)?;
        let age = self.judge(&field, challenge)?;
        self.held
            .retain(|it| it.field != field || it.challenge.realm != challenge.realm);
        self.held.truncate(MAX_REALMS - 1);
        let username = match row.username.is_empty() {
            true => user.to_owned(),
            false => row.username.clone(),
        };
        self.held.push(Held {
            field,
            challenge: challenge.clone(),
            username,
            password: row.password.clone(),
            uses: 0,
            age,
        });
        Ok(())
    }

    /// Writes what is held into `request`.
    pub fn authorize(&mut self, request: &mut Request, rng: &mut Rng) -> Result<(), Refusal> {
        let uri = String::from_utf8_lossy(request.uri.as_bytes()).into_owned();
        let method = request.method.as_str().to_owned();
        for held in &mut self.held {
            held.uses += 1;
            let target = Target {
                method: &method,
                uri: &uri,
                body: &request.body,
            };
            let cnonce = rng.token();
            let credentials = held.challenge.answer(
                &held.username,
                Secret::Password(&held.password),
                target,
                held.uses,
                &cnonce,
            )?;
            request.headers.push(held.field.clone(), credentials);
        }
        Ok(())
    }

    /// Whether a refused nonce may be replaced by this challenge's.
    fn judge(&self, field: &HeaderName, challenge: &Challenge) -> Result<Age, Refusal> {
        let realm = &challenge.realm;
        let refused = self
            .held
            .iter()
            .find(|it| it.field == *field && it.challenge.realm == *realm && it.uses > 0);
        match (refused, challenge.stale) {
            (None, _) => Ok(Age::Fresh),
            // RFC 7616 §3.3: the password was right, the nonce was too old.
            (Some(held), true) if held.age != Age::Renewed => Ok(Age::Renewed),
            (Some(_), true) => Err(Refusal::AlwaysStale(realm.clone())),
            (Some(held), false) if held.age == Age::Kept => Ok(Age::Fresh),
            (Some(held), false) => Err(Refusal::Wrong {
                username: held.username.clone(),
                realm: realm.clone(),
            }),
        }
    }
}

/// The strongest challenge among those that a row answers, and that row.
fn choose<'a>(
    challenges: &'a [Challenge],
    rows: &'a [Authentication],
) -> Result<(&'a Challenge, &'a Authentication), Refusal> {
    let answerable: Vec<Challenge> = challenges
        .iter()
        .filter(|it| rows.iter().any(|row| answers(row, &it.realm)))
        .cloned()
        .collect();
    let Some(strongest) = Challenge::strongest(&answerable) else {
        return Err(match challenges.first() {
            Some(first) => Refusal::NoRow(first.realm.clone()),
            None => Refusal::NoDigest,
        });
    };
    challenges
        .iter()
        .find(|it| *it == strongest)
        .and_then(|it| Some((it, rows.iter().find(|row| answers(row, &it.realm))?)))
        .ok_or(Refusal::NoDigest)
}

/// An empty realm answers any, whatever ValidateRealm says.
fn answers(row: &Authentication, realm: &str) -> bool {
    !row.validate_realm || row.realm.is_empty() || row.realm == realm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::{Method, Uri};

    fn row(realm: &str) -> Authentication {
        Authentication {
            realm: realm.into(),
            password: "secret".into(),
            ..Authentication::default()
        }
    }

    fn challenge(fields: &[&str]) -> Response {
        let uri = Uri::parse("sip:example").expect("a URI");
        let request = Request::new(Method::Register, uri);
        let mut response = Response::answering(&request, StatusCode::UNAUTHORIZED, None);
        for field in fields {
            response.headers.push(HeaderName::WwwAuthenticate, *field);
        }
        response
    }

    fn authorization(credentials: &mut Credentials) -> String {
        let uri = Uri::parse("sip:example").expect("a URI");
        let mut request = Request::new(Method::Register, uri);
        let mut rng = Rng::new([0; 32]);
        credentials
            .authorize(&mut request, &mut rng)
            .expect("hashed");
        request
            .headers
            .text(&HeaderName::Authorization)
            .unwrap_or_default()
    }

    const FIRST: &str = r#"Digest realm="r", nonce="n1", qop="auth""#;
    const SECOND: &str = r#"Digest realm="r", nonce="n2", qop="auth""#;
    const STALE: &str = r#"Digest realm="r", nonce="n3", qop="auth", stale=true"#;

    #[test]
    fn the_strongest_of_several_challenges_is_answered() {
        let mut credentials = Credentials::default();
        let response = challenge(&[
            r#"Digest realm="r", nonce="weak", algorithm=MD5"#,
            r#"Digest realm="r", nonce="strong", algorithm=SHA-256"#,
        ]);
        credentials
            .challenged(&response, &[row("")], "100")
            .expect("answered");
        let value = authorization(&mut credentials);
        assert!(
            value.contains("SHA-256") && value.contains("strong"),
            "{value}"
        );
    }

    #[test]
    fn the_count_of_a_nonce_grows_with_each_use() {
        let mut credentials = Credentials::default();
        credentials
            .challenged(&challenge(&[FIRST]), &[row("")], "100")
            .expect("answered");
        assert!(authorization(&mut credentials).contains("nc=00000001"));
        credentials.begin();
        assert!(authorization(&mut credentials).contains("nc=00000002"));
    }

    #[test]
    fn a_fresh_nonce_refused_without_stale_is_a_wrong_password() {
        let mut credentials = Credentials::default();
        credentials
            .challenged(&challenge(&[FIRST]), &[row("")], "100")
            .expect("answered");
        authorization(&mut credentials);
        let refusal = credentials.challenged(&challenge(&[SECOND]), &[row("")], "100");
        assert!(matches!(refusal, Err(Refusal::Wrong { .. })), "{refusal:?}");
    }

    #[test]
    fn a_kept_nonce_may_be_refused_once() {
        let mut credentials = Credentials::default();
        credentials
            .challenged(&challenge(&[FIRST]), &[row("")], "100")
            .expect("answered");
        authorization(&mut credentials);
        credentials.begin();
        authorization(&mut credentials);
        credentials
            .challenged(&challenge(&[SECOND]), &[row("")], "100")
            .expect("answered");
        assert!(authorization(&mut credentials).contains("n2"));
    }

    #[test]
    fn a_stale_nonce_is_replaced_once() {
        let mut credentials = Credentials::default();
        credentials
            .challenged(&challenge(&[FIRST]), &[row("")], "100")
            .expect("answered");
        authorization(&mut credentials);
        credentials
            .challenged(&challenge(&[STALE]), &[row("")], "100")
            .expect("renewed");
        assert!(authorization(&mut credentials).contains("n3"));
        let refusal = credentials.challenged(&challenge(&[STALE]), &[row("")], "100");
        assert_eq!(refusal, Err(Refusal::AlwaysStale("r".into())));
    }

    #[test]
    fn a_realm_that_no_row_has_is_named() {
        let mut credentials = Credentials::default();
        let refusal = credentials.challenged(&challenge(&[FIRST]), &[row("other")], "100");
        assert_eq!(refusal, Err(Refusal::NoRow("r".into())));
        let mut any = row("other");
        any.validate_realm = false;
        assert!(
            credentials
                .challenged(&challenge(&[FIRST]), &[any], "100")
                .is_ok()
        );
    }
}
