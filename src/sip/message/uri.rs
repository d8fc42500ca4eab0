//! URIs: sip and sips in full, tel by number, all others as they are.
//!
//! A URI is the text it came in, and where its parts stand in that text: it
//! prints back octet for octet, which the digest needs.

use std::fmt;

use super::host::Host;
use super::params;
use super::uri_grammar::{self, Outline, Parts};

/// What a URI starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`, RFC 3261 §19.1.
    Sip,
    /// `sips`, RFC 3261 §19.1.
    Sips,
    /// `tel`, RFC 3966.
    Tel,
    /// Any other absolute URI.
    Other,
}

/// An absolute URI. Equality is that of the text; [`Uri::is_equivalent`] is
/// that of RFC 3261 §19.1.4.
#[derive(Clone, Debug)]
pub struct Uri {
    text: Box<str>,
    scheme: Scheme,
    host: Option<Host>,
    port: Option<u16>,
    parts: Parts,
}

impl Uri {
    /// Reads a whole URI; none if it breaks its scheme's grammar.
    pub fn parse(text: &str) -> Option<Uri> {
        let Outline {
            scheme,
            host,
            port,
            parts,
        } = uri_grammar::read(text)?;
        Some(Uri {
            text: text.into(),
            scheme,
            host,
            port,
            parts,
        })
    }

    /// A sip or sips URI. The user part is written as it is: see
    /// [`escape_user`](super::escape_user).
    pub fn new(scheme: Scheme, user: Option<&str>, host: Host, port: Option<u16>) -> Uri {
        let pieces = Pieces {
            scheme: match scheme {
                Scheme::Sips => "sips",
                Scheme::Tel => "tel",
                Scheme::Sip | Scheme::Other => "sip",
            },
            user: user.unwrap_or_default(),
            ..Pieces::default()
        };
        pieces.assemble(scheme, Some(host), port)
    }

    /// The text, exactly as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part of a sip or sips URI, or the number of a tel URI; escapes
    /// stand as written.
    pub fn user(&self) -> Option<&str> {
        let user = self.between(self.parts.body, self.parts.user);
        (!user.is_empty()).then_some(user)
    }

    /// The password of a sip or sips URI, escapes as written.
    pub fn password(&self) -> Option<&str> {
        self.between(self.parts.user, self.parts.userinfo)
            .strip_prefix(':')
    }

    /// The host of a sip or sips URI.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, if the URI names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// A parameter's value as written; "" for a bare name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or(""))
    }

    /// Each parameter in order, escapes as written.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        params::pieces(self.params_text())
    }

    /// Each header in order, escapes as written (RFC 3261 §19.1.1).
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers_text()
            .strip_prefix('?')
            .into_iter()
            .flat_map(|list| list.split('&'))
            .map(|header| header.split_once('=').unwrap_or((header, "")))
    }

    /// Whether headers follow after a `?`.
    pub fn has_headers(&self) -> bool {
        !self.headers_text().is_empty()
    }

    /// The same URI with another port, or none; a URI without a host has none.
    pub fn with_port(&self, port: Option<u16>) -> Uri {
        let port = port.filter(|_| self.host.is_some());
        self.made_of(self.pieces(), port)
    }

    /// The same URI with another user part, written as it is, and no password.
    pub fn with_user(&self, user: Option<&str>) -> Uri {
        let pieces = Pieces {
            user: user.unwrap_or_default(),
            password: "",
            ..self.pieces()
        };
        self.made_of(pieces, self.port)
    }

    /// The same URI with this parameter changed in its place, or appended. The
    /// value is written as it is: see [`escape_param`](super::escape_param).
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Uri {
        let mut list = params::from_text(self.params_text());
        list.set(name, value);
        self.with_params_text(&list.to_string())
    }

    /// The same URI without this parameter.
    pub fn without_param(&self, name: &str) -> Uri {
        let mut list = params::from_text(self.params_text());
        list.remove(name);
        self.with_params_text(&list.to_string())
    }

    /// The same URI without what follows `?`.
    pub fn without_headers(&self) -> Uri {
        let pieces = Pieces {
            headers: "",
            ..self.pieces()
        };
        self.made_of(pieces, self.port)
    }

    fn with_params_text(&self, params: &str) -> Uri {
        let pieces = Pieces {
            params,
            ..self.pieces()
        };
        self.made_of(pieces, self.port)
    }

    /// A URI of another scheme has no parts that could be changed.
    fn made_of(&self, pieces: Pieces<'_>, port: Option<u16>) -> Uri {
        match self.scheme {
            Scheme::Other => self.clone(),
            scheme => pieces.assemble(scheme, self.host.clone(), port),
        }
    }

    fn pieces(&self) -> Pieces<'_> {
        Pieces {
            scheme: &self.text[..self.parts.body.saturating_sub(1)],
            user: self.between(self.parts.body, self.parts.user),
            password: self.between(self.parts.user, self.parts.userinfo),
            params: self.params_text(),
            headers: self.headers_text(),
        }
    }

    fn params_text(&self) -> &str {
        self.between(self.parts.params, self.parts.headers)
    }

    fn headers_text(&self) -> &str {
        &self.text[self.parts.headers..]
    }

    fn between(&self, start: usize, end: usize) -> &str {
        &self.text[start..end]
    }
}

