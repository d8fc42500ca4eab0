//! The peer of a call, whose messages a story writes, and the user of calls beside it.

use std::time::Duration;

use demarc::sip::Stack;
use demarc::sip::event::Input;
use demarc::sip::message::{HeaderName, Message, Method, NameAddr, Request, Response, Uri};
use demarc::sip::session::{Body, Caller, Event, Invite, LegId, Manner, Order, Target};

use super::super::world::{World, host, socket};
use super::{sdp, status};

/// Where the peer is.
pub(super) const PEER: &str = "198.51.100.1:5060";

/// A world with one peer in a call.
pub(super) struct Desk {
    pub(super) world: World,
    /// Sent messages that a story looked at.
    read: usize,
    /// Told events that a story looked at.
    told: usize,
    branches: u32,
}

impl Desk {
    /// A gateway whose server is the peer, by UDP.
    pub(super) fn new(manner: Manner) -> Self {
        let mut world = World::of(Stack::new([5; 32]).with_calls(manner));
        world.settings.unit_registrations.clear();
        world.settings.proxy.home_domain_host = host(PEER);
        world.apply();
        world.run(Duration::from_millis(100));
        Self {
            world,
            read: 0,
            told: 0,
            branches: 0,
        }
    }

    pub(super) fn order(&mut self, order: Order) {
        self.world.input(Input::Call(order));
    }

    pub(super) fn millis(&mut self, millis: u64) {
        self.world.run(Duration::from_millis(millis));
    }

    /// What was sent since the story looked last.
    pub(super) fn sent(&mut self) -> Vec<Message> {
        let sent = self.world.octets[self.read..].iter();
        let sent = sent.map(|it| Message::parse(it).expect("a message"));
        let sent = sent.collect();
        self.read = self.world.octets.len();
        sent
    }

    /// The requests that were sent since.
    fn requests(&mut self) -> Vec<Request> {
        let sent = self.sent().into_iter();
        let requests = sent.filter_map(|it| match it {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        });
        requests.collect()
    }

    /// The one request that was sent since.
    pub(super) fn request(&mut self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// The first request that was sent since; it may have been repeated.
    pub(super) fn first_request(&mut self) -> Request {
        self.requests().remove(0)
    }

    /// The last response that was sent since.
    pub(super) fn response(&mut self) -> Response {
        let sent = self.sent();
        let mut responses = sent.into_iter().filter_map(|it| match it {
            Message::Response(response) => Some(response),
            Message::Request(_) => None,
        });
        responses.next_back().expect("a response")
    }

    /// First lines of what was sent since, without versions and phrases.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let sent = self.sent();
        let line = |it: &Message| match it {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => {
                let cseq = response.headers.cseq().expect("CSeq");
                format!("{} {}", response.status, cseq.method)
            }
        };
        sent.iter().map(line).collect()
    }

    /// What the user was told since.
    pub(super) fn told(&mut self) -> Vec<Event> {
        let told = self.world.heard[self.told..].to_vec();
        self.told = self.world.heard.len();
        told
    }

    /// The peer sends this message from where it is.
    pub(super) fn arrives(&mut self, bytes: Vec<u8>) {
        self.world.datagram(socket(PEER), bytes);
    }

    /// The peer answers a request of ours.
    pub(super) fn answer(&mut self, request: &Request, code: u16, tag: &str, more: &str) {
        let response = response(request, code, tag, more, None);
        self.arrives(response.to_bytes());
    }

    /// The peer answers a request of ours with a session description.
    pub(super) fn answer_with(
        &mut self,
        request: &Request,
        code: u16,
        more: (&str, &str),
        body: &str,
    ) {
        let (tag, more) = more;
        let response = response(request, code, tag, more, Some(&sdp(body)));
        self.arrives(response.to_bytes());
    }

    /// The peer sends a request: the header lines that are not its addresses are `more`.
    pub(super) fn asks(&mut self, method: &str, names: &Names, more: &str, body: Option<&str>) {
        self.sends(method, names, more, body.map(sdp).as_ref());
    }

    /// The peer sends a request with this body.
    pub(super) fn asks_with(&mut self, method: &str, names: &Names, body: &Body) {
        self.sends(method, names, "", Some(body));
    }

    /// The peer tells how a REFER goes.
    pub(super) fn notify(&mut self, names: &Names, state: &str, fragment: &str) {
        let more = format!("Event: refer\r\nSubscription-State: {state}\r\n");
        let fragment = Body {
            content_type: "message/sipfrag;version=2.0".into(),
            octets: fragment.as_bytes().to_vec(),
        };
        self.sends("NOTIFY", names, &more, Some(&fragment));
    }

    fn sends(&mut self, method: &str, names: &Names, more: &str, body: Option<&Body>) {
        self.branches += 1;
        let bytes = names.request(method, self.branches, more, body);
        self.arrives(bytes);
    }

    /// A call to 200 with this offer, and its INVITE.
    pub(super) fn call(&mut self, leg: u64, offer: Option<&str>) -> Request {
        self.order(Order::Invite(LegId::Out(leg), Box::new(invite(offer))));
        self.request()
    }

