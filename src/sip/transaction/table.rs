//! Every transaction of the stack.
//!
//! Finds the transaction of a message, runs its machine, sends what that asks
//! for, and tells its user. A stream that ends takes its client transactions
//! with it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::asked::{Asked, Sending};
use super::client::Client;
use super::derived::{acknowledgement, cancellation};
use super::due::{Due, Key};
use super::invite_client::InviteClient;
use super::invite_server::InviteServer;
use super::key::{CallMark, ClientKey, ServerKey};
use super::served::{Served, Serving, Stranded};
use super::server::Server;
use super::{Action, Pace};
use crate::sip::event::{Output, SocketId};
use crate::sip::message::{Method, Request, Response};
use crate::sip::session::Reason;
use crate::sip::settings::AckBranchMatching;
use crate::sip::transport::Transport;

pub use super::user::{Hop, User};

/// How many requests of peers are kept at once; more are answered 503 without being kept.
pub const MAX_SERVERS: usize = 4096;

/// What the table made of a request that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// It is new: answer it under this key.
    New(ServerKey),
    /// It was seen before, or acknowledges a failure.
    Absorbed,
    /// An ACK for a 2xx, or for nothing that we know.
    StrayAck,
    /// There is no room, or no key can be made: answer it and forget it.
    Unkept,
}

/// The transactions of one stack.
#[derive(Debug, Default)]
pub struct Table {
    clients: BTreeMap<ClientKey, Asked>,
    servers: BTreeMap<ServerKey, Served>,
    due: Due,
    stranded: Vec<Stranded>,
    lost: Vec<User>,
}

impl Table {
    /// Sends `request`, whose topmost Via has `branch`, and waits for its answer.
    pub fn ask(
        &mut self,
        now: Instant,
        request: Request,
        branch: &str,
        way: (Hop, Pace),
        user: User,
        out: &mut VecDeque<Output>,
    ) {
        let (hop, pace) = way;
        out.push_back(hop.send(request.to_bytes()));
        let key = ClientKey::of_request(branch, &request.method);
        let machine = match request.method {
            Method::Invite => Sending::Invite(InviteClient::new(now, pace)),
            _ => Sending::Plain(Client::new(now, pace)),
        };
        self.due
            .note(machine.next_deadline(), || Key::Client(key.clone()));
        let asked = Asked {
            machine,
            request,
            hop,
            user,
        };
        self.clients.insert(key, asked);
    }

    /// Sends the CANCEL of the INVITE that `user` waits for (RFC 3261 §9.1): by
    /// the same way, and under the same branch.
    pub fn cancel(
        &mut self,
        now: Instant,
        user: User,
        give_up: Duration,
        reason: Option<&Reason>,
        out: &mut VecDeque<Output>,
    ) {
        let Some((key, asked)) = self.clients.iter().find(|(_, it)| it.user == user) else {
            return;
        };
        let request = cancellation(&asked.request, reason);
        let (branch, hop) = (key.branch().to_owned(), asked.hop);
        let carrier = hop.transport.carrier();
        let way = (hop, Pace { carrier, give_up });
        self.ask(now, request, &branch, way, User::Nobody, out);
    }

    /// A response arrived: whom to hand it to, if anybody waits for it.
    pub fn response(
        &mut self,
        now: Instant,
        response: &Response,
        out: &mut VecDeque<Output>,
    ) -> Option<User> {
        let key = ClientKey::of_response(response)?;
        let asked = self.clients.get_mut(&key)?;
        if !same_sent_by(&asked.request, response) {
            return None;
        }
        let status = response.status.code();
        let actions = match &mut asked.machine {
            Sending::Plain(client) => client.response(now, status),
            Sending::Invite(client) => client.response(now, status),
        };
        if actions.contains(&Action::Acknowledge) {
            let ack = acknowledgement(&asked.request, response);
            out.push_back(asked.hop.send(ack.to_bytes()));
        }
        let user = actions.contains(&Action::Deliver).then_some(asked.user);
        self.due
            .note(asked.machine.next_deadline(), || Key::Client(key.clone()));
        if actions.contains(&Action::End) {
            self.clients.remove(&key);
        }
        user
    }

