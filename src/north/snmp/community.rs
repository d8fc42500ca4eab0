//! Who asks in SNMPv1 and SNMPv2c: the holder of a community string.
//!
//! A community acts with the rights of one user. Strings are compared in full,
//! for every community, whether or not one matched before.

use std::sync::Arc;

use super::access::Rights;
use super::settings::Community;

/// The user and the rights for which `offered` stands, if it stands for any.
pub fn admit(communities: &[Community], offered: &[u8]) -> Option<(Arc<str>, Rights)> {
    let mut admitted = None;
    for community in communities {
        let same_length = community.secret.len() == offered.len() && !offered.is_empty();
        if same_length && openssl::memcmp::eq(&community.secret, offered) {
            admitted = Some((community.user.clone(), community.rights));
        }
    }
    admitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn community(secret: &str, rights: Rights) -> Community {
        Community {
            secret: secret.as_bytes().into(),
            user: "".into(),
            rights,
        }
    }

    #[test]
    fn only_the_exact_string_admits() {
        let communities = [
            community("reader", Rights::Observer),
            community("Writer", Rights::Admin),
        ];
        let rights = |offered: &str| admit(&communities, offered.as_bytes()).map(|(_, r)| r);
        assert_eq!(rights("reader"), Some(Rights::Observer));
        assert_eq!(rights("Writer"), Some(Rights::Admin));
        for other in ["", "r", "reade", "readers", "writer", "reader\0"] {
            assert_eq!(rights(other), None, "{other}");
        }
    }

    #[test]
    fn an_unset_community_admits_nobody() {
        assert!(admit(&[community("", Rights::Admin)], b"").is_none());
        assert!(admit(&[], b"public").is_none());
    }
}
