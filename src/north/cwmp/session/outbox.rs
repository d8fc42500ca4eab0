//! What this side has to ask of the ACS in a session, in order.
//!
//! The first request stays until the ACS has answered it, or has said that it
//! never will; HoldRequests keeps all of them back (TR-069 §3.7.1.4).

use crate::wire::soap::message::{AcsResponse, CpeRequest};
use std::collections::VecDeque;

/// The requests of this side that are still to be answered.
#[derive(Debug)]
pub(super) struct Outbox {
    requests: VecDeque<CpeRequest>,
    /// The last envelope of the ACS said HoldRequests.
    held: bool,
}

impl Outbox {
    pub(super) fn new(requests: Vec<CpeRequest>) -> Self {
        Self {
            requests: requests.into(),
            held: false,
        }
    }

    /// Adds a request behind the others.
    pub(super) fn add(&mut self, request: CpeRequest) {
        self.requests.push_back(request);
    }

    /// What the last envelope of the ACS said of HoldRequests.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The request that may be sent now.
    pub(super) fn next(&self) -> Option<CpeRequest> {
        match self.held {
            true => None,
            false => self.current(),
        }
    }

    /// The request that is on its way.
    pub(super) fn current(&self) -> Option<CpeRequest> {
        self.requests.front().cloned()
    }

    /// The request on its way is answered; it is not sent again.
    pub(super) fn done(&mut self) -> Option<CpeRequest> {
        self.requests.pop_front()
    }

    /// Table 64: only 8000 (no such method) and 8003 (bad arguments) are what
    /// the ACS says for ever. How a transfer ended is told until it is taken
    /// (§3.7.1.5); what somebody only wishes for may be denied.
    pub(super) fn may_be_taken_later(&self, code: u16) -> bool {
        let of_transfer = matches!(
            self.requests.front(),
            Some(CpeRequest::TransferComplete(_) | CpeRequest::AutonomousTransferComplete(_))
        );
        of_transfer && !matches!(code, 8000 | 8003)
    }

    /// Whether a response answers the request that is on its way.
    pub(super) fn awaits(&self, response: &AcsResponse) -> bool {
        matches!(
            (self.requests.front(), response),
            (
                Some(CpeRequest::TransferComplete(_)),
                AcsResponse::TransferComplete
            ) | (
                Some(CpeRequest::AutonomousTransferComplete(_)),
                AcsResponse::AutonomousTransferComplete
            ) | (
                Some(CpeRequest::GetRpcMethods),
                AcsResponse::GetRpcMethods(_)
            ) | (
                Some(CpeRequest::RequestDownload { .. }),
                AcsResponse::RequestDownload
            )
        )
    }
}
