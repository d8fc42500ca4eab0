//! Session timers (RFC 4028): how long a session lives, and who refreshes it.

use std::time::{Duration, Instant};

use super::machine::{Phase, Session, Timer};
use super::modify::Wish;
use super::usage::knows;
use super::{Context, Manner, write};
use crate::sip::message::{HeaderName, Headers, Request, Response, StatusCode};

/// The least interval that the standard lets anybody ask for (§5), in seconds.
const LEAST: u32 = 90;
/// The longest that is believed, in seconds.
const MOST: u32 = 86_400 * 7;

/// Who refreshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresher {
    Us,
    Them,
}

/// The timer of one session.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What was agreed: seconds, and who refreshes.
    agreed: Option<(u32, Refresher)>,
    /// The greatest Min-SE of a 422.
    minimum: Option<u32>,
    /// When the session is over.
    expiry: Option<Instant>,
}

impl Clock {
    /// Writes into our first INVITE what we propose (§7.1).
    pub(super) fn propose(&self, manner: &Manner, headers: &mut Headers) {
        if !manner.timers {
            return;
        }
        let minimum = self.minimum.unwrap_or(LEAST);
        let seconds = manner.session_expires.max(minimum).max(LEAST);
        headers.set(HeaderName::SessionExpires, seconds);
        if let Some(minimum) = self.minimum {
            headers.set(HeaderName::MinSe, minimum);
        }
    }

    /// Writes into a re-INVITE or UPDATE what counts, and who refreshes (§7.4).
    pub(super) fn renew(&self, manner: &Manner, headers: &mut Headers) {
        let Some((seconds, refresher)) = self.agreed else {
            return self.propose(manner, headers);
        };
        // The roles are those of this request: we are its uac.
        let refresher = match refresher {
            Refresher::Us => "uac",
            Refresher::Them => "uas",
        };
        let value = format!("{seconds};refresher={refresher}");
        headers.set(HeaderName::SessionExpires, value);
        if let Some(minimum) = self.minimum {
            headers.set(HeaderName::MinSe, minimum);
        }
    }

    /// Takes in a 422: whether the request is worth sending again (§7.3).
    pub(super) fn lengthen(
        &mut self,
        manner: &Manner,
        request: &mut Request,
        refusal: &Response,
    ) -> bool {
        let wanted = min_se(&refusal.headers);
        let Some(wanted) = wanted.filter(|it| manner.timers && *it <= MOST) else {
            return false;
        };
        if self.minimum.is_some_and(|it| it >= wanted) {
            return false;
        }
        self.minimum = Some(wanted);
        self.agreed = None;
        self.propose(manner, &mut request.headers);
        true
    }
}

impl Session {
    /// Agrees to what a request says of the session's timer, and says so in its 2xx (§9).
    pub(super) fn agree(&mut self, cx: &Context<'_>, request: &Request, response: &mut Response) {
        if !cx.manner.timers {
            return;
        }
        let headers = &request.headers;
        let able = knows(headers, "timer");
        let agreed = match expires(headers) {
            Some((seconds, refresher)) => {
                let uac = refresher.map_or(able, |it| it == "uac");
                Some((seconds, if uac { Refresher::Them } else { Refresher::Us }))
            }
            // The peer left it to us: ours to propose, and ours to refresh.
            None if self.clock.agreed.is_none() && request.method.as_str() == "INVITE" => {
                let least = min_se(headers).unwrap_or(LEAST).min(MOST);
                Some((cx.manner.session_expires.max(least), Refresher::Us))
            }
            None => None,
        };
        let Some((seconds, refresher)) = agreed else {
            return;
        };
        let role = match refresher {
            Refresher::Them => "uac",
            Refresher::Us => "uas",
        };
        let headers = &mut response.headers;
        headers.push(
            HeaderName::SessionExpires,
            format!("{seconds};refresher={role}"),
        );
        if refresher == Refresher::Them {
            headers.push(HeaderName::Require, "timer");
        }
        self.start_clock(cx, seconds, refresher);
    }

