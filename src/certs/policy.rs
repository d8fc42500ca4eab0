//! Which TLS versions and cipher suites are offered.
//!
//! Every choice is safe: AEAD and forward secrecy throughout. Older sets and
//! versions that a manager may store act as these (the settings say so).

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

/// What a link may negotiate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// TLS 1.3 only.
    Modern,
    /// TLS 1.2 and 1.3; with 1.2 only ECDHE with AES-GCM or ChaCha20-Poly1305.
    #[default]
    Compatible,
}

impl TlsPolicy {
    /// The versions, preferred first.
    pub(super) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Modern => MODERN,
            Self::Compatible => COMPATIBLE,
        }
    }
}

static MODERN: &[&SupportedProtocolVersion] = &[&TLS13];
static COMPATIBLE: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_suite_lacks_forward_secrecy_or_authenticated_encryption() {
        for suite in rustls_openssl::default_provider().cipher_suites {
            let name = format!("{:?}", suite.suite());
            assert!(name.contains("GCM") || name.contains("CHACHA20"), "{name}");
            assert!(
                name.starts_with("TLS13_") || name.contains("_ECDHE_"),
                "{name}"
            );
        }
    }

    #[test]
    fn the_default_is_compatible() {
        assert_eq!(TlsPolicy::default().versions(), [&TLS13, &TLS12]);
        assert_eq!(TlsPolicy::Modern.versions(), [&TLS13]);
    }
}
