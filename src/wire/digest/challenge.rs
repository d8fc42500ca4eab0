//! A server's challenge, and a client's choice among several.

use std::fmt;

use super::grammar::{self, param, schemes};
use super::{Algorithm, Credentials, DigestError, Qop, Secret, Target};

/// A server's question, from WWW-Authenticate or Proxy-Authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose passwords are meant, as between the quotes.
    pub realm: String,
    /// The server's nonce, as between the quotes.
    pub nonce: String,
    /// To be sent back unchanged.
    pub opaque: Option<String>,
    /// What to hash with.
    pub algorithm: Algorithm,
    /// The protection that an answer uses: `auth` if it is offered.
    pub qop: Qop,
    /// Only the nonce was too old; the password may be right.
    pub stale: bool,
}

impl Challenge {
    /// Reads the values of all challenge fields of a response. Other schemes,
    /// unknown algorithms and unknown protections are passed over
    /// (RFC 7616 §3.3); so is a challenge without realm or nonce.
    pub fn parse_all<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
        values
            .into_iter()
            .flat_map(schemes)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Digest"))
            .filter_map(|(_, params)| Challenge::read(&params))
            .take(grammar::MAX_CHALLENGES)
            .collect()
    }

    /// The challenge to answer: the strongest, and among equals the first, which
    /// the server prefers (RFC 8760 §2.4).
    pub fn strongest(challenges: &[Challenge]) -> Option<&Challenge> {
        challenges
            .iter()
            .rev()
            .max_by_key(|challenge| challenge.algorithm.strength())
    }

    /// Answers the challenge. `nc` counts the uses of this nonce from 1;
    /// `cnonce` is fresh randomness without quotes.
    pub fn answer(
        &self,
        username: &str,
        secret: Secret<'_>,
        target: Target<'_>,
        nc: u32,
        cnonce: &str,
    ) -> Result<Credentials, DigestError> {
        let keyed = self.qop != Qop::None || self.algorithm.is_session();
        let mut credentials = Credentials {
            username: grammar::escape(username),
            realm: self.realm.clone(),
            nonce: self.nonce.clone(),
            uri: target.uri.to_owned(),
            response: String::new(),
            algorithm: self.algorithm,
            opaque: self.opaque.clone(),
            qop: self.qop,
            nc,
            cnonce: keyed.then(|| cnonce.to_owned()),
        };
        credentials.response = credentials.expected(secret, target)?;
        Ok(credentials)
    }

    fn read(params: &[(&str, &str)]) -> Option<Challenge> {
        let get = |name| param(params, name);
        Some(Challenge {
            realm: get("realm")?.to_owned(),
            nonce: get("nonce")?.to_owned(),
            opaque: get("opaque").map(str::to_owned),
            algorithm: Algorithm::read(get("algorithm"))?,
            qop: Qop::offered(get("qop"))?,
            stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

impl fmt::Display for Challenge {
    /// The value of a WWW-Authenticate field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest realm=\"{}\", nonce=\"{}\"",
            self.realm, self.nonce
        )?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque=\"{opaque}\"")?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        write!(f, ", algorithm={}", self.algorithm)?;
        match self.qop {
            Qop::None => Ok(()),
            qop => write!(f, ", qop=\"{}\"", qop.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Challenge {
        let mut all = Challenge::parse_all([value]);
        assert_eq!(all.len(), 1, "{value}");
        all.remove(0)
    }

    #[test]
    fn a_challenge_prints_and_reads_back() {
        let text = r#"Digest realm="r", nonce="n", opaque="o", stale=true, qop="auth""#;
        let challenge = read(text);
        assert_eq!(read(&challenge.to_string()), challenge);
    }

    #[test]
    fn the_strongest_wins_and_the_unknown_is_passed_over() {
        let all = Challenge::parse_all([
            r#"Digest realm="a", nonce="1", algorithm=MD5"#,
            r#"Digest realm="b", nonce="2", algorithm=SHA3-999"#,
            r#"Basic realm="c""#,
            r#"Digest realm="d", nonce="3", algorithm="sha-256""#,
            r#"Digest realm="e", nonce="4", algorithm=SHA-256-sess"#,
            r#"Digest realm="f", nonce="5", qop="auth-conf""#,
            r#"Digest nonce="6""#,
        ]);
        let realms: Vec<&str> = all.iter().map(|one| one.realm.as_str()).collect();
        assert_eq!(realms, ["a", "d", "e"]);
        let strongest = Challenge::strongest(&all).expect("one of three");
        assert_eq!(strongest.realm, "d");
    }

    #[test]
    fn several_challenges_may_share_one_value() {
        let all = Challenge::parse_all([
            r#"Basic realm="x, Digest y", Digest realm = "a" , nonce="1", stale=TRUE, Digest realm="b",nonce="2""#,
        ]);
        let seen: Vec<(&str, bool)> = all.iter().map(|one| (&*one.realm, one.stale)).collect();
        assert_eq!(seen, [("a", true), ("b", false)]);
    }

    #[test]
    fn broken_values_end_the_reading_and_nothing_else() {
        for broken in [
            "",
            ",",
            "=",
            "Digest",
            "Digest realm",
            "Digest realm=\"x",
            "Digest =\"",
            r#"Digest nonce="1", realm=x\"#,
            r#"Digest nonce="1", realm=x"y"#,
            "\u{fc}=,",
        ] {
            assert_eq!(Challenge::parse_all([broken]), []);
        }
    }
}
