//! Keep-alive OPTIONS: is the gateway's server there?

use std::time::Instant;

use super::core::Core;
use super::gateway::Gateway;
use crate::sip::event::Notice;
use crate::sip::hostport::bracketed;
use crate::sip::link::{Flow, LinkFault, LinkId};
use crate::sip::message::{CSeq, HeaderName, Method, Request, Uri};
use crate::sip::register::{Style, address_of_record};
use crate::sip::rng::Rng;
use crate::sip::settings::KeepAliveOptionFormat;
use crate::sip::transaction::table::{Hop, User};
use crate::sip::transport::via;

impl Gateway {
    /// The next OPTIONS of a link is due; only the link of the keep-alive's destination sends any.
    pub(super) fn keep_alive(&mut self, core: &mut Core, now: Instant, id: LinkId) {
        let Some(server) = self.keep_alive_server() else {
            return;
        };
        let Some(link) = self.link(id).filter(|it| it.plan.wanted.server == server) else {
            return;
        };
        let Some(flow) = link.flow_for_request(&mut core.context(now)) else {
            return;
        };
        link.touch(now);
        let (from, routes) = self.keep_alive_from(core, id, &flow);
        let Some(uri) = Uri::parse(&format!("sip:{}", server.uri_hostport())) else {
            return;
        };
        let branch = via::new_branch(&mut core.rng);
        let mut request = options(uri, (&flow, &branch), &from, &core.style, &mut core.rng);
        for route in routes {
            // RFC 3608 §5: the way of the address of record in From.
            request.headers.push(HeaderName::Route, route);
        }
        if let Some(contact) = self.contact(Hop::from(flow)) {
            request.headers.push(HeaderName::Contact, contact);
        }
        let way = (Hop::from(flow), core.pace(flow.transport));
        let Core { table, out, .. } = core;
        table.ask(now, request, &branch, way, User::KeepAlive(id), out);
    }

    /// Any answer will do.
    pub(super) fn keep_alive_answered(&mut self, core: &mut Core, id: LinkId) {
        if let Some(link) = self.link(id) {
            link.served();
        }
        if self.silent {
            self.silent = false;
            core.notice(Notice::KeepAliveAnswered {
                gateway: self.name.clone(),
            });
        }
    }

    /// No answer came: the gateway's server is unreachable.
    pub(super) fn keep_alive_missed(&mut self, core: &mut Core, now: Instant, id: LinkId) {
        if !self.silent {
            self.silent = true;
            let server = self.link(id).map(|it| it.plan.wanted.server.to_string());
            core.notice(Notice::KeepAliveLost {
                gateway: self.name.clone(),
                server: server.unwrap_or_default(),
            });
        }
        self.give_up(core, now, id, LinkFault::NoOptionsAnswer);
    }

    pub(super) fn keep_alive_server(&self) -> Option<crate::sip::hostport::HostPort> {
        let planned = self.plan.keep_alive_server.as_ref();
        planned
            .filter(|it| self.links.contains_key(it))
            .or_else(|| self.links.keys().next())
            .cloned()
    }

    /// The From, and the route of the address of record where it is one.
    fn keep_alive_from(&self, core: &Core, link: LinkId, flow: &Flow) -> (String, Vec<String>) {
        let lines = self.registrations.values();
        let own = { lines.clone() }.find(|it| it.link == Some(link));
        match (
            core.interop.keep_alive_option_format,
            own.or(lines.into_iter().next()),
        ) {
            (KeepAliveOptionFormat::FullFrom, Some(line)) => (
                address_of_record(&line.plan.binding, &core.style),
                line.service_route().to_vec(),
            ),
            _ => {
                let host = bracketed(&flow.local.ip().to_string());
                (format!("sip:{host}"), Vec::new())
            }
        }
    }
}

fn options(uri: Uri, way: (&Flow, &str), from: &str, style: &Style, rng: &mut Rng) -> Request {
    let (flow, branch) = way;
    let to = format!("<{uri}>");
    let mut request = Request::new(Method::Options, uri);
    let headers = &mut request.headers;
    headers.push(HeaderName::Via, via::own(flow, branch));
    headers.push(HeaderName::MaxForwards, style.max_forwards);
    headers.push(HeaderName::From, format!("<{from}>;tag={}", rng.token()));
    headers.push(HeaderName::To, to);
    headers.push(HeaderName::CallId, rng.token());
    headers.push(
        HeaderName::CSeq,
        CSeq {
            number: 1,
            method: Method::Options,
        },
    );
    headers.push(HeaderName::Accept, "application/sdp");
    if let Some(name) = &style.user_agent {
        headers.push(HeaderName::UserAgent, name);
    }
    headers.push(HeaderName::ContentLength, 0);
    request
}
