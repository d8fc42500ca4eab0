//! Where a certificate file is fetched from: an https, http or file URL.
//!
//! A small part of RFC 3986, bounded and without surprises: no user names, no
//! fragments. It also knows what the macros of a URL stand for, and where a
//! redirect leads. It opens nothing.

use std::fmt;

use thiserror::Error;

use super::identity::{Host, NotAHost};

/// A URL that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// How it is fetched, and from whom.
    pub source: Source,
    /// The path, from its slash on, still percent-encoded.
    path: String,
    /// What follows the question mark; it may hold a secret and is never shown.
    query: Option<String>,
}

/// How a URL is fetched, and from whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From a server over TLS.
    Https(Host, u16),
    /// From a server in the clear.
    Http(Host, u16),
    /// From this machine.
    File,
}

/// Why a text is no URL to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Nothing there.
    #[error("the URL is empty")]
    Empty,
    /// Over 1024 octets, macros replaced.
    #[error("the URL is longer than {LONGEST} octets")]
    TooLong,
    /// Neither https, http nor file.
    #[error("the URL begins with none of https://, http:// and file://")]
    Scheme,
    /// A blank, a control character or anything else that must be encoded.
    #[error("the URL holds a character that must be percent-encoded")]
    Character,
    /// A user name before the host.
    #[error("the URL holds a user name, which is not sent")]
    UserName,
    /// The host.
    #[error("the URL's host {0}")]
    Host(#[from] NotAHost),
    /// The port.
    #[error("the port of the URL is not a number from 1 to 65535")]
    Port,
    /// A file URL with a host, or whose path is not absolute or not text.
    #[error("a file URL is file:// and an absolute path")]
    Path,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        if text.len() > LONGEST {
            return Err(UrlError::TooLong);
        }
        if !text.bytes().all(may_stand) {
            return Err(UrlError::Character);
        }
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(at);
        let source = match scheme.to_ascii_lowercase().as_str() {
            "https" => https(authority)?,
            "http" => http(authority)?,
            "file" => file(authority)?,
            _ => return Err(UrlError::Scheme),
        };
        let url = Self::at(source, rest);
        match url.source {
            Source::File if url.local_path().is_none() => Err(UrlError::Path),
            _ => Ok(url),
        }
    }

    fn at(source: Source, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Self {
            source,
            path,
            query,
        }
    }

    /// Where a Location header leads from here (RFC 9110 §10.2.2).
    ///
    /// # Errors
    /// [`UrlError`] where it leads to no URL.
    pub fn follow(&self, location: &str) -> Result<Self, UrlError> {
        if location.contains("://") {
            return Self::parse(location);
        }
        if location.len() > LONGEST {
            return Err(UrlError::TooLong);
        }
        if location.is_empty() || !location.bytes().all(may_stand) {
            return Err(UrlError::Character);
        }
        let location = location
            .split_once('#')
            .map_or(location, |(before, _)| before);
        if let Some(rest) = location.strip_prefix("//") {
            let scheme = match self.source {
                Source::Https(..) => "https",
                Source::Http(..) => "http",
                Source::File => "file",
            };
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        if location.starts_with('/') {
            return Ok(Self::at(self.source.clone(), location));
        }
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let target = format!("{folder}/{location}");
        Ok(Self::at(self.source.clone(), &target))
    }

    /// The path, from its slash on, still percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What a request line names.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The host and port as a Host header names them; "" for a file.
    #[must_use]
    pub fn authority(&self) -> String {
        let (host, port, default) = match &self.source {
            Source::Https(host, port) => (host, *port, HTTPS),
            Source::Http(host, port) => (host, *port, HTTP),
            Source::File => return String::new(),
        };
        let host = match host {
            Host::Address(address) if address.is_ipv6() => format!("[{address}]"),
            host => host.to_string(),
        };
        match port == default {
            true => host,
            false => format!("{host}:{port}"),
        }
    }

    /// The path of a file on this machine; `None` where it is no absolute path.
    #[must_use]
    pub fn local_path(&self) -> Option<String> {
        let path = decoded(&self.path)?;
        (path.len() > 1 && path.starts_with('/') && !path.contains('\0')).then_some(path)
    }

    /// The last part of the path: the name that a file has by itself.
    #[must_use]
    pub fn last_part(&self) -> Option<String> {
        let part = self.path.rsplit('/').next()?;
        decoded(part)
    }
}

/// Without the query.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.source {
            Source::Https(..) => "https",
            Source::Http(..) => "http",
            Source::File => "file",
        };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

/// What a device is, for the macros of a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// %mac%
    pub mac: String,
    /// %serial%
    pub serial: String,
    /// %product%
    pub product: String,
    /// %version%
    pub version: String,
    /// %profile%
    pub profile: String,
}

