//! Who calls, from one trunk to another (RFC 3323, 3325).
//!
//! What a trunk that is not trusted asserts is not believed, and what a caller
//! wants private is not told to one. SIP itself makes From anonymous.

use crate::sip::message::NameAddr;
use crate::sip::session::Caller;

/// Whether a trunk is in our trust domain (RFC 3325 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It is.
    Trusted,
    /// It is not.
    Untrusted,
}

/// The caller as the trunk that is called by hears of him, under this number.
#[must_use]
pub fn hand_on(caller: &Caller, from: Trust, to: Trust, number: Option<&str>) -> Caller {
    let believed = match from {
        Trust::Trusted => caller.asserted.clone(),
        // RFC 3325 §5: replaced or removed.
        Trust::Untrusted => Vec::new(),
    };
    // RFC 3325 §7: not to who is not trusted, where the caller wants it private.
    let private = caller.privacy.iter().any(|it| it == "id");
    let hidden = to == Trust::Untrusted && private;
    Caller {
        from: renamed(&caller.from, number),
        asserted: if hidden { Vec::new() } else { believed },
        // A hint of the caller to his own proxy goes no further (RFC 3325 §9.2).
        preferred: Vec::new(),
        privacy: caller.privacy.clone(),
    }
}

fn renamed(from: &NameAddr, number: Option<&str>) -> NameAddr {
    let mut from = from.clone();
    if let Some(number) = number {
        let user = crate::sip::message::escape_user(number);
        from.uri = from.uri.with_user(Some(&user));
    }
    // A tag is of one dialog (RFC 3261 §19.3).
    from.params.remove("tag");
    from
}

#[cfg(test)]
mod tests {
    use super::Trust::{Trusted, Untrusted};
    use super::*;

    fn name(text: &str) -> NameAddr {
        NameAddr::parse(text.as_bytes()).expect("an address")
    }

    fn caller(privacy: &[&str]) -> Caller {
        Caller {
            from: name("\"Alice\" <sip:100@pbx.invalid>;tag=a"),
            asserted: vec![name("<sip:+49100@pbx.invalid>")],
            preferred: vec![name("<sip:alice@pbx.invalid>")],
            privacy: privacy.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn told(privacy: &[&str], from: Trust, to: Trust) -> usize {
        hand_on(&caller(privacy), from, to, None).asserted.len()
    }

    #[test]
    fn an_asserted_identity_goes_where_it_is_believed_and_may_be_known() {
        assert_eq!(told(&[], Trusted, Trusted), 1);
        assert_eq!(told(&["id"], Trusted, Trusted), 1);
        assert_eq!(told(&[], Trusted, Untrusted), 1);
        assert_eq!(told(&["id"], Trusted, Untrusted), 0);
        assert_eq!(told(&[], Untrusted, Trusted), 0);
    }

    #[test]
    fn the_callers_wish_goes_on_and_his_hint_and_tag_do_not() {
        let told = hand_on(&caller(&["id", "critical"]), Trusted, Untrusted, None);
        assert_eq!(told.privacy, ["id", "critical"]);
        assert!(told.preferred.is_empty());
        assert_eq!(told.from.tag(), None);
        assert_eq!(told.from.display.as_deref(), Some("Alice"));
    }

    #[test]
    fn a_transformed_number_stands_in_from() {
        let told = hand_on(&caller(&[]), Trusted, Trusted, Some("+49#1"));
        assert_eq!(told.from.uri.as_str(), "sip:+49%231@pbx.invalid");
    }
}
