//! What every gateway of a stack shares: chance, names, ports, transactions, orders.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::sip::event::{Notice, Output, TimeOfDay};
use crate::sip::link::{Context, Ids, Manner, Ports};
use crate::sip::register::Style;
use crate::sip::rng::Rng;
use crate::sip::settings::{Interop, Settings};
use crate::sip::transaction::Pace;
use crate::sip::transaction::table::Table;
use crate::sip::transport::Transport;

/// The shared part of a stack.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) rng: Rng,
    pub(super) ids: Ids,
    pub(super) ports: Ports,
    pub(super) manner: Manner,
    pub(super) style: Style,
    pub(super) interop: Interop,
    pub(super) time: TimeOfDay,
    pub(super) table: Table,
    pub(super) out: VecDeque<Output>,
    /// Endpoints that are to register and cannot be used before they are.
    pub(super) waiting: BTreeSet<String>,
}

impl Core {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        let settings = Settings::default();
        Self {
            rng: Rng::new(seed),
            ids: Ids::default(),
            ports: Ports::default(),
            manner: Manner::of(&settings),
            style: Style::of(&settings),
            interop: settings.interop,
            time: TimeOfDay::Unknown,
            table: Table::default(),
            out: VecDeque::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Takes over what needs no new connection.
    pub(super) fn obey(&mut self, settings: &Settings) {
        self.manner = Manner::of(settings);
        self.style = Style::of(settings);
        self.interop = settings.interop.clone();
        let serves = settings.registration.unregistered_behavior;
        let agents = settings.user_agents.iter();
        self.waiting = agents
            .filter(|(_, agent)| agent.register && !serves)
            .map(|(ep_id, _)| ep_id.clone())
            .collect();
        self.ports.resume(settings.transport.last_persistent_port);
    }

    pub(super) fn context(&mut self, now: Instant) -> Context<'_> {
        Context {
            now,
            rng: &mut self.rng,
            ids: &mut self.ids,
            ports: &mut self.ports,
            manner: &self.manner,
            time: self.time,
            out: &mut self.out,
        }
    }

    pub(super) fn pace(&self, transport: Transport) -> Pace {
        Pace {
            carrier: transport.carrier(),
            give_up: self.interop.give_up(),
        }
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.out.push_back(Output::Notice(notice));
    }
}
