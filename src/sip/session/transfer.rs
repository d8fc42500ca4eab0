//! REFER with its implicit subscription (RFC 3515), and INFO (RFC 6086).

use super::asking::Purpose;
use super::machine::{Phase, Session};
use super::seam::{Body, Event, Fork, Replaced};
use super::usage::body;
use super::{Context, identity, write};
use crate::sip::message::{
    HeaderName, Method, NameAddr, Request, StatusCode, Uri, escape_param, unescape,
};
use crate::sip::transaction::key::ServerKey;

/// How many states of a transfer wait to be told.
const MAX_STATES: usize = 8;
/// The media type of what NOTIFY tells (RFC 3420).
const FRAGMENT: &str = "message/sipfrag;version=2.0";
/// How long the subscription of a REFER lasts, in seconds.
const LIFETIME: u32 = 180;

/// The transfers of one leg: theirs, and ours.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    /// The REFER that the user has to answer yet.
    asked: Option<(ServerKey, Request)>,
    /// Who is told how it goes.
    subscriber: Option<Fork>,
    /// Whether the answer to a NOTIFY is waited for.
    telling: bool,
    states: Vec<StatusCode>,
    /// Whether we hear of a REFER of ours.
    subscribed: bool,
}

impl Session {
    /// Their REFER.
    pub(super) fn referred(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        key: &ServerKey,
        request: &Request,
    ) {
        // §2.4.1: exactly one Refer-To.
        let targets = identity::addresses(&request.headers, &HeaderName::ReferTo);
        let [target] = targets.as_slice() else {
            return self.respond(cx, key, request, StatusCode::BAD_REQUEST);
        };
        if self.transfer.asked.is_some() || self.transfer.subscriber.is_some() {
            return self.put_off(cx, key, request);
        }
        if self.phase != Phase::Up {
            return self.respond(cx, key, request, StatusCode::FORBIDDEN);
        }
        self.transfer.asked = Some((key.clone(), request.clone()));
        self.transfer.subscriber = Some(fork);
        let by = request.headers.get(&HeaderName::ReferredBy);
        let event = Event::Referred {
            leg: self.leg,
            to: target.uri.without_headers(),
            replaces: replaced(&target.uri),
            by: by.and_then(NameAddr::parse),
        };
        self.tell(cx, event);
    }

    /// The user accepts their REFER, or says how it goes on.
    pub(super) fn refer_progress(&mut self, cx: &mut Context<'_>, status: StatusCode) {
        if let Some((key, request)) = self.transfer.asked.take() {
            self.respond(cx, &key, &request, StatusCode::ACCEPTED);
        }
        let last = self.transfer.states.last();
        let over = last.is_some_and(|it| it.is_final());
        if self.transfer.subscriber.is_some() && !over {
            self.transfer.states.truncate(MAX_STATES - 1);
            self.transfer.states.push(status);
            self.notify(cx);
        }
    }

    /// The user refuses their REFER.
    pub(super) fn refuse_refer(&mut self, cx: &mut Context<'_>, status: StatusCode) {
        let refused = status.code() >= 300;
        if let Some((key, request)) = { &mut self.transfer.asked }.take_if(|_| refused) {
            self.transfer.subscriber = None;
            self.respond(cx, &key, &request, status);
        }
    }

    /// The answer to a NOTIFY of ours: the next one can go, unless nobody listens.
    pub(super) fn notify_answered(&mut self, cx: &mut Context<'_>, status: StatusCode) {
        self.transfer.telling = false;
        if !status.is_success() {
            // RFC 6665 §4.2.2: the subscription is over.
            self.transfer.subscriber = None;
            self.transfer.states.clear();
        }
        self.notify(cx);
    }

    /// Tells the next state (§2.4.4), one after the other.
    fn notify(&mut self, cx: &mut Context<'_>) {
        let Some(fork) = self.transfer.subscriber else {
            return;
        };
        if self.transfer.telling || self.transfer.states.is_empty() {
            return;
        }
        let status = self.transfer.states.remove(0);
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let mut request = usage.dialog.request(Method::Notify);
        let state = match status.is_final() {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={LIFETIME}"),
        };
        request.headers.push(HeaderName::Event, "refer");
        request.headers.push(HeaderName::SubscriptionState, state);
        let text = format!("SIP/2.0 {status} {}\r\n", status.phrase());
        let fragment = Body {
            content_type: FRAGMENT.to_owned(),
            octets: text.into_bytes(),
        };
        self.transfer.telling = true;
        if status.is_final() {
            self.transfer.subscriber = None;
        }
        self.ask(cx, fork, Purpose::Notify, request, Some(&fragment));
    }

