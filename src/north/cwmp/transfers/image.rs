//! A firmware image and its signature (enveloped).
//!
//! ```text
//! DEMARC-IMAGE 1
//! signature: BASE64          over the SHA-256 of all octets after the empty line
//!
//! the image
//! ```
//!
//! The signature is that of `openssl dgst -sha256 -sign KEY`. It is verified
//! while the image streams by, so that its size does not matter; nothing of
//! it may be used before [`Image::finish`] has agreed.

use super::super::fault::Code;
use super::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};
use openssl::pkey::{Id, PKey, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::sign::RsaPssSaltlen;

/// An image on its way.
pub struct Image {
    key: PKey<Public>,
    /// Until the empty line has come.
    head: Vec<u8>,
    signature: Option<Vec<u8>>,
    hasher: Hasher,
}

impl Image {
    /// Waits for the first octets; `key` is a public key as PEM.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn new(key: &[u8]) -> Result<Self, Failure> {
        let key = PKey::public_key_from_pem(key)
            .map_err(|_| denied("the profile's firmware.pem is no public key as PEM"))?;
        let hasher = Hasher::new(MessageDigest::sha256()).map_err(|_| {
            Failure::new(Code::InternalError, "there is no SHA-256 on this machine")
        })?;
        Ok(Self {
            key,
            head: Vec::new(),
            signature: None,
            hasher,
        })
    }

    /// Takes octets of the file; those of the image among them.
    ///
    /// # Errors
    /// The file does not begin as a signed image does.
    pub fn received<'a>(&mut self, octets: &'a [u8]) -> Result<&'a [u8], Failure> {
        if self.signature.is_some() {
            self.hash(octets)?;
            return Ok(octets);
        }
        let before = self.head.len();
        self.head.extend_from_slice(octets);
        let Some(at) = self.head.windows(2).position(|two| two == b"\n\n") else {
            return match self.head.len() {
                0..=LONGEST_HEAD if self.head.starts_with(begins(&self.head)) => Ok(&[]),
                _ => Err(unsigned()),
            };
        };
        if at + 2 > LONGEST_HEAD {
            return Err(unsigned());
        }
        let signature = signature(&self.head[..at]).ok_or_else(unsigned)?;
        self.signature = Some(signature);
        // The head ended within these octets: what is before them had no end.
        let image = &octets[at + 2 - before..];
        self.hash(image)?;
        Ok(image)
    }

    fn hash(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.hasher
            .update(octets)
            .map_err(|_| Failure::new(Code::InternalError, "the image cannot be hashed"))
    }

    /// The file is over.
    ///
    /// # Errors
    /// It is not signed, or not by the key.
    pub fn finish(mut self) -> Result<(), Failure> {
        let signature = self.signature.take().ok_or_else(unsigned)?;
        match self.verify(&signature) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Failure::new(
                Code::TransferFileAuthentication,
                "the image is not signed by the key of the profile",
            )),
        }
    }

    fn verify(&mut self, signature: &[u8]) -> Result<bool, ErrorStack> {
        let digest = self.hasher.finish()?;
        let mut context = PkeyCtx::new(&self.key)?;
        context.verify_init()?;
        context.set_signature_md(openssl::md::Md::sha256())?;
        if self.key.id() == Id::RSA_PSS {
            context.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        context.verify(&digest, signature)
    }
}

/// As much of the first line as has come.
fn begins(head: &[u8]) -> &'static [u8] {
    &FIRST[..FIRST.len().min(head.len())]
}

fn signature(head: &[u8]) -> Option<Vec<u8>> {
    let rest = head.strip_prefix(FIRST)?;
    let text = std::str::from_utf8(rest).ok()?;
    STANDARD.decode(text.strip_prefix("signature: ")?).ok()
}

fn unsigned() -> Failure {
    Failure::new(
        Code::TransferFileAuthentication,
        "the file does not begin as a signed image does",
    )
}

fn denied(why: &str) -> Failure {
    Failure::new(Code::RequestDenied, why)
}

const FIRST: &[u8] = b"DEMARC-IMAGE 1\n";
/// Octets before the image.
const LONGEST_HEAD: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::pkey::Private;
    use openssl::rsa::Rsa;
    use openssl::sign::Signer;

    fn curve() -> PKey<Private> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let key = EcKey::generate(&group).expect("a key");
        PKey::from_ec_key(key).expect("a key")
    }

    fn signed(key: &PKey<Private>, image: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), key).expect("a signer");
        let signature = signer.sign_oneshot_to_vec(image).expect("signed");
        let head = format!(
            "DEMARC-IMAGE 1\nsignature: {}\n\n",
            STANDARD.encode(signature)
        );
        [head.as_bytes(), image].concat()
    }

    fn staged(key: &PKey<Private>, file: &[u8], chunk: usize) -> Result<Vec<u8>, u16> {
        let public = key.public_key_to_pem().expect("PEM");
        let mut image = Image::new(&public).expect("a key");
        let mut staged = Vec::new();
        for octets in file.chunks(chunk) {
            let part = image.received(octets);
            staged.extend(part.map_err(|failure| failure.fault().code)?);
        }
        image.finish().map_err(|failure| failure.fault().code)?;
        Ok(staged)
    }

    #[test]
    fn an_image_that_is_signed_by_the_key_comes_out_as_it_went_in() {
        let rsa = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        let image: Vec<u8> = (0..5000_u32).map(|at| at.to_le_bytes()[0]).collect();
        for key in [curve(), rsa] {
            for chunk in [1, 7, 100_000] {
                assert_eq!(
                    staged(&key, &signed(&key, &image), chunk),
                    Ok(image.clone())
                );
            }
        }
    }

    #[test]
    fn an_image_without_a_signature_or_with_anothers_is_refused() {
        let (key, other) = (curve(), curve());
        let image = b"\n\nimage";
        assert_eq!(staged(&key, image, 3), Err(9019));
        assert_eq!(staged(&key, &signed(&other, image), 64), Err(9019));
        let mut changed = signed(&key, image);
        *changed.last_mut().expect("octets") ^= 1;
        assert_eq!(staged(&key, &changed, 64), Err(9019));
        assert_eq!(staged(&key, b"DEMARC-IMAGE 1\nsign", 64), Err(9019));
        assert_eq!(staged(&key, &[b'x'; 9000], 64), Err(9019));
        let long = [FIRST, b"signature: ", &[b'A'; LONGEST_HEAD], b"\n\nx"].concat();
        for chunk in [1, 100_000] {
            assert_eq!(staged(&key, &long, chunk), Err(9019));
        }
    }
}
