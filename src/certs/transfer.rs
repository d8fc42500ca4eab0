//! Fetching one certificate file: what is asked for, and what of the answer
//! is believed.
//!
//! A fetch is told what came and says what to do next; whoever drives it has
//! the sockets. It never leaves TLS for something else, follows few redirects
//! and takes few octets. What a file means is not its affair.

mod failure;

use zeroize::Zeroizing;

use super::bundle::MAX_FILE;
use super::file_name::FileName;
use super::install::{Place, Store, digest, hex, parse_digest, parse_services};
use super::url::{Source, Unit, Url};

pub use failure::TransferFailure;

/// What somebody wants fetched, as he wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// `transferUrl`, with its macros.
    pub url: String,
    /// `transferType`.
    pub store: Store,
    /// `transferFileName`; "" is the last part of the URL.
    pub file: String,
    /// `transferExpectedSha256`.
    pub sha256: String,
    /// `transferAssociate`.
    pub associate: String,
}

/// Whether a transfer may go without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// It was activated, and that has not expired.
    Allowed,
    /// Only https.
    Refused,
}

/// What is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// From where.
    pub url: Url,
    /// The digest that the file must have.
    pub expected: Option<[u8; 32]>,
}

impl Wish {
    /// Reads the wish of a device: what to fetch, and where to put it.
    ///
    /// # Errors
    /// [`TransferFailure`] names what is wrong with it.
    pub fn plan(&self, unit: &Unit, clear: Clear) -> Result<(Order, Place), TransferFailure> {
        let url = Url::parse(&unit.expand(&self.url))?;
        match (&url.source, clear) {
            (Source::Https(..), _) | (_, Clear::Allowed) => {}
            (Source::Http(..), Clear::Refused) => return Err(TransferFailure::Clear("http")),
            (Source::File, Clear::Refused) => return Err(TransferFailure::Clear("file")),
        }
        let name = match self.file.as_str() {
            "" => url.last_part().unwrap_or_default(),
            name => name.to_owned(),
        };
        let place = Place {
            store: self.store,
            file: FileName::parse(&name)?,
            services: parse_services(&self.associate)?,
        };
        let expected = parse_digest(&self.sha256)?;
        Ok((Order { url, expected }, place))
    }
}

/// One fetch under way.
pub(super) struct Fetch {
    url: Url,
    expected: Option<[u8; 32]>,
    redirects: usize,
    announced: Option<u64>,
    body: Zeroizing<Vec<u8>>,
}

/// What to do after the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read its body.
    Body,
    /// Ask again, at what [`Fetch::url`] says now.
    Again,
}

impl Fetch {
    /// Nothing asked yet.
    #[must_use]
    pub(super) fn new(order: Order) -> Self {
        Self {
            url: order.url,
            expected: order.expected,
            redirects: 0,
            announced: None,
            body: Zeroizing::new(Vec::with_capacity(MAX_FILE)),
        }
    }

    /// Where to ask.
    #[must_use]
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The head of an answer came.
    ///
    /// # Errors
    /// Where the server has no file, or leads where this does not go.
    pub(super) fn answered(
        &mut self,
        status: u16,
        location: Option<&str>,
        length: Option<u64>,
    ) -> Result<Next, TransferFailure> {
        match status {
            200 => self.announce(length),
            301 | 302 | 303 | 307 | 308 => self.redirect(location),
            status => Err(TransferFailure::Status {
                host: self.url.authority(),
                status,
            }),
        }
    }

    fn announce(&mut self, length: Option<u64>) -> Result<Next, TransferFailure> {
        if length.is_some_and(|length| length > MAX_FILE as u64) {
            return Err(TransferFailure::TooLarge);
        }
        self.announced = length;
        Ok(Next::Body)
    }

    /// RFC 9110 §15.4, and never from TLS to the clear nor to this machine.
    fn redirect(&mut self, location: Option<&str>) -> Result<Next, TransferFailure> {
        self.redirects += 1;
        if self.redirects > MAX_REDIRECTS {
            return Err(TransferFailure::TooManyRedirects);
        }
        let location = location.ok_or(TransferFailure::NoLocation)?;
        let to = self.url.follow(location)?;
        match (&self.url.source, &to.source) {
            (_, Source::Https(..)) | (Source::Http(..), Source::Http(..)) => {
                self.url = to;
                Ok(Next::Again)
            }
            _ => Err(TransferFailure::RedirectOutOfTls { to: to.to_string() }),
        }
    }

    /// A part of the body came.
    ///
    /// # Errors
    /// [`TransferFailure::TooLarge`].
    pub(super) fn received(&mut self, octets: &[u8]) -> Result<(), TransferFailure> {
        if self.body.len() + octets.len() > MAX_FILE {
            return Err(TransferFailure::TooLarge);
        }
        self.body.extend_from_slice(octets);
        Ok(())
    }

    /// The body is over: the file, if it is what was wanted.
    ///
    /// # Errors
    /// Where it is not whole or has another digest.
    pub(super) fn finish(self) -> Result<Zeroizing<Vec<u8>>, TransferFailure> {
        let got = self.body.len() as u64;
        if self.announced.is_some_and(|announced| announced != got) {
            return Err(TransferFailure::Cut);
        }
        let found = digest(&self.body);
        match self.expected {
            Some(wanted) if wanted != found => Err(TransferFailure::OtherDigest {
                found: hex(&found),
                wanted: hex(&wanted),
            }),
            _ => Ok(self.body),
        }
    }
}

