//! Reading the answer to a REGISTER (RFC 3261 §10.2.4, §10.3).

use super::{MAX_BINDINGS, MAX_EXPIRES, MAX_ROUTES, Registration};
use crate::sip::auth::Refusal;
use crate::sip::message::{Contact, Response, StatusCode, Uri};
use crate::sip::settings::ContactMatching;

/// How many characters of a reason phrase are kept.
const MAX_PHRASE: usize = 80;

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 2xx.
    Granted(Grant),
    /// 2xx that lists Contacts, and not ours.
    NotListed(String),
    /// A challenge that can be answered.
    Again,
    /// A challenge that cannot.
    Unauthorized(Refusal),
    /// 423, with the least seconds if it said so.
    TooBrief(Option<u32>),
    /// Anything else.
    Failed {
        /// The status code.
        status: u16,
        /// The reason phrase.
        phrase: String,
        /// Seconds to wait, if it said so.
        retry_after: Option<u32>,
    },
}

/// What the registrar granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Seconds, for our Contact.
    pub expires: u32,
    /// The URIs of other bindings of the same address of record.
    pub others: Vec<String>,
    /// RFC 5626 keep-alives were agreed upon, every so many seconds if it said so.
    pub keep_alive: Option<Option<u32>>,
    /// The Service-Route (RFC 3608 §5), each value as a Route has it.
    pub service_route: Vec<String>,
}

impl Answer {
    /// Reads a final response to the REGISTER that offered `contacts`.
    pub fn read(
        response: &Response,
        registration: &mut Registration,
        matching: ContactMatching,
    ) -> Self {
        let phrase: String = response.reason_text().chars().take(MAX_PHRASE).collect();
        registration.heard = Some((response.status.code(), phrase.clone()));
        match response.status {
            status if status.is_success() => granted(response, registration, matching),
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                challenged(response, registration)
            }
            StatusCode::INTERVAL_TOO_BRIEF => Self::TooBrief(
                response
                    .headers
                    .min_expires()
                    .filter(|it| *it <= MAX_EXPIRES),
            ),
            status => Self::Failed {
                status: status.code(),
                phrase,
                retry_after: response.headers.retry_after(),
            },
        }
    }
}

/// Whether two URIs name the same place, as `matching` sees it.
pub(super) fn is_same(one: &str, other: &str, matching: ContactMatching) -> bool {
    let (Some(one_uri), Some(other_uri)) = (Uri::parse(one), Uri::parse(other)) else {
        return one == other;
    };
    let place = |uri: &Uri| (uri.user().map(str::to_owned), uri.host().cloned());
    match matching {
        ContactMatching::Strict => one_uri.is_equivalent(&other_uri),
        ContactMatching::IgnoreUriParams => {
            place(&one_uri) == place(&other_uri) && one_uri.port() == other_uri.port()
        }
        ContactMatching::IgnoreUriAndPortParams => place(&one_uri) == place(&other_uri),
    }
}

fn challenged(response: &Response, registration: &mut Registration) -> Answer {
    let rows = &registration.plan.credentials;
    let user = &registration.plan.binding.username;
    match registration.credentials.challenged(response, rows, user) {
        Ok(()) => Answer::Again,
        Err(refusal) => Answer::Unauthorized(refusal),
    }
}

fn granted(response: &Response, registration: &Registration, matching: ContactMatching) -> Answer {
    let bindings: Vec<Contact> = response
        .headers
        .contacts()
        .unwrap_or_default()
        .into_iter()
        .take(MAX_BINDINGS)
        .collect();
    let offered = registration.offered();
    let is_ours = |contact: &Contact| {
        contact.address().is_some_and(|it| {
            offered
                .iter()
                .any(|own| is_same(own, it.uri.as_str(), matching))
        })
    };
    // A Contact with nothing left is no binding.
    let stands = |contact: &&Contact| contact.expires() != Some(0);
    let ours: Vec<&Contact> = bindings
        .iter()
        .filter(|it| is_ours(it))
        .filter(stands)
        .collect();
    if ours.is_empty() && !bindings.is_empty() {
        return Answer::NotListed(offered.first().cloned().unwrap_or_default());
    }
    // §10.2.4: the parameter of our Contact, then the field, then what the settings assume.
    let expires = ours
        .iter()
        .filter_map(|it| it.expires())
        .min()
        .or(response.headers.expires())
        .unwrap_or(registration.plan.times.expiration);
    let others = bindings
        .iter()
        .filter(|it| !is_ours(it))
        .filter_map(|it| Some(it.address()?.uri.as_str().to_owned()))
        .collect();
    Answer::Granted(Grant {
        expires: expires.clamp(1, MAX_EXPIRES),
        others,
        keep_alive: keep_alive(response),
        service_route: service_route(response),
    })
}

