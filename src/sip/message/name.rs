//! Header names: the ones that SIP defines, with their compact forms, and any other.

use std::fmt;

/// A header field's name; compares without case (RFC 3261 §7.3.1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HeaderName {
    /// `Via`, compact `v`.
    Via,
    /// `From`, compact `f`.
    From,
    /// `To`, compact `t`.
    To,
    /// `Call-ID`, compact `i`.
    CallId,
    /// `CSeq`.
    CSeq,
    /// `Contact`, compact `m`.
    Contact,
    /// `Max-Forwards`.
    MaxForwards,
    /// `Content-Length`, compact `l`.
    ContentLength,
    /// `Content-Type`, compact `c`.
    ContentType,
    /// `Expires`.
    Expires,
    /// `Route`.
    Route,
    /// `Record-Route`.
    RecordRoute,
    /// `User-Agent`.
    UserAgent,
    /// `Server`.
    Server,
    /// `Allow`.
    Allow,
    /// `Supported`, compact `k`.
    Supported,
    /// `Require`.
    Require,
    /// `Unsupported`.
    Unsupported,
    /// `WWW-Authenticate`.
    WwwAuthenticate,
    /// `Authorization`.
    Authorization,
    /// `Proxy-Authenticate`.
    ProxyAuthenticate,
    /// `Proxy-Authorization`.
    ProxyAuthorization,
    /// `Proxy-Require`.
    ProxyRequire,
    /// `Authentication-Info`.
    AuthenticationInfo,
    /// `Min-Expires`.
    MinExpires,
    /// `Retry-After`.
    RetryAfter,
    /// `Path`.
    Path,
    /// `Service-Route`.
    ServiceRoute,
    /// `Accept`.
    Accept,
    /// `Accept-Encoding`.
    AcceptEncoding,
    /// `Accept-Language`.
    AcceptLanguage,
    /// `Alert-Info`.
    AlertInfo,
    /// `Allow-Events`, compact `u`.
    AllowEvents,
    /// `Call-Info`.
    CallInfo,
    /// `Content-Disposition`.
    ContentDisposition,
    /// `Content-Encoding`, compact `e`.
    ContentEncoding,
    /// `Content-Language`.
    ContentLanguage,
    /// `Date`.
    Date,
    /// `Error-Info`.
    ErrorInfo,
    /// `Event`, compact `o`.
    Event,
    /// `Flow-Timer`.
    FlowTimer,
    /// `In-Reply-To`.
    InReplyTo,
    /// `MIME-Version`.
    MimeVersion,
    /// `Min-SE`.
    MinSe,
    /// `Organization`.
    Organization,
    /// `P-Asserted-Identity`.
    PAssertedIdentity,
    /// `P-Preferred-Identity`.
    PPreferredIdentity,
    /// `Priority`.
    Priority,
    /// `Privacy`.
    Privacy,
    /// `RAck`.
    RAck,
    /// `RSeq`.
    RSeq,
    /// `Reason`.
    Reason,
    /// `Refer-To`, compact `r`.
    ReferTo,
    /// `Referred-By`, compact `b`.
    ReferredBy,
    /// `Replaces`.
    Replaces,
    /// `Reply-To`.
    ReplyTo,
    /// `Session-Expires`, compact `x`.
    SessionExpires,
    /// `SIP-ETag`.
    SipEtag,
    /// `SIP-If-Match`.
    SipIfMatch,
    /// `Subject`, compact `s`.
    Subject,
    /// `Subscription-State`.
    SubscriptionState,
    /// `Timestamp`.
    Timestamp,
    /// `Warning`.
    Warning,
    /// Any other name, as received.
    Other(Box<str>),
}

impl HeaderName {
    /// The header that this name means, in its long or its compact form.
    pub fn new(name: &str) -> HeaderName {
        let known = match name.as_bytes() {
            [letter] => compact(*letter),
            _ => KNOWN
                .iter()
                .find(|(known, _)| known.len() == name.len() && known.eq_ignore_ascii_case(name))
                .map(|(_, known)| known.clone()),
        };
        known.unwrap_or_else(|| HeaderName::Other(name.into()))
    }

