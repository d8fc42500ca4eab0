//! A request that came: it is known, it is for a call, or it is answered at once.

use std::time::Instant;

use super::Stack;
use super::calls::Calls;
use super::core::Core;
use crate::sip::message::{Method, Request, Response};
use crate::sip::serve::{Cancelled, Readiness, Scope, Server};
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::table::{Arrived, Hop};
use crate::sip::transport::{Transport, via};

impl Stack {
    pub(super) fn request(&mut self, now: Instant, name: &str, hop: Hop, mut request: Request) {
        via::note_source(&mut request.headers, hop.peer);
        // Without a Via there is nowhere to answer to.
        let Ok(top) = request.headers.via() else {
            return;
        };
        let source = hop.peer;
        let mut hop = hop;
        if hop.transport == Transport::Udp {
            hop.peer = via::response_destination(&top, hop.peer);
        }
        let pace = self.core.pace(hop.transport);
        let matching = self.core.interop.ack_branch_matching;
        let Core { table, out, .. } = &mut self.core;
        match table.request(now, &request, (hop, pace), matching, out) {
            Arrived::Absorbed => {}
            // §17.1.1.3: an ACK is never answered.
            Arrived::StrayAck => self.call_acknowledged(now, &request),
            Arrived::New(key) if self.call_asked(now, (name, hop, source), &key, &request) => {}
            Arrived::New(key) => {
                let response = self.serve(name, hop, &request);
                let Core { table, out, .. } = &mut self.core;
                table.answer(now, &key, &response, out);
            }
            Arrived::Unkept => {
                let response = self.serve(name, hop, &request);
                self.core.out.push_back(hop.send(response.to_bytes()));
            }
        }
    }

    fn serve(&mut self, name: &str, hop: Hop, request: &Request) -> Response {
        let gateway = self.gateways.get(name);
        let readiness = gateway.map_or(Readiness::NotReady, |it| it.readiness(&self.core));
        let contact = gateway.and_then(|it| it.contact(hop));
        let known = request.method == Method::Cancel
            && ServerKey::of_cancelled(request).is_some_and(|it| self.core.table.knows(&it));
        let tag = self.core.rng.token();
        let server = Server {
            interop: &self.core.interop,
            name: self.core.style.user_agent.as_deref(),
            contact: contact.as_deref(),
            readiness,
            cancelled: match known {
                true => Cancelled::Known,
                false => Cancelled::Unknown,
            },
            scope: self.calls.as_ref().map_or(Scope::Options, Calls::scope),
        };
        server.answer(request, &tag)
    }
}
