//! What this element can do, asked of a request that is valid (RFC 3261 §8.2).

use super::headers::Headers;
use super::method::Method;
use super::name::HeaderName;
use super::refuse::Refuse;
use super::request::Request;
use super::scan;

/// What an element can do, and so which valid requests it admits.
#[derive(Clone, Debug, Default)]
pub struct Abilities<'a> {
    /// Methods that it serves.
    pub methods: &'a [Method],
    /// Option tags that it supports, in lower case.
    pub extensions: &'a [&'a str],
    /// Media types that it understands, in lower case: `application/sdp`.
    pub media: &'a [&'a str],
}

impl Abilities<'_> {
    /// Judges a valid request in the order of RFC 3261 §8.2: method, required
    /// extensions, content. ACK and CANCEL are never asked for extensions
    /// (§8.2.2.3).
    pub fn admit(&self, request: &Request) -> Result<(), Refuse> {
        self.admit_method(&request.method)?;
        if !matches!(request.method, Method::Ack | Method::Cancel) {
            self.admit_extensions(&request.headers)?;
        }
        self.admit_content(request)
    }

    fn admit_method(&self, method: &Method) -> Result<(), Refuse> {
        match method {
            _ if self.methods.contains(method) => Ok(()),
            Method::Extension(_) => Err(Refuse::UnknownMethod(method.clone())),
            _ => Err(Refuse::MethodNotAllowed(method.clone())),
        }
    }

    fn admit_extensions(&self, headers: &Headers) -> Result<(), Refuse> {
        let mut missing = headers.require();
        missing.retain(|tag| !knows(self.extensions, tag));
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Refuse::Required(missing)),
        }
    }

    fn admit_content(&self, request: &Request) -> Result<(), Refuse> {
        let headers = &request.headers;
        if let Some(media) = headers.content_type()
            && !request.body.is_empty()
            && !is_optional(headers)
        {
            if !knows(self.media, &media) {
                return Err(Refuse::MediaType);
            }
            let encodings = headers.text(&HeaderName::ContentEncoding);
            if encodings.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
                return Err(Refuse::Encoding);
            }
        }
        self.admit_accept(request)
    }

    /// RFC 4475 §3.3.15: an INVITE must accept the answer that it would get.
    fn admit_accept(&self, request: &Request) -> Result<(), Refuse> {
        let headers = &request.headers;
        if request.method != Method::Invite || !headers.contains(&HeaderName::Accept) {
            return Ok(());
        }
        let accepted = headers
            .values(&HeaderName::Accept)
            .any(|range| accepts(&scan::text(range), self.media));
        match accepted {
            true => Ok(()),
            false => Err(Refuse::NotAcceptable),
        }
    }
}

fn knows(known: &[&str], wanted: &str) -> bool {
    known.iter().any(|own| own.eq_ignore_ascii_case(wanted))
}

/// RFC 3261 §20.11: `handling=optional` lets the body be ignored.
fn is_optional(headers: &Headers) -> bool {
    headers
        .text(&HeaderName::ContentDisposition)
        .is_some_and(|text| text.to_ascii_lowercase().contains("handling=optional"))
}

/// Whether a media range takes in one of `media`.
fn accepts(range: &str, media: &[&str]) -> bool {
    let range = range.split(';').next().unwrap_or_default();
    let (kind, form) = range.split_once('/').unwrap_or((range, ""));
    let (kind, form) = (kind.trim(), form.trim());
    media.iter().any(|own| {
        let (own_kind, own_form) = own.split_once('/').unwrap_or((own, ""));
        (kind == "*" || kind.eq_ignore_ascii_case(own_kind))
            && (form == "*" || form.eq_ignore_ascii_case(own_form))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    const OURS: Abilities<'static> = Abilities {
        methods: &[Method::Invite, Method::Options, Method::Ack],
        extensions: &["timer"],
        media: &["application/sdp"],
    };

    fn verdict(method: &str, fields: &str, body: &str) -> Result<(), u16> {
        let text = format!("{method} sip:a@example.net SIP/2.0\r\n{fields}\r\n{body}");
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes()) else {
            panic!("no request: {text}");
        };
        OURS.admit(&request)
            .map_err(|refuse| refuse.status().code())
    }

    #[test]
    fn an_unknown_method_is_501_and_an_unserved_one_405() {
        assert_eq!(verdict("OPTIONS", "", ""), Ok(()));
        assert_eq!(verdict("DANCE", "", ""), Err(501));
        assert_eq!(verdict("REGISTER", "", ""), Err(405));
    }

    #[test]
    fn what_is_required_and_not_supported_is_named() {
        assert_eq!(verdict("INVITE", "Require: Timer\r\n", ""), Ok(()));
        assert_eq!(
            verdict("INVITE", "Require: timer, 100rel\r\n", ""),
            Err(420)
        );
        assert_eq!(verdict("ACK", "Require: 100rel\r\n", ""), Ok(()));
    }

    #[test]
    fn a_body_of_another_type_is_415_unless_it_may_be_ignored() {
        let text = "Content-Type: text/plain;charset=utf-8\r\n";
        assert_eq!(verdict("INVITE", text, "x"), Err(415));
        assert_eq!(verdict("INVITE", text, ""), Ok(()));
        let optional = format!("{text}Content-Disposition: render;handling=optional\r\n");
        assert_eq!(verdict("INVITE", &optional, "x"), Ok(()));
        assert_eq!(verdict("INVITE", "c: Application / SDP\r\n", "x"), Ok(()));
        assert_eq!(
            verdict("INVITE", "c: application/sdp\r\ne: gzip\r\n", "x"),
            Err(415)
        );
    }

    #[test]
    fn an_invite_must_accept_what_we_can_answer() {
        assert_eq!(verdict("INVITE", "Accept: text/x\r\n", ""), Err(406));
        assert_eq!(verdict("INVITE", "Accept: text/x, */*\r\n", ""), Ok(()));
        assert_eq!(
            verdict("INVITE", "Accept: application/*;q=0.1\r\n", ""),
            Ok(())
        );
        assert_eq!(verdict("OPTIONS", "Accept: text/x\r\n", ""), Ok(()));
    }
}