    /// REFER is ordered; `to` has Replaces in its headers where a call is to be replaced.
    pub(super) fn refer(&mut self, cx: &mut Context<'_>, to: &Uri) {
        if self.phase != Phase::Up || self.left {
            return;
        }
        let Some(usage) = self.call() else { return };
        let (fork, by) = (usage.fork, usage.dialog.local().uri.clone());
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let mut request = usage.dialog.request(Method::Refer);
        request.headers.push(HeaderName::ReferTo, format!("<{to}>"));
        // RFC 3892 §2.1.
        request
            .headers
            .push(HeaderName::ReferredBy, format!("<{by}>"));
        self.transfer.subscribed = true;
        self.ask(cx, fork, Purpose::Refer, request, None);
    }

    /// The answer to our REFER; how it goes on comes by NOTIFY.
    pub(super) fn refer_answered(&mut self, cx: &mut Context<'_>, status: StatusCode) {
        if !status.is_success() && self.transfer.subscribed {
            self.transfer.subscribed = false;
            self.tell(cx, Event::ReferProgress(self.leg, status));
        }
    }

    /// Their NOTIFY: how our REFER goes.
    pub(super) fn notified(&mut self, cx: &mut Context<'_>, key: &ServerKey, request: &Request) {
        let headers = &request.headers;
        let event = headers.text(&HeaderName::Event).unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim();
        if !package.eq_ignore_ascii_case("refer") {
            return self.respond(cx, key, request, StatusCode::BAD_EVENT);
        }
        if !self.transfer.subscribed {
            return self.respond(cx, key, request, StatusCode::DOES_NOT_EXIST);
        }
        self.respond(cx, key, request, StatusCode::OK);
        let state = headers.text(&HeaderName::SubscriptionState);
        let ends = state.is_some_and(|it| it.trim().to_ascii_lowercase().starts_with("terminated"));
        let status = fragment(&request.body);
        // A subscription that ends without a word of how it went did not get there.
        let status = status.or(ends.then_some(StatusCode::SERVICE_UNAVAILABLE));
        self.transfer.subscribed = !ends && !status.is_some_and(|it| it.is_final());
        if let Some(status) = status {
            self.tell(cx, Event::ReferProgress(self.leg, status));
        }
    }

    /// INFO is ordered.
    pub(super) fn info(&mut self, cx: &mut Context<'_>, body: &Body) {
        if self.phase == Phase::Leaving || self.left {
            return;
        }
        let Some(fork) = self.call().map(|it| it.fork) else {
            return;
        };
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let request = usage.dialog.request(Method::Info);
        self.ask(cx, fork, Purpose::Info, request, Some(body));
    }

    /// Their INFO; one without a body only asks whether we are there.
    pub(super) fn informed(&mut self, cx: &mut Context<'_>, key: &ServerKey, request: &Request) {
        if request.headers.contains(&HeaderName::new("Info-Package")) {
            // RFC 6086 §4.2.2: we asked for none.
            let status = StatusCode::BAD_INFO_PACKAGE;
            let mut response = write::response(cx, request, status, &self.tag, None);
            response.headers.push(HeaderName::new("Recv-Info"), "");
            return cx.answer(key, response);
        }
        self.respond(cx, key, request, StatusCode::OK);
        if let Some(body) = body(&request.headers, &request.body) {
            self.tell(cx, Event::Info(self.leg, body));
        }
    }
}

/// The Refer-To of a transfer to the peer of another leg (RFC 3891 §3).
pub fn with_replaces(to: &Uri, replaces: &str) -> Option<Uri> {
    // The value of a header in a URI escapes more than that of a parameter.
    let value = escape_param(replaces).replace('&', "%26");
    Uri::parse(&format!("{}?Replaces={value}", to.without_headers()))
}

/// What the headers of a Refer-To say of replacing; whose it is the stack knows.
fn replaced(uri: &Uri) -> Replaced {
    let mut headers = uri.headers();
    let value = headers.find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
    match value {
        Some((_, value)) => {
            let value = unescape(value);
            Replaced::Theirs(String::from_utf8_lossy(&value).into_owned())
        }
        None => Replaced::Nobody,
    }
}

/// The status of a message/sipfrag.
fn fragment(octets: &[u8]) -> Option<StatusCode> {
    let text = std::str::from_utf8(octets).ok()?;
    let mut words = text.lines().next()?.split_ascii_whitespace();
    let version = words.next()?;
    let code = words.next()?.parse().ok()?;
    let sip = version.eq_ignore_ascii_case("SIP/2.0");
    StatusCode::new(code).filter(|_| sip)
}