impl Unit {
    /// The text with its macros replaced; what would break a URL is percent-encoded.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        let macros = [
            ("%mac%", &self.mac),
            ("%serial%", &self.serial),
            ("%product%", &self.product),
            ("%version%", &self.version),
            ("%profile%", &self.profile),
        ];
        macros.iter().fold(text.to_owned(), |text, (name, value)| {
            match text.contains(name) {
                true => text.replace(name, &encoded(value)),
                false => text,
            }
        })
    }
}

fn https(authority: &str) -> Result<Source, UrlError> {
    let (host, port) = host_and_port(authority, HTTPS)?;
    Ok(Source::Https(host, port))
}

fn http(authority: &str) -> Result<Source, UrlError> {
    let (host, port) = host_and_port(authority, HTTP)?;
    Ok(Source::Http(host, port))
}

fn file(authority: &str) -> Result<Source, UrlError> {
    match authority {
        "" | "localhost" => Ok(Source::File),
        _ => Err(UrlError::Path),
    }
}

fn host_and_port(authority: &str, default: u16) -> Result<(Host, u16), UrlError> {
    if authority.contains('@') {
        return Err(UrlError::UserName);
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let port = match port {
        "" => default,
        digits => digits
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or(UrlError::Port)?,
    };
    Ok((Host::parse(host)?, port))
}

/// RFC 3986 §2: reserved, unreserved and the percent sign.
fn may_stand(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&octet)
}

fn encoded(text: &str) -> String {
    let octets = text.bytes().map(|octet| match octet {
        _ if octet.is_ascii_alphanumeric() || b"-._~:".contains(&octet) => {
            char::from(octet).to_string()
        }
        _ => format!("%{octet:02X}"),
    });
    octets.collect()
}

/// Percent-decoded; `None` where that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(octets).ok()
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Octets of a URL, macros replaced.
pub(super) const LONGEST: usize = 1024;
const HTTPS: u16 = 443;
const HTTP: u16 = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    #[test]
    fn the_three_schemes_are_read() {
        let https = url("HTTPS://Files.Example.com/certs/a%20b.pem?token=x#part");
        assert_eq!(
            https.source,
            Source::Https(Host::parse("files.example.com").expect("a host"), 443)
        );
        assert_eq!(https.target(), "/certs/a%20b.pem?token=x");
        assert_eq!(https.last_part().as_deref(), Some("a b.pem"));
        assert_eq!(
            https.to_string(),
            "https://files.example.com/certs/a%20b.pem"
        );
        let http = url("http://[2001:db8::1]:8080");
        assert_eq!(
            (http.authority(), http.target()),
            ("[2001:db8::1]:8080".into(), "/".into())
        );
        assert_eq!(url("http://[2001:db8::1]/a").authority(), "[2001:db8::1]");
        let file = url("file:///etc/a%20b.pem");
        assert_eq!(file.local_path().as_deref(), Some("/etc/a b.pem"));
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_the_reason() {
        for (bad, why) in [
            ("", UrlError::Empty),
            ("ftp://a/b", UrlError::Scheme),
            ("/a/b", UrlError::Scheme),
            ("https://u:p@a/b", UrlError::UserName),
            ("https://a:0/b", UrlError::Port),
            ("https://a:99999/b", UrlError::Port),
            ("https://a/b c", UrlError::Character),
            ("https://a/b\r\nX: y", UrlError::Character),
            ("file://host/a", UrlError::Path),
            ("file:///", UrlError::Path),
            ("file:///a%00", UrlError::Path),
            (
                &format!("https://a/{}", "x".repeat(LONGEST)),
                UrlError::TooLong,
            ),
        ] {
            assert_eq!(Url::parse(bad), Err(why), "{bad}");
        }
        assert!(matches!(Url::parse("https:///b"), Err(UrlError::Host(_))));
        assert!(matches!(
            Url::parse("https://a b/"),
            Err(UrlError::Character)
        ));
    }

    #[test]
    fn redirects_lead_where_rfc_9110_says() {
        let from = url("https://a.example/x/y?q");
        let to = |location| from.follow(location).map(|url| url.to_string());
        assert_eq!(to("http://b.example/z"), Ok("http://b.example/z".into()));
        assert_eq!(to("//b.example/z"), Ok("https://b.example/z".into()));
        assert_eq!(to("/z"), Ok("https://a.example/z".into()));
        assert_eq!(to("z"), Ok("https://a.example/x/z".into()));
        assert_eq!(to(""), Err(UrlError::Character));
    }

    #[test]
    fn macros_are_replaced_and_cannot_break_the_url() {
        let unit = Unit {
            mac: "00:11:22:aa:bb:cc".into(),
            serial: "S/1".into(),
            product: "Demarc 4".into(),
            version: "0.1.0".into(),
            profile: "é".into(),
        };
        assert_eq!(
            unit.expand("https://a/%mac%/%serial%/%product%/%version%/%profile%/%20"),
            "https://a/00:11:22:aa:bb:cc/S%2F1/Demarc%204/0.1.0/%C3%A9/%20"
        );
    }
}
