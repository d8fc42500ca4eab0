//! How the requests of a call leave: by the gateway's server, by the
//! connection that the call came by, or to where the dialog says.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Stack;
use super::calls::Held;
use super::core::Core;
use crate::sip::link::Flow;
use crate::sip::message::{HeaderName, NameAddr, Request, StatusCode, Uri};
use crate::sip::session::LegId;
use crate::sip::transaction::table::{Hop, User};
use crate::sip::transport::{DATAGRAM_LIMIT, PORT, Transport, via};

impl Stack {
    /// Sends a request of a leg; whether it could leave, or waits to.
    pub(super) fn ask(&mut self, now: Instant, leg: LegId, ask: u32, mut request: Request) -> bool {
        let Some(flow) = self.way_of(leg, &request) else {
            return false;
        };
        if self.is_too_large(leg, &flow, &request) && self.seek_stream(now, leg, &flow) {
            if let Some(calls) = &mut self.calls {
                let until = now + self.core.interop.give_up();
                calls.held.push(Held {
                    leg,
                    ask,
                    request,
                    until,
                });
            }
            return true;
        }
        let branch = via::new_branch(&mut self.core.rng);
        request
            .headers
            .prepend(HeaderName::Via, via::own(&flow, &branch));
        let way = (Hop::from(flow), self.core.pace(flow.transport));
        let Core { table, out, .. } = &mut self.core;
        table.ask(now, request, &branch, way, User::Call(leg, ask), out);
        true
    }

    /// Sends an ACK of a leg.
    pub(super) fn send_ack(&mut self, leg: LegId, mut request: Request) {
        let Some(flow) = self.way_of(leg, &request) else {
            return;
        };
        let branch = via::new_branch(&mut self.core.rng);
        request
            .headers
            .prepend(HeaderName::Via, via::own(&flow, &branch));
        let sent = Hop::from(flow).send(request.to_bytes());
        self.core.out.push_back(sent);
    }

    /// Sends what waited for a stream, once there is one.
    pub(super) fn send_held(&mut self, now: Instant) {
        let held = match &mut self.calls {
            Some(calls) if !calls.held.is_empty() => std::mem::take(&mut calls.held),
            _ => return,
        };
        for mut held in held {
            let (leg, ask) = (held.leg, held.ask);
            let stream = self.stream_of(leg);
            let Some(calls) = &mut self.calls else { return };
            match (stream, calls.session_mut(leg)) {
                (Some(flow), Some(session)) => {
                    session.flow = flow;
                    if let Some(contact) = self.contact_of(leg) {
                        held.request.headers.set(HeaderName::Contact, contact);
                    }
                    self.ask(now, leg, ask, held.request);
                }
                (None, Some(_)) if held.until <= now => {
                    self.call_unanswered(now, leg, ask, StatusCode::SERVICE_UNAVAILABLE);
                }
                (None, Some(_)) => calls.held.push(held),
                (_, None) => {}
            }
        }
    }

    /// The Contact of a leg's messages; none where there is no such leg.
    pub(super) fn contact_of(&self, leg: LegId) -> Option<String> {
        let session = self.calls.as_ref()?.session(leg)?;
        Some(self.contact_by(&session.gateway, &session.flow))
    }

    /// The Contact of messages of a gateway through `flow`.
    pub(super) fn contact_by(&self, gateway: &str, flow: &Flow) -> String {
        let gateway = self.gateways.get(gateway);
        let contact = gateway.and_then(|it| it.contact(Hop::from(*flow)));
        contact.unwrap_or_else(|| format!("<sip:{}>", flow.local))
    }

