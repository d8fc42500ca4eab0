//! Whether an endpoint may be used, and whether it is (ITU-T X.731, as EpAdm has it).
//!
//! For a line and for the unit of all lines. A lock waits for the call that
//! stands; a forced one does not.

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdminState {
    /// Calls.
    #[default]
    Unlocked,
    /// The call that stands, and none after it.
    ShuttingDown,
    /// None.
    Locked,
}

/// What the operator orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminOrder {
    /// No more calls.
    Lock,
    /// No more calls, and not that one either.
    ForceLock,
    /// Calls again.
    Unlock,
}

/// How far an endpoint or the unit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageState {
    /// Not at all.
    Idle,
    /// Partly: of the unit's lines some are free.
    Active,
    /// Entirely.
    Busy,
    /// Not at all, and it could not be.
    IdleUnusable,
}

/// Whether there is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupied {
    /// There is.
    Yes,
    /// There is none.
    No,
}

impl AdminState {
    /// What an order makes of it.
    #[must_use]
    pub fn ordered(self, order: AdminOrder, occupied: Occupied) -> Self {
        match (order, occupied) {
            (AdminOrder::Unlock, _) => Self::Unlocked,
            (AdminOrder::ForceLock, _) | (AdminOrder::Lock, Occupied::No) => Self::Locked,
            (AdminOrder::Lock, Occupied::Yes) if self == Self::Locked => Self::Locked,
            (AdminOrder::Lock, Occupied::Yes) => Self::ShuttingDown,
        }
    }

    /// The call that was waited for is over.
    #[must_use]
    pub fn freed(self) -> Self {
        match self {
            Self::ShuttingDown => Self::Locked,
            other => other,
        }
    }

    /// What a line in this state is used like.
    #[must_use]
    pub fn usage(self, occupied: Occupied) -> UsageState {
        match (self, occupied) {
            (_, Occupied::Yes) => UsageState::Busy,
            (Self::Locked, Occupied::No) => UsageState::IdleUnusable,
            (_, Occupied::No) => UsageState::Idle,
        }
    }
}

/// The usage of a unit with these lines.
#[must_use]
pub fn unit_usage(lines: impl IntoIterator<Item = UsageState>) -> UsageState {
    let mut seen = [false; 2];
    for line in lines {
        match line {
            UsageState::Idle => seen[0] = true,
            UsageState::Active | UsageState::Busy => seen[1] = true,
            UsageState::IdleUnusable => {}
        }
    }
    match seen {
        [true, true] => UsageState::Active,
        [true, false] => UsageState::Idle,
        [false, true] => UsageState::Busy,
        [false, false] => UsageState::IdleUnusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_waits_for_the_call_and_a_forced_one_does_not() {
        let state = AdminState::Unlocked;
        let locked = state.ordered(AdminOrder::Lock, Occupied::Yes);
        assert_eq!(locked, AdminState::ShuttingDown);
        assert_eq!(locked.freed(), AdminState::Locked);
        let forced = state.ordered(AdminOrder::ForceLock, Occupied::Yes);
        assert_eq!(forced, AdminState::Locked);
        let back = locked.ordered(AdminOrder::Unlock, Occupied::Yes);
        assert_eq!(back, AdminState::Unlocked);
    }

    #[test]
    fn a_unit_is_active_while_some_of_its_lines_are_free() {
        use UsageState::{Active, Busy, Idle, IdleUnusable};
        for (lines, usage) in [
            (vec![Idle, Busy], Active),
            (vec![Idle, IdleUnusable], Idle),
            (vec![Busy, IdleUnusable], Busy),
            (vec![], IdleUnusable),
        ] {
            assert_eq!(unit_usage(lines.clone()), usage, "{lines:?}");
        }
    }
}
