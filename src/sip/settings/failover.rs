//! When the next server is tried, and how long a failed one is left alone.

use crate::schema::sip_ep;
use crate::schema::{FromCell, Value, kind};
use crate::tree;
use crate::view;

/// Which answers to a REGISTER make the next server the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverConditions {
    patterns: Vec<String>,
}

impl FailoverConditions {
    /// Reads `5xxOnRegistration,403OnRegistration`; what is not of this form means nothing.
    pub fn parse(text: &str) -> Self {
        let patterns = text
            .split([',', ' '])
            .filter_map(|word| word.trim().strip_suffix("OnRegistration"))
            .filter(|pattern| pattern.len() == 3)
            .map(str::to_ascii_lowercase)
            .collect();
        Self { patterns }
    }

    /// Whether a REGISTER answered with `status` should go to the next server.
    pub fn on_registration(&self, status: u16) -> bool {
        let digits = status.to_string();
        self.patterns.iter().any(|pattern| {
            pattern.len() == digits.len()
                && pattern
                    .bytes()
                    .zip(digits.bytes())
                    .all(|(wish, digit)| wish == b'x' || wish == digit)
        })
    }
}

impl Default for FailoverConditions {
    fn default() -> Self {
        tree::initial::<Failover>().conditions
    }
}

/// Addresses that failed are left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PenaltyBox {
    /// Whether there is one.
    pub enable: bool,
    /// Seconds in it.
    pub time: u32,
}

columns! { PenaltyBox: sip_ep {
    enable = PENALTY_BOX_ENABLE,
    time = PENALTY_BOX_TIME,
} }

view! {
    /// What makes one gateway go to the next server.
    pub(super) struct GatewayFailover: sip_ep::gw_specific_failover {
        enable: bool = ENABLE_CONFIG,
        conditions: FailoverConditions = SIP_FAILOVER_CONDITIONS,
    }
}

view! {
    /// What makes the other gateways go to the next server.
    pub(super) struct Failover: sip_ep {
        conditions: FailoverConditions = DEFAULT_SIP_FAILOVER_CONDITIONS,
    }
}

impl FromCell<kind::Octets> for FailoverConditions {
    fn from_cell(cell: Option<&Value>) -> Self {
        Self::parse(&String::from_cell(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failover_conditions_match_classes_and_single_codes() {
        let conditions = FailoverConditions::parse("5xxOnRegistration, 403OnRegistration,rubbish");
        assert!(conditions.on_registration(503));
        assert!(conditions.on_registration(403));
        assert!(!conditions.on_registration(404));
        assert!(!FailoverConditions::parse("").on_registration(500));
    }
}
