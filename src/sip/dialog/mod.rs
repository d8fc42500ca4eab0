//! Dialogs (RFC 3261 §12): what two user agents keep in common of a call.
//!
//! A [`Dialog`] knows its tags, its numbers, where requests go and by which
//! route; it writes the requests within it and judges those that come. It
//! knows no transactions and no offers: `session` does.

mod route;

use thiserror::Error;

use self::route::{Way, aim, recorded, reversed};
use crate::sip::message::{
    CSeq, Contact, FieldError, HeaderName, Headers, Method, NameAddr, Request, Response, Uri,
};

/// How long a route set may be; a longer one makes no dialog.
pub const MAX_ROUTES: usize = 32;

/// Why a message makes no dialog.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// A header field is missing, repeated or malformed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There are too many routes.
    #[error("the route set has more than {MAX_ROUTES} values")]
    Routes,
}

/// A request came out of order (RFC 3261 §12.2.2): its CSeq is lower than one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfOrder;

/// One dialog, early or confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    call_id: String,
    /// Our side, tag included.
    local: NameAddr,
    /// Their side, tag included where they have one.
    remote: NameAddr,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    /// Where requests are meant for.
    target: Uri,
    /// The way there.
    routes: Vec<NameAddr>,
}

impl Dialog {
    /// The dialog that answering `request` with `tag` makes (§12.1.1).
    pub fn called(request: &Request, tag: &str) -> Result<Self, Unfit> {
        let headers = &request.headers;
        let mut local = headers.to()?;
        local.params.set("tag", Some(tag));
        let target = contact(headers)?.ok_or(FieldError::Missing(HeaderName::Contact))?;
        Ok(Self {
            call_id: headers.call_id()?.to_owned(),
            local,
            remote: headers.from()?,
            local_cseq: 0,
            remote_cseq: Some(headers.cseq()?.number),
            target,
            routes: recorded(headers)?,
        })
    }

    /// The dialog that `response` to our `request` makes (§12.1.2).
    pub fn calling(request: &Request, response: &Response) -> Result<Self, Unfit> {
        let headers = &response.headers;
        // A provisional response without Contact leaves the Request-URI to go by.
        let target = contact(headers)?.or_else(|| request.target().cloned());
        Ok(Self {
            call_id: headers.call_id()?.to_owned(),
            local: request.headers.from()?,
            remote: headers.to()?,
            local_cseq: request.headers.cseq()?.number,
            remote_cseq: None,
            target: target.ok_or(FieldError::Missing(HeaderName::Contact))?,
            routes: reversed(headers)?,
        })
    }

    /// The 2xx of an early dialog: its route set counts (§13.2.2.4).
    pub fn confirm(&mut self, response: &Response) {
        if let Ok(routes) = reversed(&response.headers) {
            self.routes = routes;
        }
        self.refresh(&response.headers);
    }

    /// A target refresh (§12.2.1.2, §12.2.2): the Contact of a re-INVITE, an UPDATE, or the 2xx to one.
    pub fn refresh(&mut self, headers: &Headers) {
        if let Ok(Some(target)) = contact(headers) {
            self.target = target;
        }
    }

    /// Judges a request that came, and counts it.
    pub fn admit(&mut self, request: &Request) -> Result<(), OutOfOrder> {
        let Ok(cseq) = request.headers.cseq() else {
            return Err(OutOfOrder);
        };
        if self.remote_cseq.is_some_and(|last| cseq.number < last) {
            return Err(OutOfOrder);
        }
        self.remote_cseq = Some(cseq.number);
        Ok(())
    }

    /// The next request within it (§12.2.1.1), without Via.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.write(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE of this number (§13.2.2.4), without Via.
    pub fn acknowledgement(&self, cseq: u32) -> Request {
        self.write(Method::Ack, cseq)
    }

    /// The number of the last request that we sent.
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Our side.
    pub fn local(&self) -> &NameAddr {
        &self.local
    }

    /// Their side.
    pub fn remote(&self) -> &NameAddr {
        &self.remote
    }

    /// Our tag.
    pub fn local_tag(&self) -> &str {
        self.local.tag().unwrap_or_default()
    }

    /// Their tag; empty where they speak RFC 2543 (§12.1.1).
    pub fn remote_tag(&self) -> &str {
        self.remote.tag().unwrap_or_default()
    }

    /// Whether a request that came belongs to it (§12.2.2).
    pub fn owns(&self, request: &Request) -> bool {
        let headers = &request.headers;
        let (Ok(from), Ok(to), Ok(call_id)) = (headers.from(), headers.to(), headers.call_id())
        else {
            return false;
        };
        call_id == self.call_id
            && to.tag().unwrap_or_default() == self.local_tag()
            && from.tag().unwrap_or_default() == self.remote_tag()
    }

    fn write(&self, method: Method, number: u32) -> Request {
        let Way { uri, routes } = aim(&self.target, &self.routes);
        let mut request = Request::new(method.clone(), uri);
        let headers = &mut request.headers;
        for route in routes {
            headers.push(HeaderName::Route, route);
        }
        headers.push(HeaderName::From, &self.local);
        headers.push(HeaderName::To, &self.remote);
        headers.push(HeaderName::CallId, &self.call_id);
        headers.push(HeaderName::CSeq, CSeq { number, method });
        request
    }
}

/// The first Contact's URI; `*` is none.
fn contact(headers: &Headers) -> Result<Option<Uri>, FieldError> {
    let contacts = headers.contacts()?;
    let first = contacts.first().and_then(Contact::address);
    Ok(first.map(|it| it.uri.clone()))
}

#[cfg(test)]
mod tests;