    /// A request arrived.
    pub fn request(
        &mut self,
        now: Instant,
        request: &Request,
        way: (Hop, Pace),
        matching: AckBranchMatching,
        out: &mut VecDeque<Output>,
    ) -> Arrived {
        let key = ServerKey::of(request);
        if request.method == Method::Ack {
            return self.acknowledged(now, request, key, matching);
        }
        let Some(key) = key else {
            return Arrived::Unkept;
        };
        if let Some(served) = self.servers.get_mut(&key) {
            let actions = match &mut served.machine {
                Serving::Plain(server) => server.repeated(),
                Serving::Invite(server) => server.repeated(),
            };
            if actions.contains(&Action::Repeat) && !served.answer.is_empty() {
                served.send(&mut self.stranded, out);
            }
            return Arrived::Absorbed;
        }
        if self.servers.len() >= MAX_SERVERS {
            return Arrived::Unkept;
        }
        self.serve(key.clone(), request, way);
        Arrived::New(key)
    }

    /// Answers the request under `key`.
    pub fn answer(
        &mut self,
        now: Instant,
        key: &ServerKey,
        response: &Response,
        out: &mut VecDeque<Output>,
    ) {
        let Some(served) = self.servers.get_mut(key) else {
            return;
        };
        served.answer = response.to_bytes();
        served.send(&mut self.stranded, out);
        let status = response.status.code();
        let ended = match &mut served.machine {
            Serving::Plain(server) => server.answer(now, status).contains(&Action::End),
            Serving::Invite(server) => {
                server.answer(now, status);
                false
            }
        };
        self.due
            .note(served.machine.next_deadline(), || Key::Server(key.clone()));
        if ended {
            self.servers.remove(key);
        }
    }

    /// Whether the INVITE under `key` is known (RFC 3261 §9.2).
    pub fn knows(&self, key: &ServerKey) -> bool {
        self.servers.contains_key(key)
    }

    /// A stream is gone: nobody waits for an answer on it any more, and what
    /// is answered from now on must find another way.
    pub fn stream_gone(&mut self, socket: SocketId) {
        for served in self.servers.values_mut() {
            served.lost |= served.hop.socket == socket && served.hop.transport != Transport::Udp;
        }
        self.clients.retain(|_, it| {
            let stays = it.hop.socket != socket || it.hop.transport == Transport::Udp;
            if !stays {
                self.lost.push(it.user);
            }
            stays
        });
    }

    /// Who lost a request with its connection since this was last asked.
    pub fn lost(&mut self) -> Vec<User> {
        std::mem::take(&mut self.lost)
    }

    /// Whether requests that came by this stream are still being answered.
    pub fn serves(&self, socket: SocketId) -> bool {
        self.servers.values().any(|it| it.hop.socket == socket)
    }

    /// The responses that lost their connection since this was last asked.
    pub fn stranded(&mut self) -> Vec<Stranded> {
        std::mem::take(&mut self.stranded)
    }

    /// What came by the stream `gone` is answered through `hop` from now on.
    pub fn rehome(&mut self, gone: SocketId, hop: Hop) {
        let served = self.servers.values_mut();
        for served in served.filter(|it| it.lost && it.hop.socket == gone) {
            served.hop = hop;
            served.lost = false;
        }
    }

    /// Who waits for an answer from `peer` through this socket.
    pub fn waiting_for(&self, socket: SocketId, peer: SocketAddr) -> Vec<User> {
        let clients = self.clients.values();
        clients
            .filter(|it| it.hop.socket == socket && it.hop.peer == peer)
            .map(|it| it.user)
            .collect()
    }

    /// Forgets what `user` waits for.
    pub fn forget(&mut self, user: User) {
        self.clients.retain(|_, it| it.user != user);
    }