    /// A call that the peer answered.
    pub(super) fn answered_call(&mut self) -> (Request, Names) {
        let invite = self.call(1, Some("offer"));
        self.answer_with(&invite, 200, ("there", CONTACT), "answer");
        let _ = (self.sent(), self.told());
        let names = Names::of_ours(&invite, "there");
        (invite, names)
    }

    /// A call of the peer that was answered.
    pub(super) fn taken_call(&mut self, more: &str) -> Names {
        let mut names = Names::new("theirs");
        self.asks("INVITE", &names, more, Some("offer"));
        self.order(Order::Accept(LegId::In(1), Some(sdp("answer"))));
        let response = self.response();
        names.learn(&response);
        self.asks("ACK", &names, "", None);
        let _ = (self.sent(), self.told());
        names
    }
}

/// The Contact of the peer.
pub(super) const CONTACT: &str = "Contact: <sip:b@198.51.100.1>\r\n";

/// What names a dialog, from the peer's side.
#[derive(Clone)]
pub(super) struct Names {
    pub(super) call_id: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) uri: String,
    pub(super) contact: String,
    pub(super) cseq: u32,
}

impl Names {
    /// Those of a call that the peer makes.
    pub(super) fn new(call_id: &str) -> Self {
        Self {
            call_id: call_id.into(),
            from: "\"Alice\" <sip:alice@198.51.100.1>;tag=alice".into(),
            to: "<sip:100@192.0.2.1>".into(),
            uri: "sip:100@192.0.2.1".into(),
            contact: "Contact: <sip:alice@198.51.100.1>\r\n".into(),
            cseq: 1,
        }
    }

    /// Those of a call of ours that the peer answered with this tag.
    pub(super) fn of_ours(invite: &Request, tag: &str) -> Self {
        let text = |name| invite.headers.text(&name).expect("a field");
        let contact = invite.headers.contacts().expect("Contact");
        let contact = contact[0].address().expect("an address").uri.clone();
        Self {
            call_id: text(HeaderName::CallId),
            from: format!("{};tag={tag}", text(HeaderName::To)),
            to: text(HeaderName::From),
            uri: contact.to_string(),
            contact: CONTACT.into(),
            cseq: 100,
        }
    }

    /// Takes over the tag and Contact of our response.
    pub(super) fn learn(&mut self, response: &Response) {
        self.to = response.headers.text(&HeaderName::To).expect("To");
        let contacts = response.headers.contacts().expect("Contact");
        if let Some(contact) = contacts.first().and_then(|it| it.address()) {
            self.uri = contact.uri.to_string();
        }
    }

    /// The same with the next number.
    pub(super) fn next(&mut self) -> &Self {
        self.cseq += 1;
        self
    }

    /// A request by another transport.
    pub(super) fn text(&self, method: &str, transport: &str, body: Option<&str>) -> Vec<u8> {
        let bytes = self.request(
            method,
            u32::from(method != "INVITE"),
            "",
            body.map(sdp).as_ref(),
        );
        let text = String::from_utf8(bytes).expect("text");
        text.replace("SIP/2.0/UDP", &format!("SIP/2.0/{transport}"))
            .into_bytes()
    }

    fn request(&self, method: &str, branch: u32, more: &str, body: Option<&Body>) -> Vec<u8> {
        let Self {
            call_id,
            from,
            to,
            uri,
            contact,
            cseq,
        } = self;
        // A CANCEL is of the transaction that it ends.
        let branch = if method == "CANCEL" {
            branch - 1
        } else {
            branch
        };
        let kind = body.map(|it| format!("Content-Type: {}\r\n", it.content_type));
        let kind = kind.unwrap_or_default();
        let octets = body.map(|it| it.octets.clone()).unwrap_or_default();
        let mut bytes = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{call_id}{branch}\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{contact}{more}{kind}Content-Length: {}\r\n\r\n",
            octets.len()
        )
        .into_bytes();
        bytes.extend(octets);
        bytes
    }
}

/// An answer of the peer.
pub(super) fn response(
    request: &Request,
    code: u16,
    tag: &str,
    more: &str,
    body: Option<&Body>,
) -> Response {
    let mut response = Response::answering(request, status(code), Some(tag));
    for line in more.split("\r\n").filter(|it| !it.is_empty()) {
        let (name, value) = line.split_once(": ").expect("a header line");
        response.headers.push(HeaderName::new(name), value);
    }
    if let Some(body) = body {
        response
            .headers
            .push(HeaderName::ContentType, &body.content_type);
        response.set_body(body.octets.clone());
    }
    response
}

/// A call of 100 to 200 by the gateway's server.
pub(super) fn invite(offer: Option<&str>) -> Invite {
    let uri = Uri::parse("sip:100@unit.invalid").expect("a URI");
    Invite {
        gateway: "default".into(),
        target: Target::User("200".into()),
        caller: Caller {
            from: NameAddr::new(uri),
            asserted: Vec::new(),
            preferred: Vec::new(),
            privacy: Vec::new(),
        },
        line: None,
        offer: offer.map(sdp),
        replaces: None,
        carried: Vec::new(),
    }
}

/// A header field's text.
pub(super) fn text(headers: &demarc::sip::message::Headers, name: &str) -> String {
    headers.text(&HeaderName::new(name)).unwrap_or_default()
}

/// Whether a request is of this method.
pub(super) fn is(request: &Request, method: Method) -> bool {
    request.method == method
}
