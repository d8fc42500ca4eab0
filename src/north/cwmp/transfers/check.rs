//! Whether a file came as its server meant it: the sums that HTTP can carry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::{Hasher, MessageDigest};

/// Sums that a server has told of a file, and those of what came.
#[derive(Default)]
pub struct Sums {
    wanted: Vec<(Hasher, Vec<u8>, &'static str)>,
}

impl Sums {
    /// Takes a header field of the answer; one that tells no sum is passed over.
    ///
    /// `Content-MD5` (RFC 2616 §14.15), `Digest` (RFC 3230), and
    /// `Content-Digest` and `Repr-Digest` (RFC 9530).
    pub fn field(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "content-md5" => self.want(MessageDigest::md5(), value, "MD5"),
            "digest" | "content-digest" | "repr-digest" => {
                for part in value.split(',') {
                    let Some((algorithm, sum)) = part.trim().split_once('=') else {
                        continue;
                    };
                    if algorithm.eq_ignore_ascii_case("sha-256") {
                        self.want(MessageDigest::sha256(), sum.trim_matches(':'), "SHA-256");
                    }
                }
            }
            _ => {}
        }
    }

    fn want(&mut self, digest: MessageDigest, sum: &str, called: &'static str) {
        let sum = STANDARD.decode(sum.trim());
        if let (Ok(sum), Ok(hasher)) = (sum, Hasher::new(digest)) {
            self.wanted.push((hasher, sum, called));
        }
    }

    /// A part of the file.
    pub fn received(&mut self, octets: &[u8]) {
        // A hash that fails gives another sum.
        for (hasher, ..) in &mut self.wanted {
            let _ = hasher.update(octets);
        }
    }

    /// The sum that differs; None: all of them are as they were told.
    pub fn differs(mut self) -> Option<&'static str> {
        let mut wanted = self.wanted.drain(..);
        let other = wanted.find_map(|(mut hasher, sum, called)| {
            let found = hasher.finish();
            let same = found.is_ok_and(|found| *found == *sum);
            (!same).then_some(called)
        });
        drop(wanted);
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(name: &str, value: &str) -> Option<&'static str> {
        let mut sums = Sums::default();
        sums.field(name, value);
        sums.received(b"hel");
        sums.received(b"lo");
        sums.differs()
    }

    #[test]
    fn a_sum_that_the_server_told_has_to_be_that_of_what_came() {
        const MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";
        const SHA: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        assert_eq!(differs("Content-MD5", MD5), None);
        assert_eq!(
            differs("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            Some("MD5")
        );
        assert_eq!(differs("Repr-Digest", &format!("sha-256=:{SHA}:")), None);
        assert_eq!(differs("Digest", &format!("md5=x, SHA-256={SHA}")), None);
        let other = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
        assert_eq!(differs("Content-Digest", other), Some("SHA-256"));
        assert_eq!(differs("ETag", "x"), None);
    }
}