    /// Takes in what a 2xx to our INVITE or UPDATE says (§7.2).
    pub(super) fn agreed(&mut self, cx: &Context<'_>, response: &Response) {
        if !cx.manner.timers {
            return;
        }
        match expires(&response.headers) {
            Some((seconds, refresher)) => {
                let refresher = match refresher.as_deref() {
                    Some("uas") => Refresher::Them,
                    _ => Refresher::Us,
                };
                self.start_clock(cx, seconds, refresher);
            }
            // The peer knows no timers: the session does not expire.
            None => self.stop_clock(),
        }
    }

    /// It is time to refresh.
    pub(super) fn refresh(&mut self, cx: &mut Context<'_>) {
        if self.wish.is_none() && self.phase == Phase::Up {
            self.wish = Some(Wish::refresh());
        }
        self.pump(cx);
    }

    /// A refresh failed, and the session still lives: half of what is left later it is tried again (§10).
    pub(super) fn refresh_failed(&mut self, cx: &Context<'_>) {
        let Some(expiry) = self.clock.expiry else {
            return;
        };
        let left = expiry.saturating_duration_since(cx.now);
        if left > Duration::from_secs(2) {
            self.timers.set(Timer::Refresh, cx.now + left / 2);
        }
    }

    fn start_clock(&mut self, cx: &Context<'_>, seconds: u32, refresher: Refresher) {
        self.clock.agreed = Some((seconds, refresher));
        let whole = Duration::from_secs(u64::from(seconds));
        match refresher {
            Refresher::Us => {
                self.timers.set(Timer::Refresh, cx.now + whole / 2);
                self.clock.expiry = Some(cx.now + whole);
            }
            Refresher::Them => {
                self.timers.stop(Timer::Refresh);
                // §10: BYE a little before the end.
                let before = (whole / 3).min(Duration::from_secs(32));
                self.clock.expiry = Some(cx.now + whole - before);
            }
        }
        if let Some(expiry) = self.clock.expiry {
            self.timers.set(Timer::Expiry, expiry);
        }
    }

    fn stop_clock(&mut self) {
        self.clock.agreed = None;
        self.clock.expiry = None;
        self.timers.stop(Timer::Refresh);
        self.timers.stop(Timer::Expiry);
    }
}

/// Our minimum, where a request asks for less and its sender can be told so (§9).
pub(super) fn too_small(manner: &Manner, headers: &Headers) -> Option<u32> {
    let (seconds, _) = expires(headers)?;
    let minimum = manner.min_se.max(LEAST);
    (manner.timers && seconds < minimum && knows(headers, "timer")).then_some(minimum)
}

/// 422 with our minimum (§6).
pub(super) fn refusal(cx: &Context<'_>, to: &Request, minimum: u32, tag: &str) -> Response {
    let status = StatusCode::SESSION_INTERVAL_TOO_SMALL;
    let mut response = write::response(cx, to, status, tag, None);
    response.headers.push(HeaderName::MinSe, minimum);
    response
}

/// Session-Expires: seconds, and the refresher where it is named.
fn expires(headers: &Headers) -> Option<(u32, Option<String>)> {
    let text = headers.text(&HeaderName::SessionExpires)?;
    let mut parts = text.split(';').map(str::trim);
    let seconds: u32 = parts.next()?.parse().ok()?;
    let refresher = parts.find_map(|it| {
        let (name, value) = it.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("refresher");
        named.then(|| value.trim().to_ascii_lowercase())
    });
    (seconds > 0 && seconds <= MOST).then_some((seconds, refresher))
}

fn min_se(headers: &Headers) -> Option<u32> {
    let text = headers.text(&HeaderName::MinSe)?;
    text.split(';').next()?.trim().parse().ok()
}