    /// The long form of the name.
    pub fn as_str(&self) -> &str {
        match self {
            HeaderName::Via => "Via",
            HeaderName::From => "From",
            HeaderName::To => "To",
            HeaderName::CallId => "Call-ID",
            HeaderName::CSeq => "CSeq",
            HeaderName::Contact => "Contact",
            HeaderName::MaxForwards => "Max-Forwards",
            HeaderName::ContentLength => "Content-Length",
            HeaderName::ContentType => "Content-Type",
            HeaderName::Expires => "Expires",
            HeaderName::Route => "Route",
            HeaderName::RecordRoute => "Record-Route",
            HeaderName::UserAgent => "User-Agent",
            HeaderName::Server => "Server",
            HeaderName::Allow => "Allow",
            HeaderName::Supported => "Supported",
            HeaderName::Require => "Require",
            HeaderName::Unsupported => "Unsupported",
            HeaderName::WwwAuthenticate => "WWW-Authenticate",
            HeaderName::Authorization => "Authorization",
            HeaderName::ProxyAuthenticate => "Proxy-Authenticate",
            HeaderName::ProxyAuthorization => "Proxy-Authorization",
            HeaderName::ProxyRequire => "Proxy-Require",
            HeaderName::AuthenticationInfo => "Authentication-Info",
            HeaderName::MinExpires => "Min-Expires",
            HeaderName::RetryAfter => "Retry-After",
            HeaderName::Path => "Path",
            HeaderName::ServiceRoute => "Service-Route",
            HeaderName::Accept => "Accept",
            HeaderName::AcceptEncoding => "Accept-Encoding",
            HeaderName::AcceptLanguage => "Accept-Language",
            HeaderName::AlertInfo => "Alert-Info",
            HeaderName::AllowEvents => "Allow-Events",
            HeaderName::CallInfo => "Call-Info",
            HeaderName::ContentDisposition => "Content-Disposition",
            HeaderName::ContentEncoding => "Content-Encoding",
            HeaderName::ContentLanguage => "Content-Language",
            HeaderName::Date => "Date",
            HeaderName::ErrorInfo => "Error-Info",
            HeaderName::Event => "Event",
            HeaderName::FlowTimer => "Flow-Timer",
            HeaderName::InReplyTo => "In-Reply-To",
            HeaderName::MimeVersion => "MIME-Version",
            HeaderName::MinSe => "Min-SE",
            HeaderName::Organization => "Organization",
            HeaderName::PAssertedIdentity => "P-Asserted-Identity",
            HeaderName::PPreferredIdentity => "P-Preferred-Identity",
            HeaderName::Priority => "Priority",
            HeaderName::Privacy => "Privacy",
            HeaderName::RAck => "RAck",
            HeaderName::RSeq => "RSeq",
            HeaderName::Reason => "Reason",
            HeaderName::ReferTo => "Refer-To",
            HeaderName::ReferredBy => "Referred-By",
            HeaderName::Replaces => "Replaces",
            HeaderName::ReplyTo => "Reply-To",
            HeaderName::SessionExpires => "Session-Expires",
            HeaderName::SipEtag => "SIP-ETag",
            HeaderName::SipIfMatch => "SIP-If-Match",
            HeaderName::Subject => "Subject",
            HeaderName::SubscriptionState => "Subscription-State",
            HeaderName::Timestamp => "Timestamp",
            HeaderName::Warning => "Warning",
            HeaderName::Other(name) => name,
        }
    }
}

