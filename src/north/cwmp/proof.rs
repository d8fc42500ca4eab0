//! How this side proves a password to an HTTP server (RFC 7616, RFC 7617).
//!
//! For the ACS and for file servers: takes challenges, and answers them for
//! each request. Basic only goes over TLS.

use super::exchange::Account;
use crate::wire::digest::{Challenge, Secret, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a server has asked for so far.
#[derive(Default)]
pub(super) struct Proof {
    proven: Option<Proven>,
    /// Challenges to the request that is under way.
    challenges: u8,
}

enum Proven {
    Digest { challenge: Challenge, uses: u32 },
    Basic,
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The answer was there already.
    Wrong,
    /// Basic without TLS.
    Clear,
    /// Neither digest nor basic.
    Unknown,
}

/// Whether a connection is over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    Tls,
    Clear,
}

impl Proof {
    /// A new request is under way.
    pub(super) fn begins(&mut self) {
        self.challenges = 0;
    }

    /// Another server: nothing is proven to one that has not asked.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The value of Authorization; None: nobody asked for one. `cnonce` is
    /// fresh randomness without quotes.
    pub(super) fn authorization(
        &mut self,
        account: &Account,
        method: &str,
        uri: &str,
        cnonce: &str,
    ) -> Option<String> {
        let password = String::from_utf8_lossy(account.password.expose());
        match self.proven.as_mut()? {
            Proven::Basic => {
                let pair = format!("{}:{password}", account.username);
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Proven::Digest { challenge, uses } => {
                *uses += 1;
                let target = Target {
                    method,
                    uri,
                    body: &[],
                };
                let proof = Secret::Password(&password);
                let answer = challenge.answer(&account.username, proof, target, *uses, cnonce);
                answer.ok().map(|credentials| credentials.to_string())
            }
        }
    }

    /// Takes the values of WWW-Authenticate; the same request goes out again.
    pub(super) fn challenged(&mut self, values: &[String], cover: Cover) -> Result<(), Refused> {
        self.challenges += 1;
        let offered = Challenge::parse_all(values.iter().map(String::as_str));
        if let Some(challenge) = Challenge::strongest(&offered) {
            // Asked again without being told that only the nonce was old: the answer was wrong.
            let answered = self.challenges > 1 && !challenge.stale;
            if answered || self.challenges > MOST_CHALLENGES {
                return Err(Refused::Wrong);
            }
            self.proven = Some(Proven::Digest {
                challenge: challenge.clone(),
                uses: 0,
            });
            return Ok(());
        }
        let basic = values.iter().any(|value| {
            let scheme = value.split_whitespace().next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("Basic")
        });
        match (basic, cover) {
            (true, Cover::Tls) if self.challenges == 1 => {
                self.proven = Some(Proven::Basic);
                Ok(())
            }
            (true, Cover::Tls) => Err(Refused::Wrong),
            (true, Cover::Clear) => Err(Refused::Clear),
            (false, _) => Err(Refused::Unknown),
        }
    }
}

/// Stale nonces that one request may meet.
const MOST_CHALLENGES: u8 = 3;
