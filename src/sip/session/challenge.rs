//! Requests that are sent again: challenges (RFC 3261 §22) and 422 (RFC 4028 §7.4).

use super::asking::Purpose;
use super::machine::Session;
use super::{Context, MAX_ROUNDS};
use crate::sip::message::{CSeq, HeaderName, Request, Response, StatusCode};

impl Session {
    /// Whether a request is sent again because its refusal says how.
    pub(super) fn again(&mut self, cx: &mut Context<'_>, ask: u32, refusal: &Response) -> bool {
        let Some(asked) = self.asked.get(&ask) else {
            return false;
        };
        if asked.rounds >= MAX_ROUNDS {
            return false;
        }
        let mut request = asked.request.clone();
        let (fork, purpose, rounds) = (asked.fork, asked.purpose, asked.rounds);
        let answerable = match refusal.status {
            StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let rows = &self.rows;
                let challenged = self.credentials.challenged(refusal, rows, &self.user);
                challenged.is_ok()
            }
            StatusCode::SESSION_INTERVAL_TOO_SMALL => {
                self.clock.lengthen(cx.manner, &mut request, refusal)
            }
            _ => false,
        };
        if !answerable {
            return false;
        }
        self.asked.remove(&ask);
        self.renumber(fork, purpose, &mut request);
        self.dispatch(cx, fork, purpose, request, rounds + 1);
        true
    }

    /// §22.2: the same request with the next CSeq, and without the old credentials.
    fn renumber(&mut self, fork: super::Fork, purpose: Purpose, request: &mut Request) {
        request.headers.remove(&HeaderName::Authorization);
        request.headers.remove(&HeaderName::ProxyAuthorization);
        let method = request.method.clone();
        let number = match (purpose, self.usage(fork)) {
            (Purpose::Invite, _) | (_, None) => {
                request.headers.cseq().map_or(1, |it| it.number + 1)
            }
            (_, Some(usage)) => {
                let next = usage.dialog.request(method.clone());
                next.headers.cseq().map_or(1, |it| it.number)
            }
        };
        request
            .headers
            .set(HeaderName::CSeq, CSeq { number, method });
    }
}