    /// The time of the next deadline, or one that no longer stands.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.due.next()
    }

    /// Runs what is due, and names those who got no answer.
    pub fn tick(&mut self, now: Instant, out: &mut VecDeque<Output>) -> Vec<User> {
        let mut unanswered = Vec::new();
        while let Some(key) = self.due.take(now) {
            match key {
                Key::Client(key) => unanswered.extend(self.tick_client(now, key, out)),
                Key::Server(key) => self.tick_server(now, key, out),
            }
        }
        unanswered
    }

    fn tick_client(
        &mut self,
        now: Instant,
        key: ClientKey,
        out: &mut VecDeque<Output>,
    ) -> Option<User> {
        let asked = self.clients.get_mut(&key)?;
        let actions = match &mut asked.machine {
            Sending::Plain(client) => client.tick(now),
            Sending::Invite(client) => client.tick(now),
        };
        let repeats = actions.iter().filter(|it| **it == Action::Repeat);
        out.extend(repeats.map(|_| asked.hop.send(asked.request.to_bytes())));
        let unanswered = actions.contains(&Action::TimedOut).then_some(asked.user);
        match actions.contains(&Action::End) {
            true => {
                self.clients.remove(&key);
            }
            false => self
                .due
                .note(asked.machine.next_deadline(), || Key::Client(key)),
        }
        unanswered
    }

    fn tick_server(&mut self, now: Instant, key: ServerKey, out: &mut VecDeque<Output>) {
        let Some(served) = self.servers.get_mut(&key) else {
            return;
        };
        let actions = match &mut served.machine {
            Serving::Plain(server) => server.tick(now),
            Serving::Invite(server) => server.tick(now),
        };
        if actions.contains(&Action::Repeat) {
            served.send(&mut self.stranded, out);
        }
        match actions.contains(&Action::End) {
            true => {
                self.servers.remove(&key);
            }
            false => self
                .due
                .note(served.machine.next_deadline(), || Key::Server(key)),
        }
    }

    fn serve(&mut self, key: ServerKey, request: &Request, way: (Hop, Pace)) {
        let (hop, pace) = way;
        let machine = match request.method {
            Method::Invite => Serving::Invite(InviteServer::new(pace)),
            _ => Serving::Plain(Server::new(pace)),
        };
        let served = Served {
            machine,
            mark: CallMark::of(request),
            answer: Vec::new(),
            hop,
            lost: false,
        };
        self.servers.insert(key, served);
    }

    fn acknowledged(
        &mut self,
        now: Instant,
        ack: &Request,
        key: Option<ServerKey>,
        matching: AckBranchMatching,
    ) -> Arrived {
        let mark = CallMark::of(ack);
        let by_mark = || {
            self.servers
                .iter()
                .find(|(_, it)| matches!(it.machine, Serving::Invite(_)) && it.mark == mark)
                .map(|(key, _)| key.clone())
        };
        let key = match (key.filter(|it| self.servers.contains_key(it)), matching) {
            (None, AckBranchMatching::Rfc3261WithoutAck) if mark.is_some() => by_mark(),
            (key, _) => key,
        };
        let Some(key) = key else {
            return Arrived::StrayAck;
        };
        let Some(Serving::Invite(server)) = self.servers.get_mut(&key).map(|it| &mut it.machine)
        else {
            return Arrived::StrayAck;
        };
        let actions = server.acknowledged(now);
        self.due
            .note(server.next_deadline(), || Key::Server(key.clone()));
        if actions.contains(&Action::End) {
            self.servers.remove(&key);
        }
        match actions.contains(&Action::Deliver) {
            true => Arrived::StrayAck,
            false => Arrived::Absorbed,
        }
    }
}

/// RFC 3261 §18.1.2: a response with another sent-by than ours is not for us.
fn same_sent_by(request: &Request, response: &Response) -> bool {
    match (request.headers.via(), response.headers.via()) {
        (Ok(ours), Ok(theirs)) => (ours.host, ours.port) == (theirs.host, theirs.port),
        _ => false,
    }
}
