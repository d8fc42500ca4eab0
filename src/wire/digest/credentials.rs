//! A client's credentials: printed, read, and checked by a server.

use std::fmt;

use openssl::memcmp;

use super::grammar::{param, schemes};
use super::{Algorithm, DigestError, Qop, Secret, Target};

/// A client's answer, for Authorization or Proxy-Authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who answers, as between the quotes.
    pub username: String,
    /// As challenged.
    pub realm: String,
    /// As challenged.
    pub nonce: String,
    /// The URI that was hashed.
    pub uri: String,
    /// The proof, in lower-case hexadecimal.
    pub response: String,
    /// As challenged, or MD5 where the challenge named none.
    pub algorithm: Algorithm,
    /// As challenged.
    pub opaque: Option<String>,
    /// What the response covers.
    pub qop: Qop,
    /// How often the nonce was used, this time included.
    pub nc: u32,
    /// The client's nonce.
    pub cnonce: Option<String>,
}

impl Credentials {
    /// Reads the value of an Authorization or Proxy-Authorization field.
    pub fn parse(value: &str) -> Result<Credentials, DigestError> {
        let schemes = schemes(value);
        let Some((_, params)) = schemes
            .iter()
            .find(|(scheme, _)| scheme.eq_ignore_ascii_case("Digest"))
        else {
            return Err(DigestError::Scheme);
        };
        let get = |name| param(params, name);
        let need = |name| {
            get(name)
                .map(str::to_owned)
                .ok_or(DigestError::Missing(name))
        };
        let qop = Qop::read(get("qop")).ok_or(DigestError::Malformed("qop"))?;
        Ok(Credentials {
            username: need("username")?,
            realm: need("realm")?,
            nonce: need("nonce")?,
            uri: need("uri")?,
            response: need("response")?,
            algorithm: Algorithm::read(get("algorithm"))
                .ok_or(DigestError::Malformed("algorithm"))?,
            opaque: get("opaque").map(str::to_owned),
            qop,
            nc: match qop {
                Qop::None => 0,
                _ => nonce_count(&need("nc")?).ok_or(DigestError::Malformed("nc"))?,
            },
            cnonce: match qop {
                Qop::None => get("cnonce").map(str::to_owned),
                _ => Some(need("cnonce")?),
            },
        })
    }

    /// Whether the response proves the secret for this request, compared in
    /// constant time. Whether realm, nonce, count and `target.uri` are those of
    /// the challenge and the request is for the caller to see.
    pub fn verify(&self, secret: Secret<'_>, target: Target<'_>) -> Result<bool, DigestError> {
        let expected = self.expected(secret, target)?;
        let given = self.response.to_ascii_lowercase();
        Ok(expected.len() == given.len() && memcmp::eq(expected.as_bytes(), given.as_bytes()))
    }

    /// The response that the secret gives (RFC 7616 §3.4.1 to §3.4.3).
    pub(super) fn expected(
        &self,
        secret: Secret<'_>,
        target: Target<'_>,
    ) -> Result<String, DigestError> {
        let algorithm = self.algorithm;
        let cnonce = self.cnonce.as_deref().unwrap_or_default();
        let mut ha1 = match secret {
            Secret::Password(password) => {
                algorithm.hash_of(&[&self.username, &self.realm, password])?
            }
            Secret::Ha1(ha1) => ha1.to_ascii_lowercase(),
        };
        if algorithm.is_session() {
            ha1 = algorithm.hash_of(&[&ha1, &self.nonce, cnonce])?;
        }
        let ha2 = match self.qop {
            Qop::AuthInt => {
                let body = algorithm.hex(target.body)?;
                algorithm.hash_of(&[target.method, target.uri, &body])?
            }
            Qop::None | Qop::Auth => algorithm.hash_of(&[target.method, target.uri])?,
        };
        match self.qop {
            Qop::None => algorithm.hash_of(&[&ha1, &self.nonce, &ha2]),
            qop => {
                let nc = format!("{:08x}", self.nc);
                algorithm.hash_of(&[&ha1, &self.nonce, &nc, cnonce, qop.name(), &ha2])
            }
        }
    }
}

impl fmt::Display for Credentials {
    /// The value of an Authorization field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials {
            username,
            realm,
            nonce,
            uri,
            response,
            ..
        } = self;
        write!(f, "Digest username=\"{username}\", realm=\"{realm}\"")?;
        write!(f, ", nonce=\"{nonce}\", uri=\"{uri}\"")?;
        write!(f, ", response=\"{response}\", algorithm={}", self.algorithm)?;
        if let Some(cnonce) = &self.cnonce {
            write!(f, ", cnonce=\"{cnonce}\"")?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque=\"{opaque}\"")?;
        }
        match self.qop {
            Qop::None => Ok(()),
            // RFC 7616 §3.4: neither has quotes.
            qop => write!(f, ", qop={}, nc={:08x}", qop.name(), self.nc),
        }
    }
}

