//! What requests and responses of a call have in common.

use super::seam::{Body, Refusal};
use super::{ALLOW, Context, Reliability};
use crate::sip::message::{HeaderName, Headers, Method, Request, Response, StatusCode};

/// Completes a request that has its addresses and numbers.
pub(super) fn request(cx: &Context<'_>, request: &mut Request, body: Option<&Body>) {
    let method = request.method.clone();
    let headers = &mut request.headers;
    headers.push(HeaderName::MaxForwards, cx.style.max_forwards);
    if names_us(&method) {
        headers.push(HeaderName::Contact, &cx.contact);
    }
    if offers(&method) {
        headers.push(HeaderName::Allow, ALLOW);
        headers.push(HeaderName::Supported, supported(cx, cx.manner.uac_prack));
    }
    if let Some(name) = &cx.style.user_agent {
        headers.push(HeaderName::UserAgent, name);
    }
    write_body(headers, body);
    request.body = body.map(|it| it.octets.clone()).unwrap_or_default();
}

/// A response within or about to be within a dialog.
pub(super) fn response(
    cx: &Context<'_>,
    to: &Request,
    status: StatusCode,
    tag: &str,
    body: Option<&Body>,
) -> Response {
    let mut response = Response::answering(to, status, Some(tag));
    response.headers.remove(&HeaderName::ContentLength);
    let headers = &mut response.headers;
    if status != StatusCode::TRYING && status.code() < 300 && names_us(&to.method) {
        if to.method == Method::Invite {
            // RFC 3261 §12.1.1: the route set is the caller's to read.
            headers.copy(&HeaderName::RecordRoute, &to.headers);
        }
        headers.push(HeaderName::Contact, &cx.contact);
        if offers(&to.method) {
            headers.push(HeaderName::Allow, ALLOW);
            headers.push(HeaderName::Supported, supported(cx, cx.manner.uas_prack));
        }
    }
    if let Some(name) = &cx.style.user_agent {
        headers.push(HeaderName::Server, name);
    }
    write_body(headers, body);
    response.body = body.map(|it| it.octets.clone()).unwrap_or_default();
    response
}

/// A refusal as the user wants it.
pub(super) fn refusal(cx: &Context<'_>, to: &Request, refusal: &Refusal, tag: &str) -> Response {
    let mut response = response(cx, to, refusal.status, tag, None);
    if !refusal.phrase.is_empty() {
        response.reason = refusal.phrase.replace(['\r', '\n'], " ").into_bytes();
    }
    let headers = &mut response.headers;
    if let Some(seconds) = refusal.retry_after {
        headers.push(HeaderName::RetryAfter, seconds);
    }
    for contact in &refusal.contacts {
        headers.push(HeaderName::Contact, contact);
    }
    if let Some(reason) = &refusal.reason {
        headers.push(HeaderName::Reason, &reason.0);
    }
    if refusal.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // RFC 3261 §21.4.13.
        headers.push(HeaderName::Accept, super::usage::SDP);
    }
    response
}

fn write_body(headers: &mut Headers, body: Option<&Body>) {
    if let Some(body) = body {
        headers.push(HeaderName::ContentType, &body.content_type);
    }
    let length = body.map_or(0, |it| it.octets.len());
    headers.push(HeaderName::ContentLength, length);
}

/// Requests that form or refresh a dialog name where we are (§12.1, RFC 3311 §5.1, RFC 3515 §2.2, RFC 6665 §3.1).
fn names_us(method: &Method) -> bool {
    offers(method) || matches!(method, Method::Refer | Method::Notify)
}

fn offers(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update)
}

fn supported(cx: &Context<'_>, prack: Reliability) -> String {
    let mut tags = vec!["replaces"];
    if prack != Reliability::Unsupported {
        tags.push("100rel");
    }
    if cx.manner.timers {
        tags.push("timer");
    }
    tags.join(", ")
}
