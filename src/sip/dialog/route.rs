//! The route set of a dialog, and what it makes of a request's target.

use super::{MAX_ROUTES, Unfit};
use crate::sip::message::{Headers, NameAddr, Uri};

/// What a request is addressed to, and its Route.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) uri: Uri,
    pub(super) routes: Vec<NameAddr>,
}

/// The route set of whom an INVITE came to: as it stands (RFC 3261 §12.1.1).
pub(super) fn recorded(headers: &Headers) -> Result<Vec<NameAddr>, Unfit> {
    let routes = headers.record_routes()?;
    match routes.len() {
        0..=MAX_ROUTES => Ok(routes),
        _ => Err(Unfit::Routes),
    }
}

/// The route set of who sent an INVITE: the other way round (§12.1.2).
pub(super) fn reversed(headers: &Headers) -> Result<Vec<NameAddr>, Unfit> {
    let mut routes = recorded(headers)?;
    routes.reverse();
    Ok(routes)
}

/// Request-URI and Route of a request within a dialog (§12.2.1.1).
pub(super) fn aim(target: &Uri, routes: &[NameAddr]) -> Way {
    let Some((first, rest)) = routes.split_first() else {
        return Way {
            uri: target.without_headers(),
            routes: Vec::new(),
        };
    };
    if first.uri.param("lr").is_some() {
        return Way {
            uri: target.without_headers(),
            routes: routes.to_vec(),
        };
    }
    // A strict router: it is what is asked, and the target comes last.
    let mut routes = rest.to_vec();
    routes.push(NameAddr::new(target.clone()));
    Way {
        uri: first.uri.without_headers().without_param("method"),
        routes,
    }
}
