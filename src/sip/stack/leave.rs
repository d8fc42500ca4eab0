//! A call that is ordered: to whom it goes, and as whom.

use std::time::Instant;

use super::Stack;
use super::calls::context;
use super::gateway::Gateway;
use super::outward::address;
use crate::sip::event::Output;
use crate::sip::link::{Flow, Link};
use crate::sip::message::{NameAddr, StatusCode, Uri};
use crate::sip::plan::Line;
use crate::sip::register::{Style, user_part};
use crate::sip::session::{Departure, Event, Invite, LegId, Refusal, Session, Target};
use crate::sip::settings::{Authentication, CriteriaSelection, OutboundType};
use crate::sip::transport::Transport;

/// Where a call goes.
struct Aim {
    target: Uri,
    routes: Vec<String>,
    flow: Flow,
}

impl Stack {
    /// Makes a call.
    pub(super) fn depart(&mut self, now: Instant, leg: LegId, mut invite: Invite) {
        let room = { self.calls.as_ref() }.is_some_and(|it| it.has_room() && !it.has(leg));
        if !room {
            return self.not_departed(leg, StatusCode::SERVICE_UNAVAILABLE, "");
        }
        let aim = match self.aim(now, &invite) {
            Ok(aim) => aim,
            Err((status, why)) => return self.not_departed(leg, status, &why),
        };
        let Some(gateway) = self.gateways.get(&invite.gateway) else {
            return;
        };
        let user = invite.caller.from.uri.user().unwrap_or_default().to_owned();
        let rows = credentials(gateway, invite.line.as_ref(), &user);
        if let Target::User(_) = invite.target {
            domesticate(&mut invite.caller.from, &gateway.plan.calls.domain);
        }
        let contact = self.contact_by(&invite.gateway, &aim.flow);
        let departure = Departure {
            leg,
            invite,
            target: aim.target,
            routes: aim.routes,
            flow: aim.flow,
            rows,
            user,
        };
        let Some(calls) = &mut self.calls else { return };
        let mut cx = context(&mut self.core, &calls.manner, now, contact);
        let session = Session::calling(&mut cx, departure);
        let steps = cx.steps;
        calls.insert(session);
        self.do_steps(now, leg, steps);
    }

    fn not_departed(&mut self, leg: LegId, status: StatusCode, why: &str) {
        let mut refusal = Refusal::of(status);
        if !why.is_empty() {
            why.clone_into(&mut refusal.phrase);
        }
        let event = Event::Refused(leg, refusal);
        self.core.out.push_back(Output::Call(event));
    }

    /// Request-URI, Route and first hop, or why there are none.
    fn aim(&mut self, now: Instant, invite: &Invite) -> Result<Aim, (StatusCode, String)> {
        let unavailable = |why: String| (StatusCode::SERVICE_UNAVAILABLE, why);
        let gateway = self.gateways.get_mut(&invite.gateway);
        let gateway = gateway.ok_or_else(|| unavailable("there is no such gateway".into()))?;
        if gateway.serves_nobody() {
            return Err(unavailable("the gateway is not registered".into()));
        }
        let target = target(gateway, &invite.target, &self.core.style);
        let target = target.ok_or((StatusCode::ADDRESS_INCOMPLETE, String::new()))?;
        let Some(id) = gateway.call_link().map(|it| it.id) else {
            let flow = gateway.direct(&target);
            let why = "the gateway has no server, and the address is no numeric one";
            let flow = flow.ok_or_else(|| unavailable(why.into()))?;
            let routes = Vec::new();
            return Ok(Aim {
                target,
                routes,
                flow,
            });
        };
        let Some(link) = gateway.link(id) else {
            return Err(unavailable(String::new()));
        };
        let flow = link.flow_for_request(&mut self.core.context(now));
        let why = link.reason().map(ToString::to_string);
        let flow = flow.ok_or_else(|| unavailable(why.unwrap_or_default()))?;
        link.touch(now);
        let (target, routes) = gateway.routed(target, invite.line.as_ref());
        Ok(Aim {
            target,
            routes,
            flow,
        })
    }
}

impl Gateway {
    /// The link that its calls go by.
    pub(super) fn call_link(&self) -> Option<&Link> {
        self.links.get(self.plan.calls.server.as_ref()?)
    }

    /// The way to a numeric address, for a gateway without a server.
    fn direct(&self, target: &Uri) -> Option<Flow> {
        if !self.plan.requests.contains(Transport::Udp) {
            return None;
        }
        let (socket, local) = self.datagram_socket()?;
        Some(Flow {
            socket,
            local,
            peer: address(target)?,
            transport: Transport::Udp,
        })
    }

    /// Request-URI and Route, as the outbound proxy and the registrar want them.
    fn routed(&self, target: Uri, line: Option<&Line>) -> (Uri, Vec<String>) {
        let plan = &self.plan.calls;
        let proxy = plan
            .server
            .as_ref()
            .map(|it| format!("sip:{}", it.uri_hostport()));
        let registration = line.and_then(|it| self.registrations.get(it));
        // RFC 3608 §5.
        let service = registration.map(|it| it.service_route().to_vec());
        let mut routes = service.unwrap_or_default();
        match (plan.outbound, proxy) {
            (Some(OutboundType::LooseRouter), Some(proxy)) => {
                routes.insert(0, format!("<{proxy};lr>"));
                (target, routes)
            }
            (Some(OutboundType::StrictRouter), Some(proxy)) => {
                routes.push(format!("<{target}>"));
                (Uri::parse(&proxy).unwrap_or(target), routes)
            }
            _ => (target, routes),
        }
    }
}

/// The URI that a target means.
fn target(gateway: &Gateway, target: &Target, style: &Style) -> Option<Uri> {
    match target {
        Target::Uri(uri) => Some(uri.without_headers()),
        Target::User(user) => {
            let (user, domain) = (user_part(user, style), &gateway.plan.calls.domain);
            Uri::parse(&format!("sip:{user}@{domain}"))
        }
    }
}

/// Gives a URI the domain of the gateway.
fn domesticate(address: &mut NameAddr, domain: &str) {
    let user = address
        .uri
        .user()
        .map(|it| format!("{it}@"))
        .unwrap_or_default();
    if let Some(uri) = Uri::parse(&format!("sip:{user}{domain}")) {
        address.uri = uri;
    }
}

/// The credentials that a call may use, in order.
fn credentials(gateway: &Gateway, line: Option<&Line>, user: &str) -> Vec<Authentication> {
    let rows = gateway.plan.calls.credentials.iter();
    rows.filter(|row| match row.criteria_selection {
        CriteriaSelection::Unit | CriteriaSelection::Gateway => true,
        CriteriaSelection::Endpoint => line == Some(&Line::Endpoint(row.ep_id.clone())),
        CriteriaSelection::Username => row.username_criteria == user,
    })
    .cloned()
    .collect()
}