/// `8LHEX`.
fn nonce_count(text: &str) -> Option<u32> {
    let fine = text.len() == 8 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    u32::from_str_radix(text, 16).ok().filter(|_| fine)
}

#[cfg(test)]
mod tests {
    use super::super::Challenge;
    use super::super::algorithm::ALL;
    use super::*;

    const RFC7616: &str = r#"Digest realm="http-auth@example.org", qop="auth, auth-int",
        algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
    const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    const GET: Target<'static> = Target {
        method: "GET",
        uri: "/dir/index.html",
        body: b"",
    };

    fn read(value: &str) -> Challenge {
        let mut all = Challenge::parse_all([value]);
        assert_eq!(all.len(), 1, "{value}");
        all.remove(0)
    }

    fn answer(challenge: &Challenge, password: &str, cnonce: &str) -> Credentials {
        challenge
            .answer("Mufasa", Secret::Password(password), GET, 1, cnonce)
            .expect("the hash is available")
    }

    #[test]
    fn the_sha_256_example_of_rfc_7616_comes_out() {
        let credentials = answer(&read(RFC7616), "Circle of Life", CNONCE);
        assert_eq!(
            credentials.response,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    #[test]
    fn the_md5_example_of_rfc_7616_comes_out() {
        let challenge = read(&RFC7616.replace("SHA-256", "MD5"));
        let credentials = answer(&challenge, "Circle of Life", CNONCE);
        assert_eq!(credentials.response, "8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out() {
        let challenge = read(
            r#"Digest realm="testrealm@host.com", qop="auth,auth-int",
            nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
        );
        let credentials = answer(&challenge, "Circle Of Life", "0a4f113b");
        assert_eq!(credentials.response, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn what_the_client_prints_the_server_reads_and_believes() {
        for algorithm in ALL {
            for qop in ["", ", qop=\"auth\"", ", qop=\"auth-int\""] {
                let challenge = read(&format!(
                    "Digest realm=\"r\", nonce=\"n\", algorithm={algorithm}{qop}"
                ));
                let sent = answer(&challenge, "secret", "c");
                let seen = Credentials::parse(&sent.to_string()).expect("credentials");
                let believed = |secret| seen.verify(secret, GET).expect("a verdict");
                assert!(believed(Secret::Password("secret")), "{sent}");
                assert!(!believed(Secret::Password("Secret")), "{sent}");
                let ha1 = algorithm.ha1("Mufasa", "r", "secret").expect("a hash");
                assert!(believed(Secret::Ha1(&ha1)), "{sent}");
            }
        }
    }

    #[test]
    fn the_body_counts_for_auth_int() {
        let challenge = read(r#"Digest realm="r", nonce="n", qop="auth-int""#);
        let credentials = answer(&challenge, "secret", "c");
        let changed = Target { body: b"x", ..GET };
        assert_eq!(
            credentials.verify(Secret::Password("secret"), changed),
            Ok(false)
        );
    }

    #[test]
    fn escapes_between_quotes_are_echoed_as_they_are() {
        let challenge = read(r#"Digest realm="a\"b\\", nonce="n""#);
        assert_eq!(challenge.realm, r#"a\"b\\"#);
        let credentials = answer(&challenge, "secret", "c");
        assert!(credentials.to_string().contains(r#"realm="a\"b\\""#));
    }

    #[test]
    fn credentials_name_what_is_wrong_with_them() {
        let parse = |text: &str| Credentials::parse(text).map(|_| ());
        assert_eq!(
            parse("NoOneKnowsThisScheme opaque-data=here"),
            Err(DigestError::Scheme)
        );
        assert_eq!(
            parse("Digest username=\"u\", realm=\"r\""),
            Err(DigestError::Missing("nonce"))
        );
        let all = r#"Digest username="u", realm="r", nonce="n", uri="/", response="0""#;
        assert_eq!(parse(all), Ok(()));
        assert_eq!(
            parse(&format!("{all}, qop=auth, nc=1, cnonce=\"c\"")),
            Err(DigestError::Malformed("nc"))
        );
        assert_eq!(
            parse(&format!("{all}, qop=auth, nc=00000001")),
            Err(DigestError::Missing("cnonce"))
        );
    }
}
