//! Requests of peers that are for calls.

use std::net::SocketAddr;
use std::time::Instant;

use super::Stack;
use super::calls::context;
use super::core::Core;
use crate::sip::link::Flow;
use crate::sip::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::sip::serve::{Cancelled, Readiness, Server};
use crate::sip::session::{Arrival, LegId, Session};
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::table::Hop;

impl Stack {
    /// Whether a new request is for calls, which answer it then.
    pub(super) fn call_asked(
        &mut self,
        now: Instant,
        way: (&str, Hop, SocketAddr),
        key: &ServerKey,
        request: &Request,
    ) -> bool {
        let Some(calls) = &self.calls else {
            return false;
        };
        if !self.is_fit(request) {
            return false;
        }
        let tagged = request.headers.to().is_ok_and(|it| it.tag().is_some());
        match &request.method {
            Method::Cancel => {
                let invite = ServerKey::of_cancelled(request);
                if let Some(leg) = invite.and_then(|it| calls.of_invite(&it)) {
                    self.cancel_came(now, leg, key, request);
                    return true;
                }
                false
            }
            _ if tagged => match calls.of_request(request) {
                Some(leg) => {
                    self.run_leg(now, leg, |session, cx| session.request(cx, key, request));
                    true
                }
                None => false,
            },
            Method::Invite => {
                self.invited(now, way, key, request);
                true
            }
            _ => false,
        }
    }

    /// An ACK that no transaction waits for.
    pub(super) fn call_acknowledged(&mut self, now: Instant, ack: &Request) {
        let leg = { self.calls.as_ref() }.and_then(|it| it.of_request(ack));
        if let Some(leg) = leg {
            self.run_leg(now, leg, |session, cx| session.acknowledged(cx, ack));
        }
    }

    /// §9.2: 200 to the CANCEL, with the tag of the INVITE's answers.
    fn cancel_came(&mut self, now: Instant, leg: LegId, key: &ServerKey, cancel: &Request) {
        let session = { self.calls.as_ref() }.and_then(|it| it.session(leg));
        let tag = session.map(|it| it.tag().to_owned());
        let mut response = Response::answering(cancel, StatusCode::OK, tag.as_deref());
        if let Some(name) = &self.core.style.user_agent {
            response.headers.push(HeaderName::Server, name);
        }
        let Core { table, out, .. } = &mut self.core;
        table.answer(now, key, &response, out);
        self.run_leg(now, leg, |session, cx| session.cancelled(cx, cancel));
    }

    /// A new call.
    fn invited(
        &mut self,
        now: Instant,
        way: (&str, Hop, SocketAddr),
        key: &ServerKey,
        request: &Request,
    ) {
        let replaces = match self.replaced_by(request) {
            Ok(leg) => leg,
            Err(status) => return self.refuse_call(now, key, request, status),
        };
        let (name, hop, source) = way;
        let flow = self.flow_back(name, hop, source);
        let contact = self.contact_by(name, &flow);
        let Some(calls) = &mut self.calls else { return };
        let closed = { self.gateways.get(name) }.is_none_or(|it| it.serves_nobody());
        if closed || !calls.has_room() {
            return self.refuse_call(now, key, request, StatusCode::SERVICE_UNAVAILABLE);
        }
        if calls.is_merged(request) {
            return self.refuse_call(now, key, request, StatusCode::LOOP_DETECTED);
        }
        let leg = calls.next_leg();
        let mut cx = context(&mut self.core, &calls.manner, now, contact);
        let arrival = Arrival {
            leg,
            gateway: name,
            flow,
            key,
            request,
            replaces,
        };
        let session = Session::called(&mut cx, arrival);
        let steps = cx.steps;
        if let Some(session) = session {
            calls.insert(session);
        }
        self.do_steps(now, leg, steps);
    }

    /// The leg that an INVITE is to replace (RFC 3891 §3).
    fn replaced_by(&self, request: &Request) -> Result<Option<LegId>, StatusCode> {
        let Some(value) = request.headers.text(&HeaderName::Replaces) else {
            return Ok(None);
        };
        let calls = self.calls.as_ref();
        let leg = calls.and_then(|it| it.replaced(&value));
        leg.map(Some).ok_or(StatusCode::DOES_NOT_EXIST)
    }

    fn refuse_call(
        &mut self,
        now: Instant,
        key: &ServerKey,
        request: &Request,
        status: StatusCode,
    ) {
        let tag = self.core.rng.token();
        let response = Response::answering(request, status, Some(&tag));
        let Core { table, out, .. } = &mut self.core;
        table.answer(now, key, &response, out);
    }

    fn is_fit(&self, request: &Request) -> bool {
        let Some(calls) = &self.calls else {
            return false;
        };
        let server = Server {
            interop: &self.core.interop,
            name: None,
            contact: None,
            readiness: Readiness::Ready,
            cancelled: Cancelled::Unknown,
            scope: calls.scope(),
        };
        server.judge(request).is_ok()
    }

    /// The way back to where a request came from.
    fn flow_back(&self, gateway: &str, hop: Hop, source: SocketAddr) -> Flow {
        let local = self.local_of(gateway, hop);
        Flow {
            socket: hop.socket,
            local,
            peer: source,
            transport: hop.transport,
        }
    }
}