/// The texts of which a URI is put together again. `password` has its `:`,
/// `params` its `;`, `headers` its `?`.
#[derive(Default)]
struct Pieces<'a> {
    scheme: &'a str,
    user: &'a str,
    password: &'a str,
    params: &'a str,
    headers: &'a str,
}

impl Pieces<'_> {
    fn assemble(&self, scheme: Scheme, host: Option<Host>, port: Option<u16>) -> Uri {
        let mut text = format!("{}:", self.scheme);
        let mut parts = Parts {
            body: text.len(),
            ..Parts::default()
        };
        text.push_str(self.user);
        parts.user = text.len();
        text.push_str(self.password);
        parts.userinfo = text.len();
        if let Some(host) = &host {
            let at = if self.user.is_empty() { "" } else { "@" };
            text.push_str(&format!("{at}{host}"));
        }
        if let Some(port) = port {
            text.push_str(&format!(":{port}"));
        }
        parts.params = text.len();
        text.push_str(self.params);
        parts.headers = text.len();
        text.push_str(self.headers);
        let text = text.into();
        Uri {
            text,
            scheme,
            host,
            port,
            parts,
        }
    }
}

impl PartialEq for Uri {
    fn eq(&self, other: &Uri) -> bool {
        self.text == other.text
    }
}

impl Eq for Uri {}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Uri {
        Uri::parse(text).expect(text)
    }

    #[test]
    fn the_parts_of_a_sip_uri_are_found() {
        let uri = read("sips:anna:pw@gw.example.net:5071;transport=tcp;lr?Subject=x&To=y");
        assert_eq!(uri.scheme(), Scheme::Sips);
        assert_eq!((uri.user(), uri.password()), (Some("anna"), Some("pw")));
        assert_eq!(uri.host(), Host::parse("gw.example.net").as_ref());
        assert_eq!(uri.port(), Some(5071));
        assert_eq!(
            (uri.param("Transport"), uri.param("lr")),
            (Some("tcp"), Some(""))
        );
        let headers: Vec<_> = uri.headers().collect();
        assert_eq!(headers, [("Subject", "x"), ("To", "y")]);
    }

    #[test]
    fn a_user_may_hold_semicolons_and_question_marks() {
        let uri = read("sip:crazy?,/;;*:&it=1@example.net");
        assert_eq!(uri.user(), Some("crazy?,/;;*"));
        assert_eq!(uri.password(), Some("&it=1"));
        let uri = read("sip:user;par=u%40example.org@example.net");
        assert_eq!(uri.user(), Some("user;par=u%40example.org"));
        assert_eq!(uri.params().count(), 0);
    }

    #[test]
    fn a_uri_without_user_has_none() {
        let uri = read("sip:example.net:5070;lr");
        assert_eq!((uri.user(), uri.password()), (None, None));
        assert_eq!((uri.port(), uri.param("lr")), (Some(5070), Some("")));
    }

    #[test]
    fn malformed_uris_are_refused() {
        for bad in [
            "",
            "sip",
            "sip:",
            ":x",
            "sip:a@",
            "sip:@example.net",
            "sip:a@b@c",
            "sip:a b@c",
            "sip:a%4@c",
            "sip:a@c;",
            "sip:a@c;;x",
            "sip:a@c;=x",
            "sip:a@c?x",
            "sip:a@c:0",
            "sip:a@c:99999",
            "sip:a@-c d",
            "<sip:a@c>",
            "sip:\u{fc}@c",
            "tel:",
            "tel:abcxyz",
            "5ip:a@c",
            "http:a b",
            "sip:2001:db8::1",
            "sip:a@[2001:db8::1",
            "sip:a@[2001:db8:::192.0.2.1]",
        ] {
            assert_eq!(Uri::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn other_schemes_are_kept_as_they_are() {
        let uri = read("soap.beep://192.0.2.103:3002");
        assert_eq!(uri.scheme(), Scheme::Other);
        assert_eq!((uri.user(), uri.host()), (None, None));
        assert_eq!(uri.without_headers(), uri);
        let uri = read("tel:+1-555-0100;phone-context=example.net");
        assert_eq!(uri.user(), Some("+1-555-0100"));
        assert_eq!(uri.param("phone-context"), Some("example.net"));
        assert_eq!(uri.with_port(Some(5060)), uri, "a number has no port");
    }

    #[test]
    fn changes_keep_all_other_parts() {
        let uri = read("sip:a:b@[2001:db8::1]:5070;x=1;Y?Subject=z");
        assert_eq!(
            uri.with_param("y", Some("2")).with_port(None).as_str(),
            "sip:a:b@[2001:db8::1];x=1;Y=2?Subject=z"
        );
        assert_eq!(
            uri.without_param("X")
                .without_headers()
                .with_user(None)
                .as_str(),
            "sip:[2001:db8::1]:5070;Y"
        );
        let changed = uri.with_param("transport", Some("tls"));
        assert_eq!(read(changed.as_str()).param("transport"), Some("tls"));
        assert_eq!(changed.param("transport"), Some("tls"));
    }

    #[test]
    fn a_made_uri_reads_back_with_the_same_parts() {
        let host = Host::parse("example.net").expect("a host");
        let made = Uri::new(Scheme::Sip, Some("anna"), host, Some(5062));
        assert_eq!(made.as_str(), "sip:anna@example.net:5062");
        let seen = read(made.as_str());
        assert_eq!((seen.user(), seen.port()), (made.user(), made.port()));
    }
}
