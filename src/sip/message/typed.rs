//! Header fields as what they mean.
//!
//! A field that must be there once comes as a `Result` that names what is
//! wrong; an optional number comes as an `Option`, where malformed counts as
//! absent (RFC 4475 §3.1.2.4 lets the default stand in).

use super::address::NameAddr;
use super::contact::Contact;
use super::cseq::CSeq;
use super::error::FieldError;
use super::headers::Headers;
use super::limits::{MAX_VALUES, MAX_VIAS};
use super::name::HeaderName;
use super::scan;
use super::via::Via;

impl Headers {
    /// The topmost Via.
    pub fn via(&self) -> Result<Via, FieldError> {
        let first = self.values(&HeaderName::Via).next();
        let value = first.ok_or(FieldError::Missing(HeaderName::Via))?;
        Via::parse(value).ok_or(FieldError::Malformed(HeaderName::Via))
    }

    /// All Via values, topmost first.
    pub fn vias(&self) -> Result<Vec<Via>, FieldError> {
        self.list(HeaderName::Via, MAX_VIAS, Via::parse)
    }

    /// Who asks.
    pub fn from(&self) -> Result<NameAddr, FieldError> {
        self.one(HeaderName::From, NameAddr::parse)
    }

    /// Who is asked.
    pub fn to(&self) -> Result<NameAddr, FieldError> {
        self.one(HeaderName::To, NameAddr::parse)
    }

    /// The Call-ID; compares octet for octet (RFC 3261 §20.8).
    pub fn call_id(&self) -> Result<&str, FieldError> {
        self.one(HeaderName::CallId, |value| {
            let text = std::str::from_utf8(value).ok()?;
            let fine = !text.is_empty() && !text.bytes().any(scan::is_space);
            fine.then_some(text)
        })
    }

    /// The CSeq.
    pub fn cseq(&self) -> Result<CSeq, FieldError> {
        self.one(HeaderName::CSeq, CSeq::parse)
    }

    /// All Contact values; empty if there is no Contact.
    pub fn contacts(&self) -> Result<Vec<Contact>, FieldError> {
        self.list(HeaderName::Contact, MAX_VALUES, Contact::parse)
    }

    /// All Route values.
    pub fn routes(&self) -> Result<Vec<NameAddr>, FieldError> {
        self.addresses(HeaderName::Route)
    }

