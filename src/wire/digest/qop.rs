//! What a digest response protects.

/// Quality of protection: what the response covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// No qop at all, as in RFC 2069.
    None,
    /// Method and URI.
    Auth,
    /// Method, URI and body.
    AuthInt,
}

impl Qop {
    /// What to use of a challenge's list; none if it offers only the unknown.
    pub(super) fn offered(list: Option<&str>) -> Option<Qop> {
        let Some(list) = list else {
            return Some(Qop::None);
        };
        let offers = |name: &str| {
            list.split(',')
                .any(|own| own.trim().eq_ignore_ascii_case(name))
        };
        match (offers("auth"), offers("auth-int")) {
            (true, _) => Some(Qop::Auth),
            (false, true) => Some(Qop::AuthInt),
            (false, false) => None,
        }
    }

    pub(super) fn read(name: Option<&str>) -> Option<Qop> {
        match name {
            None => Some(Qop::None),
            Some(name) if name.eq_ignore_ascii_case("auth") => Some(Qop::Auth),
            Some(name) if name.eq_ignore_ascii_case("auth-int") => Some(Qop::AuthInt),
            Some(_) => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Qop::None => "",
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}
