//! Transfers that no Download asked for: those of `Cert.Transfer`.
//!
//! Seen by what the tree shows of them, since they are another part's. What
//! ended before the first look is not told of.

use super::super::client::Moment;
use super::super::fault::Code;
use super::failure::Failure;
use super::record::Transfer;
use super::request::blank;
use crate::schema::cert::transfer as wish;
use crate::schema::cwmp::transfer::{Method, State};
use crate::schema::cwmp::{AutonomousCompleteResultType, AutonomousCompleteTransferType};
use crate::schema::{ColumnId, Enumerated, Index, Name, Value};
use crate::tree::Instances;
use crate::wire::time::UnixTime;
use std::collections::BTreeMap;

/// Which of them the ACS is told of (TR-181 AutonomousTransferCompletePolicy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether it is told at all.
    pub enabled: bool,
    /// Which way the file went.
    pub direction: AutonomousCompleteTransferType,
    /// How it ended.
    pub result: AutonomousCompleteResultType,
    /// Of these types.
    pub file_types: Vec<String>,
}

/// What was seen of them so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Option<BTreeMap<Index, Seen>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    state: Option<wish::State>,
    finished: String,
    /// When it was first seen to run.
    began: Option<UnixTime>,
}

impl Watch {
    /// Those that have ended since the last look and that the policy names.
    pub(super) fn look(&mut self, now: Moment, view: &Instances, policy: &Policy) -> Vec<Transfer> {
        let rows = view.stored().rows(wish::TABLE).iter();
        let shown: BTreeMap<Index, Seen> = rows
            .map(|(index, _)| (index.clone(), self.seen_of(now, view, index)))
            .collect();
        let Some(before) = self.seen.replace(shown.clone()) else {
            return Vec::new();
        };
        let ended = shown.into_iter().filter(|(index, seen)| {
            let over = matches!(seen.state, Some(wish::State::Done | wish::State::Failed));
            let known = before.get(index);
            let new = known
                .is_none_or(|known| (known.state, &known.finished) != (seen.state, &seen.finished));
            over && new
        });
        let ended = ended.map(|(index, seen)| transfer(now, view, &index, &seen));
        ended.filter(|transfer| policy.names(transfer)).collect()
    }

    fn seen_of(&self, now: Moment, view: &Instances, index: &Index) -> Seen {
        let state = match value(view, wish::STATE.id(), index) {
            Some(Value::Integer(number)) => wish::State::from_number(number),
            _ => None,
        };
        let known = self.seen.as_ref().and_then(|seen| seen.get(index));
        let began = match state {
            Some(wish::State::Running) => known.and_then(|known| known.began).or(now.wall),
            _ => known.and_then(|known| known.began),
        };
        Seen {
            state,
            finished: text(view, wish::FINISHED.id(), index),
            began,
        }
    }
}

impl Policy {
    fn names(&self, transfer: &Transfer) -> bool {
        let failed = transfer.fault.code != 0;
        let result = match self.result {
            AutonomousCompleteResultType::Both => true,
            AutonomousCompleteResultType::Success => !failed,
            AutonomousCompleteResultType::Failure => failed,
        };
        let direction = self.direction != AutonomousCompleteTransferType::Upload;
        let file_type = self.file_types.contains(&transfer.file_type);
        self.enabled && direction && result && file_type
    }
}

fn transfer(now: Moment, view: &Instances, index: &Index, seen: &Seen) -> Transfer {
    let host = Value::Integer(wish::Type::Host.number());
    let file_type = match value(view, wish::TYPE.id(), index) == Some(host) {
        true => "X 0090F8 Certificate",
        false => "X 0090F8 TrustAnchors",
    };
    let fault = match seen.state {
        Some(wish::State::Failed) => {
            let why = text(view, wish::REASON.id(), index);
            Failure::new(Code::TransferFailed, why).fault()
        }
        _ => Default::default(),
    };
    Transfer {
        file_type: file_type.to_owned(),
        url: text(view, wish::URL.id(), index),
        target: text(view, wish::FILE_NAME.id(), index),
        state: State::Ended,
        started: seen.began,
        completed: UnixTime::parse(&seen.finished),
        fault,
        ..blank(Method::Autonomous, now.wall)
    }
}

fn text(view: &Instances, column: ColumnId, index: &Index) -> String {
    match value(view, column, index) {
        Some(Value::Octets(octets)) => String::from_utf8_lossy(&octets).into_owned(),
        _ => String::new(),
    }
}

fn value(view: &Instances, column: ColumnId, index: &Index) -> Option<Value> {
    let index = index.clone();
    view.read(&Name { column, index })
}