    /// All Record-Route values.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, FieldError> {
        self.addresses(HeaderName::RecordRoute)
    }

    /// All Path values (RFC 3327).
    pub fn path(&self) -> Result<Vec<NameAddr>, FieldError> {
        self.addresses(HeaderName::Path)
    }

    /// All Service-Route values (RFC 3608).
    pub fn service_route(&self) -> Result<Vec<NameAddr>, FieldError> {
        self.addresses(HeaderName::ServiceRoute)
    }

    /// Hops left, 0 to 255.
    pub fn max_forwards(&self) -> Option<u8> {
        self.scalar(&HeaderName::MaxForwards)?.try_into().ok()
    }

    /// Seconds.
    pub fn expires(&self) -> Option<u32> {
        self.scalar(&HeaderName::Expires)
    }

    /// Seconds (RFC 3261 §20.23).
    pub fn min_expires(&self) -> Option<u32> {
        self.scalar(&HeaderName::MinExpires)
    }

    /// Seconds; a comment or parameters may follow (RFC 3261 §20.33).
    pub fn retry_after(&self) -> Option<u32> {
        let value = self.get(&HeaderName::RetryAfter)?;
        let end = value.iter().position(|octet| b" \t\r(;".contains(octet));
        scan::number(&value[..end.unwrap_or(value.len())])
    }

    /// Seconds between keep-alives that an edge proxy asks for (RFC 5626 §10).
    pub fn flow_timer(&self) -> Option<u32> {
        self.scalar(&HeaderName::FlowTimer)
    }

    /// Octets of the body; none if the field is absent. Repeated is an error
    /// even if all values agree (RFC 4475 §3.3.9).
    pub fn content_length(&self) -> Result<Option<usize>, FieldError> {
        let read = |value: &[u8]| usize::try_from(scan::number(value)?).ok();
        match self.one(HeaderName::ContentLength, read) {
            Ok(length) => Ok(Some(length)),
            Err(FieldError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The media type without its parameters, in lower case: `application/sdp`.
    pub fn content_type(&self) -> Option<String> {
        let text = scan::text(self.get(&HeaderName::ContentType)?);
        let media = text.split(';').next().unwrap_or_default();
        let (kind, form) = media.split_once('/')?;
        Some(format!("{}/{}", kind.trim(), form.trim()).to_ascii_lowercase())
    }

    /// The methods that the sender understands.
    pub fn allow(&self) -> Vec<String> {
        self.tokens(&HeaderName::Allow)
    }

    /// The extensions that the sender understands.
    pub fn supported(&self) -> Vec<String> {
        self.tokens(&HeaderName::Supported)
    }

    /// The extensions without which the request must not be served.
    pub fn require(&self) -> Vec<String> {
        self.tokens(&HeaderName::Require)
    }

    /// The extensions that were refused.
    pub fn unsupported(&self) -> Vec<String> {
        self.tokens(&HeaderName::Unsupported)
    }

    /// Challenges of the server, one raw value a field: `wire::digest` reads them.
    pub fn www_authenticate(&self) -> Vec<String> {
        self.raw_texts(&HeaderName::WwwAuthenticate)
    }

    /// Challenges of a proxy, one raw value a field.
    pub fn proxy_authenticate(&self) -> Vec<String> {
        self.raw_texts(&HeaderName::ProxyAuthenticate)
    }

    fn one<'a, T>(
        &'a self,
        name: HeaderName,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, FieldError> {
        let mut fields = self.iter().filter(|(own, _)| **own == name);
        let first = fields.next().map(|(_, value)| value);
        let repeated = fields.next().is_some();
        match (first, repeated) {
            (None, _) => Err(FieldError::Missing(name)),
            (Some(_), true) => Err(FieldError::Repeated(name)),
            (Some(value), false) => read(value).ok_or(FieldError::Malformed(name)),
        }
    }

    fn list<T>(
        &self,
        name: HeaderName,
        most: usize,
        read: fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, FieldError> {
        let mut list = Vec::new();
        for value in self.values(&name) {
            if list.len() == most {
                return Err(FieldError::TooMany(name.clone()));
            }
            let value = read(value).ok_or_else(|| FieldError::Malformed(name.clone()))?;
            list.push(value);
        }
        Ok(list)
    }

    fn addresses(&self, name: HeaderName) -> Result<Vec<NameAddr>, FieldError> {
        self.list(name, MAX_VALUES, NameAddr::parse)
    }

    fn scalar(&self, name: &HeaderName) -> Option<u32> {
        scan::number(self.get(name)?)
    }

    fn tokens(&self, name: &HeaderName) -> Vec<String> {
        self.values(name)
            .filter(|value| !value.is_empty())
            .take(MAX_VALUES)
            .map(scan::text)
            .collect()
    }

    fn raw_texts(&self, name: &HeaderName) -> Vec<String> {
        self.all(name).take(MAX_VALUES).map(scan::text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Headers {
        Headers::parse(lines.as_bytes()).expect("header lines")
    }

    #[test]
    fn what_must_be_there_once_says_what_is_wrong() {
        let headers = read("To: x y\r\nCSeq: 1 BYE\r\nCSeq: 1 BYE\r\n");
        assert_eq!(headers.to(), Err(FieldError::Malformed(HeaderName::To)));
        assert_eq!(headers.cseq(), Err(FieldError::Repeated(HeaderName::CSeq)));
        assert_eq!(headers.from(), Err(FieldError::Missing(HeaderName::From)));
        assert_eq!(headers.via(), Err(FieldError::Missing(HeaderName::Via)));
    }

    #[test]
    fn a_call_id_is_taken_as_it_stands() {
        let headers = read("i: word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n");
        assert_eq!(
            headers.call_id(),
            Ok("word%ZK-!.*_+'@word`~)(><:\\/\"][?}{")
        );
        assert!(read("i: a b\r\n").call_id().is_err());
        assert!(read("i:\r\n").call_id().is_err());
    }

    #[test]
    fn numbers_out_of_range_count_as_absent() {
        let headers = read("Max-Forwards: 300\r\nExpires: 10000000000\r\nMin-Expires: 060\r\n");
        assert_eq!((headers.max_forwards(), headers.expires()), (None, None));
        assert_eq!(headers.min_expires(), Some(60));
    }

    #[test]
    fn retry_after_may_carry_a_comment() {
        assert_eq!(
            read("Retry-After: 120 (in a meeting)\r\n").retry_after(),
            Some(120)
        );
        assert_eq!(
            read("Retry-After: 18000;duration=3600\r\n").retry_after(),
            Some(18_000)
        );
        assert_eq!(
            read("Retry-After: 949302838503028349304\r\n").retry_after(),
            None
        );
    }

    #[test]
    fn content_length_is_one_number() {
        assert_eq!(read("").content_length(), Ok(None));
        assert_eq!(read("l:5\r\n").content_length(), Ok(Some(5)));
        let malformed = Err(FieldError::Malformed(HeaderName::ContentLength));
        assert_eq!(read("l:-999\r\n").content_length(), malformed);
        let repeated = Err(FieldError::Repeated(HeaderName::ContentLength));
        assert_eq!(read("l:5\r\nl:5\r\n").content_length(), repeated);
    }

    #[test]
    fn lists_are_read_and_bounded() {
        let headers = read("m: <sip:a@b>, *\r\nAllow: INVITE,ACK,\r\nk:\r\n");
        assert_eq!(headers.contacts().map(|all| all.len()), Ok(2));
        assert_eq!(headers.allow(), ["INVITE", "ACK"]);
        assert_eq!(headers.supported(), [""; 0]);
        let vias = "v: SIP/2.0/UDP h\r\n".repeat(MAX_VIAS + 1);
        assert_eq!(
            read(&vias).vias(),
            Err(FieldError::TooMany(HeaderName::Via))
        );
    }
}