/// RFC 3261 §7.3.3, and the forms that extensions registered.
fn compact(letter: u8) -> Option<HeaderName> {
    let name = match letter.to_ascii_lowercase() {
        b'b' => HeaderName::ReferredBy,
        b'c' => HeaderName::ContentType,
        b'e' => HeaderName::ContentEncoding,
        b'f' => HeaderName::From,
        b'i' => HeaderName::CallId,
        b'k' => HeaderName::Supported,
        b'l' => HeaderName::ContentLength,
        b'm' => HeaderName::Contact,
        b'o' => HeaderName::Event,
        b'r' => HeaderName::ReferTo,
        b's' => HeaderName::Subject,
        b't' => HeaderName::To,
        b'u' => HeaderName::AllowEvents,
        b'v' => HeaderName::Via,
        b'x' => HeaderName::SessionExpires,
        _ => return None,
    };
    Some(name)
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &HeaderName) -> bool {
        match (self, other) {
            (HeaderName::Other(a), HeaderName::Other(b)) => a.eq_ignore_ascii_case(b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The frequent ones first: a name is looked up in this order, its length
/// before its letters.
const KNOWN: [(&str, HeaderName); 63] = [
    ("Via", HeaderName::Via),
    ("From", HeaderName::From),
    ("To", HeaderName::To),
    ("Call-ID", HeaderName::CallId),
    ("CSeq", HeaderName::CSeq),
    ("Contact", HeaderName::Contact),
    ("Max-Forwards", HeaderName::MaxForwards),
    ("Content-Length", HeaderName::ContentLength),
    ("Content-Type", HeaderName::ContentType),
    ("Expires", HeaderName::Expires),
    ("Route", HeaderName::Route),
    ("Record-Route", HeaderName::RecordRoute),
    ("User-Agent", HeaderName::UserAgent),
    ("Server", HeaderName::Server),
    ("Allow", HeaderName::Allow),
    ("Supported", HeaderName::Supported),
    ("Require", HeaderName::Require),
    ("Unsupported", HeaderName::Unsupported),
    ("WWW-Authenticate", HeaderName::WwwAuthenticate),
    ("Authorization", HeaderName::Authorization),
    ("Proxy-Authenticate", HeaderName::ProxyAuthenticate),
    ("Proxy-Authorization", HeaderName::ProxyAuthorization),
    ("Proxy-Require", HeaderName::ProxyRequire),
    ("Authentication-Info", HeaderName::AuthenticationInfo),
    ("Min-Expires", HeaderName::MinExpires),
    ("Retry-After", HeaderName::RetryAfter),
    ("Path", HeaderName::Path),
    ("Service-Route", HeaderName::ServiceRoute),
    ("Accept", HeaderName::Accept),
    ("Accept-Encoding", HeaderName::AcceptEncoding),
    ("Accept-Language", HeaderName::AcceptLanguage),
    ("Alert-Info", HeaderName::AlertInfo),
    ("Allow-Events", HeaderName::AllowEvents),
    ("Call-Info", HeaderName::CallInfo),
    ("Content-Disposition", HeaderName::ContentDisposition),
    ("Content-Encoding", HeaderName::ContentEncoding),
    ("Content-Language", HeaderName::ContentLanguage),
    ("Date", HeaderName::Date),
    ("Error-Info", HeaderName::ErrorInfo),
    ("Event", HeaderName::Event),
    ("Flow-Timer", HeaderName::FlowTimer),
    ("In-Reply-To", HeaderName::InReplyTo),
    ("MIME-Version", HeaderName::MimeVersion),
    ("Min-SE", HeaderName::MinSe),
    ("Organization", HeaderName::Organization),
    ("P-Asserted-Identity", HeaderName::PAssertedIdentity),
    ("P-Preferred-Identity", HeaderName::PPreferredIdentity),
    ("Priority", HeaderName::Priority),
    ("Privacy", HeaderName::Privacy),
    ("RAck", HeaderName::RAck),
    ("RSeq", HeaderName::RSeq),
    ("Reason", HeaderName::Reason),
    ("Refer-To", HeaderName::ReferTo),
    ("Referred-By", HeaderName::ReferredBy),
    ("Replaces", HeaderName::Replaces),
    ("Reply-To", HeaderName::ReplyTo),
    ("Session-Expires", HeaderName::SessionExpires),
    ("SIP-ETag", HeaderName::SipEtag),
    ("SIP-If-Match", HeaderName::SipIfMatch),
    ("Subject", HeaderName::Subject),
    ("Subscription-State", HeaderName::SubscriptionState),
    ("Timestamp", HeaderName::Timestamp),
    ("Warning", HeaderName::Warning),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_reads_back_from_its_own_text() {
        for (text, name) in &KNOWN {
            assert_eq!(name.as_str(), *text);
            assert_eq!(&HeaderName::new(text), name);
            assert_eq!(&HeaderName::new(&name.as_str().to_uppercase()), name);
        }
    }

    #[test]
    fn compact_forms_mean_the_long_ones() {
        assert_eq!(HeaderName::new("v"), HeaderName::Via);
        assert_eq!(HeaderName::new("L"), HeaderName::ContentLength);
        assert_eq!(HeaderName::new("q"), HeaderName::Other("Q".into()));
    }

    #[test]
    fn percent_is_no_escape_in_a_name() {
        assert_ne!(HeaderName::new("C%6Fntact"), HeaderName::Contact);
    }
}