    /// Our end of a hop, as a peer may use it.
    pub(super) fn local_of(&self, gateway: &str, hop: Hop) -> SocketAddr {
        let nowhere = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), PORT);
        let Some(gateway) = self.gateways.get(gateway) else {
            return nowhere;
        };
        let links = gateway.links.values().chain(&gateway.draining);
        let stream = { links }.find_map(|it| it.stream(hop.socket));
        let listener = gateway.reachable().get(&hop.transport).copied();
        stream.map(|it| it.local).or(listener).unwrap_or(nowhere)
    }

    /// How a request of a leg goes.
    fn way_of(&self, leg: LegId, request: &Request) -> Option<Flow> {
        let session = self.calls.as_ref()?.session(leg)?;
        let flow = session.flow;
        let gateway = self.gateways.get(&session.gateway)?;
        let within = request.headers.to().is_ok_and(|it| it.tag().is_some());
        let next = within.then(|| next_hop(request)).flatten();
        if flow.transport == Transport::Udp
            && let Some((socket, local)) = gateway.datagram_socket()
        {
            let peer = next.unwrap_or(flow.peer);
            return Some(Flow {
                socket,
                local,
                peer,
                ..flow
            });
        }
        if self.streams.contains_key(&flow.socket) {
            return Some(flow);
        }
        // It is gone: another one of the gateway to the same place, or its link.
        let there = next.unwrap_or(flow.peer);
        let mut streams = self.streams.values();
        let other = streams.find(|it| it.reaches(&session.gateway, flow.transport, there));
        match other {
            Some(stream) => Some(Flow {
                socket: stream.hop.socket,
                local: self.local_of(&session.gateway, stream.hop),
                peer: stream.hop.peer,
                transport: stream.hop.transport,
            }),
            None => gateway.call_link()?.flow(),
        }
    }

    /// RFC 3261 §18.1.1, where the gateway may use streams.
    fn is_too_large(&self, leg: LegId, flow: &Flow, request: &Request) -> bool {
        let session = { self.calls.as_ref() }.and_then(|it| it.session(leg));
        let gateway = session.and_then(|it| self.gateways.get(&it.gateway));
        let streams = gateway.is_some_and(|it| it.plan.requests.contains(Transport::Tcp));
        flow.transport == Transport::Udp && streams && request.to_bytes().len() > DATAGRAM_LIMIT
    }

    /// Whether the gateway's link goes over to streams for this leg.
    fn seek_stream(&mut self, now: Instant, leg: LegId, flow: &Flow) -> bool {
        let session = { self.calls.as_ref() }.and_then(|it| it.session(leg));
        let Some(name) = session.map(|it| it.gateway.clone()) else {
            return false;
        };
        let Some(gateway) = self.gateways.get_mut(&name) else {
            return false;
        };
        let link = gateway
            .call_link()
            .filter(|it| it.flow().is_some_and(|it| it.peer == flow.peer));
        let Some(id) = link.map(|it| it.id) else {
            return false;
        };
        let Some(link) = gateway.link(id) else {
            return false;
        };
        let Some(events) = link.use_streams(&mut self.core.context(now)) else {
            return false;
        };
        gateway.link_events(&mut self.core, now, id, events);
        true
    }

    fn stream_of(&self, leg: LegId) -> Option<Flow> {
        let session = self.calls.as_ref()?.session(leg)?;
        let flow = self.gateways.get(&session.gateway)?.call_link()?.flow()?;
        (flow.transport != Transport::Udp).then_some(flow)
    }
}

/// Where a request within a dialog goes, if its next hop is an address (RFC 3261 §12.2.1.1).
fn next_hop(request: &Request) -> Option<SocketAddr> {
    let route = { request.headers.values(&HeaderName::Route) }.next();
    let first = route.and_then(NameAddr::parse).map(|it| it.uri);
    // Behind a strict router the Request-URI is the next hop, and the Route has no lr.
    let first = first.filter(|it| it.param("lr").is_some());
    address(first.as_ref().or(request.target())?)
}

/// The address that a URI names, if it names one.
pub(super) fn address(uri: &Uri) -> Option<SocketAddr> {
    let ip = match uri.param("maddr") {
        Some(maddr) => crate::sip::message::Host::parse(maddr)?.address()?,
        None => uri.host()?.address()?,
    };
    Some(SocketAddr::new(ip, uri.port().unwrap_or(PORT)))
}
