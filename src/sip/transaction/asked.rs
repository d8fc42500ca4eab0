//! A request of ours that waits for its answer.

use std::time::Instant;

use super::client::Client;
use super::invite_client::InviteClient;
use super::user::{Hop, User};
use crate::sip::message::Request;

#[derive(Debug)]
pub(super) enum Sending {
    Plain(Client),
    Invite(InviteClient),
}

impl Sending {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self {
            Self::Plain(client) => client.next_deadline(),
            Self::Invite(client) => client.next_deadline(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) machine: Sending,
    pub(super) request: Request,
    pub(super) hop: Hop,
    pub(super) user: User,
}