/// Redirects followed for one file.
pub const MAX_REDIRECTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(url: &str) -> Wish {
        Wish {
            url: url.to_owned(),
            store: Store::Others,
            file: String::new(),
            sha256: String::new(),
            associate: String::new(),
        }
    }

    fn refused(wish: &Wish) -> String {
        let plan = wish.plan(&Unit::default(), Clear::Refused);
        plan.expect_err("refused").to_string()
    }

    fn fetch(url: &str) -> Fetch {
        let plan = wish(url).plan(&Unit::default(), Clear::Allowed);
        Fetch::new(plan.expect("a plan").0)
    }

    #[test]
    fn a_plan_has_the_last_part_of_the_url_as_its_name() {
        let unit = Unit {
            serial: "42".to_owned(),
            ..Unit::default()
        };
        let plan = wish("https://a.example/c/%serial%.pem").plan(&unit, Clear::Refused);
        let (order, place) = plan.expect("a plan");
        assert_eq!(order.url.to_string(), "https://a.example/c/42.pem");
        assert_eq!(place.file.as_str(), "42.pem");
    }

    #[test]
    fn whatever_is_wrong_with_a_wish_names_the_object_to_change() {
        let good = wish("https://a.example/x.pem");
        let cases = [
            (wish(""), "Cert.Transfer.Url"),
            (wish("https://a.example/"), "Cert.Transfer.FileName"),
            (wish("http://a.example/x"), "Cert.UnsecureTransferActivate"),
            (wish("file:///etc/x"), "Cert.UnsecureTransferActivate"),
            (
                Wish {
                    sha256: "12".into(),
                    ..good.clone()
                },
                "Cert.Transfer.ExpectedSha256",
            ),
            (
                Wish {
                    associate: "Mail".into(),
                    ..good
                },
                "Cert.Transfer.Associate",
            ),
        ];
        for (wish, object) in cases {
            let why = refused(&wish);
            assert!(why.contains(object), "{why}");
        }
    }

    #[test]
    fn a_redirect_never_leads_out_of_tls() {
        let mut secure = fetch("https://a.example/x");
        assert_eq!(secure.answered(302, Some("/y"), None), Ok(Next::Again));
        assert_eq!(secure.url().to_string(), "https://a.example/y");
        for out in ["http://a.example/y", "file:///etc/shadow"] {
            let refused = secure.answered(301, Some(out), None);
            assert!(
                matches!(refused, Err(TransferFailure::RedirectOutOfTls { .. })),
                "{out}"
            );
        }
        let mut clear = fetch("http://a.example/x");
        assert_eq!(
            clear.answered(302, Some("http://b/"), None),
            Ok(Next::Again)
        );
        assert!(clear.answered(302, Some("file:///etc/x"), None).is_err());
        assert_eq!(
            clear.answered(302, Some("https://b/"), None),
            Ok(Next::Again)
        );
        assert!(clear.answered(302, Some("http://b/"), None).is_err());
    }

    #[test]
    fn redirects_are_counted_and_must_say_where_to() {
        let mut fetch = fetch("https://a.example/x");
        assert_eq!(
            fetch.answered(302, None, None),
            Err(TransferFailure::NoLocation)
        );
        for _ in 1..MAX_REDIRECTS {
            assert_eq!(fetch.answered(307, Some("/x"), None), Ok(Next::Again));
        }
        assert_eq!(
            fetch.answered(307, Some("/x"), None),
            Err(TransferFailure::TooManyRedirects)
        );
    }

    #[test]
    fn a_body_must_be_whole_and_small_enough() {
        let mut whole = fetch("https://a.example/x");
        assert_eq!(whole.answered(200, None, Some(4)), Ok(Next::Body));
        whole.received(b"ab").expect("small");
        whole.received(b"cd").expect("small");
        assert_eq!(whole.finish().expect("whole").as_slice(), b"abcd");
        let mut cut = fetch("https://a.example/x");
        assert_eq!(cut.answered(200, None, Some(4)), Ok(Next::Body));
        cut.received(b"abc").expect("small");
        assert_eq!(cut.finish(), Err(TransferFailure::Cut));
        let mut large = fetch("https://a.example/x");
        assert_eq!(
            large.answered(200, None, Some(MAX_FILE as u64 + 1)),
            Err(TransferFailure::TooLarge)
        );
        assert_eq!(large.answered(200, None, None), Ok(Next::Body));
        large.received(&vec![0; MAX_FILE]).expect("just fits");
        assert_eq!(large.received(&[0]), Err(TransferFailure::TooLarge));
    }

    #[test]
    fn another_file_than_the_one_expected_is_refused() {
        let wanted = Wish {
            sha256: hex(&digest(b"right")),
            ..wish("https://a.example/x")
        };
        let order = wanted
            .plan(&Unit::default(), Clear::Refused)
            .expect("a plan")
            .0;
        for (content, good) in [(&b"right"[..], true), (b"wrong", false)] {
            let mut fetch = Fetch::new(order.clone());
            fetch.received(content).expect("small");
            assert_eq!(fetch.finish().is_ok(), good);
        }
    }

    #[test]
    fn a_status_is_told_with_its_meaning() {
        let mut fetch = fetch("https://a.example:8443/x");
        let refused = fetch.answered(404, None, None).expect_err("no file");
        assert_eq!(
            refused.to_string(),
            "a.example:8443 answered 404, it has no such file: check Cert.Transfer.Url"
        );
    }
}