/// RFC 3608 §5.1: what cannot be read, or is too long, is no route.
fn service_route(response: &Response) -> Vec<String> {
    let routes = response.headers.service_route().unwrap_or_default();
    match routes.len() <= MAX_ROUTES {
        true => routes.iter().map(ToString::to_string).collect(),
        false => Vec::new(),
    }
}

/// RFC 5626 §4.2.1: `Require: outbound` says that the flow is known there; RFC 6223 says it in the Via.
fn keep_alive(response: &Response) -> Option<Option<u32>> {
    let headers = &response.headers;
    let outbound = headers
        .require()
        .iter()
        .any(|it| it.eq_ignore_ascii_case("outbound"));
    let timer = headers.flow_timer().filter(|it| *it > 0);
    (outbound || timer.is_some()).then_some(timer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::hostport::HostPort;
    use crate::sip::message::{HeaderName, Method, Request};
    use crate::sip::plan::{Line, plan};
    use crate::sip::register::RegistrationId;
    use crate::sip::rng::Rng;
    use crate::sip::settings::{Gateway, Settings, UnitRegistration};

    const OURS: &str = "sip:100@192.0.2.1:5060";

    /// What a registration that offered [`OURS`] reads from a 200 with these fields.
    fn read(fields: &[(HeaderName, &str)]) -> Answer {
        let mut registration = registration();
        registration.offered = vec![OURS.to_owned()];
        let uri = Uri::parse("sip:example").expect("a URI");
        let request = Request::new(Method::Register, uri);
        let mut response = Response::answering(&request, StatusCode::OK, None);
        for (name, value) in fields {
            response.headers.push(name.clone(), *value);
        }
        Answer::read(&response, &mut registration, ContactMatching::Strict)
    }

    fn registration() -> Registration {
        let mut settings = Settings::default();
        settings.registration.server_host = HostPort::parse("sip.example").expect("valid");
        settings.gateways.insert("a".into(), Gateway::default());
        let unit = UnitRegistration::default();
        settings.unit_registrations.insert(1, unit);
        let line = Line::Unit(1);
        let plan = plan(&settings)["a"].registrations[&line].clone();
        let mut rng = Rng::new([0; 32]);
        Registration::new(RegistrationId(1), "a".into(), line, plan, &mut rng)
    }

    #[test]
    fn our_contact_with_nothing_left_is_not_listed() {
        let gone = "<sip:100@192.0.2.1:5060>;expires=0";
        let answer = read(&[(HeaderName::Contact, gone)]);
        assert_eq!(answer, Answer::NotListed(OURS.to_owned()));
        let stands = "<sip:100@192.0.2.1:5060>;expires=7";
        let Answer::Granted(grant) = read(&[(HeaderName::Contact, stands)]) else {
            panic!("granted");
        };
        assert_eq!(grant.expires, 7);
    }

    #[test]
    fn a_service_route_that_is_too_long_or_unreadable_is_none() {
        let routes = |value: &str| match read(&[(HeaderName::ServiceRoute, value)]) {
            Answer::Granted(grant) => grant.service_route.len(),
            other => panic!("not granted: {other:?}"),
        };
        let one = "<sip:edge.example;lr>";
        assert_eq!(routes(one), 1);
        assert_eq!(routes(&[one; MAX_ROUTES].join(",")), MAX_ROUTES);
        assert_eq!(routes(&[one; MAX_ROUTES + 1].join(",")), 0);
        assert_eq!(routes("<sip:edge.example;lr>, <sip:"), 0);
    }

    #[test]
    fn an_address_of_ipv6_matches_however_it_is_written() {
        assert!(is_same(
            "sip:100@[2001:db8::1]:5060",
            "sip:100@[2001:DB8:0:0::0001]:5060",
            ContactMatching::Strict
        ));
    }

    #[test]
    fn contacts_match_as_strictly_as_the_settings_want() {
        use ContactMatching::{IgnoreUriAndPortParams, IgnoreUriParams, Strict};
        let rewritten = "sip:100@192.0.2.1:5060;transport=tcp";
        assert!(!is_same(OURS, rewritten, Strict));
        assert!(is_same(OURS, rewritten, IgnoreUriParams));
        let moved = "sip:100@192.0.2.1:9";
        assert!(!is_same(OURS, moved, IgnoreUriParams));
        assert!(is_same(OURS, moved, IgnoreUriAndPortParams));
        assert!(!is_same(
            OURS,
            "sip:101@192.0.2.1:5060",
            IgnoreUriAndPortParams
        ));
    }
}
