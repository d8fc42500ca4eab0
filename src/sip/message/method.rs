//! SIP methods: the ones with a meaning here, and any other token.

use std::fmt;

/// A request method; case counts (RFC 3261 §7.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §17.1.1.3.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §10.
    Register,
    /// RFC 3261 §11.
    Options,
    /// RFC 3262.
    Prack,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3903.
    Publish,
    /// RFC 6086.
    Info,
    /// RFC 3515.
    Refer,
    /// RFC 3428.
    Message,
    /// RFC 3311.
    Update,
    /// Any other method, as received.
    Extension(Box<str>),
}

impl Method {
    /// The method that this text names. `%` is no escape here (RFC 4475 §3.1.1.5).
    pub fn new(text: &str) -> Method {
        match KNOWN.iter().find(|known| known.as_str() == text) {
            Some(known) => known.clone(),
            None => Method::Extension(text.into()),
        }
    }

    /// The method as it is written on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Register => "REGISTER",
            Method::Options => "OPTIONS",
            Method::Prack => "PRACK",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Publish => "PUBLISH",
            Method::Info => "INFO",
            Method::Refer => "REFER",
            Method::Message => "MESSAGE",
            Method::Update => "UPDATE",
            Method::Extension(text) => text,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const KNOWN: [Method; 14] = [
    Method::Register,
    Method::Options,
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Notify,
    Method::Prack,
    Method::Subscribe,
    Method::Publish,
    Method::Info,
    Method::Refer,
    Method::Message,
    Method::Update,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_method_reads_back_from_its_own_text() {
        for method in KNOWN {
            assert_eq!(Method::new(method.as_str()), method);
        }
    }

    #[test]
    fn case_and_percent_make_another_method() {
        assert_eq!(Method::new("invite"), Method::Extension("invite".into()));
        assert_ne!(Method::new("IN%56ITE"), Method::Invite);
    }
}
