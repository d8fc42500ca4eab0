//! The local ports of persistent links.
//!
//! The first free one from the base, or, where an interval is set, the next
//! one round the circle after the last that was used. Free means free among
//! our own links; that somebody else has it is told by the shell.

use std::collections::BTreeSet;

use crate::sip::plan::PortRange;

/// The ports that our links hold.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    held: BTreeSet<u16>,
    last: Option<u16>,
}

impl Ports {
    /// Continues the circle behind `last`, as it was remembered over a restart.
    pub fn resume(&mut self, last: Option<u16>) {
        self.last = self.last.or(last);
    }

    /// Takes a port of `range`; `busy` is the one that was refused just now.
    pub fn take(&mut self, range: PortRange, busy: Option<u16>) -> Option<u16> {
        let port = match range.interval {
            0 => self.first_free(range.base, busy),
            _ => self.next_round(range),
        }?;
        self.held.insert(port);
        self.last = Some(port);
        Some(port)
    }

    /// Gives a port back.
    pub fn release(&mut self, port: u16) {
        self.held.remove(&port);
    }

    fn first_free(&self, base: u16, busy: Option<u16>) -> Option<u16> {
        let start = match busy {
            Some(port) if port >= base => port.checked_add(1)?,
            _ => base,
        };
        (start..=u16::MAX).find(|port| !self.held.contains(port))
    }

    fn next_round(&self, range: PortRange) -> Option<u16> {
        let count = u32::from(range.interval) + 1;
        let place = match self.last {
            Some(last) if last >= range.base && u32::from(last - range.base) < count => {
                u32::from(last - range.base) + 1
            }
            _ => 0,
        };
        (0..count)
            .filter_map(|step| u16::try_from(u32::from(range.base) + (place + step) % count).ok())
            .find(|port| !self.held.contains(port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(base: u16, interval: u16) -> PortRange {
        PortRange { base, interval }
    }

    #[test]
    fn without_an_interval_the_first_free_port_is_taken() {
        let mut ports = Ports::default();
        let range = range(16000, 0);
        assert_eq!(ports.take(range, None), Some(16000));
        assert_eq!(ports.take(range, None), Some(16001));
        ports.release(16000);
        assert_eq!(ports.take(range, None), Some(16000));
        assert_eq!(ports.take(range, Some(16005)), Some(16006));
    }

    #[test]
    fn with_an_interval_ports_go_round_from_the_last_one() {
        let mut ports = Ports::default();
        let range = range(20000, 100);
        ports.resume(Some(20099));
        for expected in [20100, 20000, 20001] {
            assert_eq!(ports.take(range, None), Some(expected));
            ports.release(expected);
        }
    }

    #[test]
    fn a_full_circle_has_no_port() {
        let mut ports = Ports::default();
        assert!((0..101).all(|_| ports.take(range(20000, 100), None).is_some()));
        assert_eq!(ports.take(range(20000, 100), None), None);
    }
}
