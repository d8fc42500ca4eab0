//! How often a server may be asked (RFC 4330 §8 and §10).
//!
//! A server is never asked twice within 15 seconds, whatever the settings do
//! in between; one that says RATE is asked half as often each time, and one
//! that says DENY or RSTR is not asked again until the administrator names
//! the servers anew.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::wire::sntp::Kiss;

/// What is remembered of the servers that were asked lately.
#[derive(Debug, Default)]
pub(super) struct Limits {
    servers: HashMap<SocketAddr, Limit>,
}

#[derive(Debug)]
struct Limit {
    asked: Instant,
    gap: Duration,
    barred: bool,
}

impl Limits {
    /// Whether the server may be asked now.
    pub(super) fn allow(&self, server: SocketAddr, now: Instant) -> bool {
        match self.servers.get(&server) {
            Some(limit) => !limit.barred && now >= limit.asked + limit.gap,
            None => true,
        }
    }

    /// Remembers that the server is asked now.
    pub(super) fn asked(&mut self, server: SocketAddr, now: Instant) {
        if self.servers.len() >= REMEMBERED {
            self.servers
                .retain(|_, limit| limit.barred || now < limit.asked + limit.gap);
        }
        let fresh = Limit {
            asked: now,
            gap: LEAST_GAP,
            barred: false,
        };
        self.servers.entry(server).or_insert(fresh).asked = now;
    }

    /// Obeys a server that refuses.
    pub(super) fn refused(&mut self, server: SocketAddr, kiss: Kiss) {
        let Some(limit) = self.servers.get_mut(&server) else {
            return;
        };
        match kiss {
            Kiss::Deny | Kiss::Restrict => limit.barred = true,
            Kiss::Rate => limit.gap = (limit.gap * 2).clamp(FIRST_RATE_GAP, MOST_GAP),
            Kiss::Other(_) => {}
        }
    }

    /// Forgets refusals, not when a server was asked.
    pub(super) fn forgive(&mut self) {
        for limit in self.servers.values_mut() {
            limit.barred = false;
        }
    }
}

/// RFC 4330 §10: a client must not ask more often under any conditions.
const LEAST_GAP: Duration = Duration::from_secs(15);
/// After a first RATE: beyond the usual synchronization period on error.
const FIRST_RATE_GAP: Duration = Duration::from_secs(2 * 3600);
const MOST_GAP: Duration = Duration::from_secs(48 * 3600);
/// Servers remembered before those of no more interest are forgotten.
const REMEMBERED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 123))
    }

    #[test]
    fn no_server_is_asked_twice_within_fifteen_seconds() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        assert!(limits.allow(server(), start));
        limits.asked(server(), start);
        assert!(!limits.allow(server(), start + Duration::from_millis(14_999)));
        assert!(limits.allow(server(), start + Duration::from_secs(15)));
    }

    #[test]
    fn deny_bars_a_server_until_servers_are_named_anew() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        limits.asked(server(), start);
        limits.refused(server(), Kiss::Deny);
        let later = start + Duration::from_secs(1_000_000);
        assert!(!limits.allow(server(), later));
        limits.forgive();
        assert!(limits.allow(server(), later));
    }

    #[test]
    fn each_rate_doubles_the_gap_up_to_a_bound() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        limits.asked(server(), start);
        limits.refused(server(), Kiss::Rate);
        assert!(!limits.allow(server(), start + Duration::from_secs(7199)));
        assert!(limits.allow(server(), start + Duration::from_secs(7200)));
        for _ in 0..100 {
            limits.refused(server(), Kiss::Rate);
        }
        assert!(limits.allow(server(), start + MOST_GAP));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for n in 0..1000_u16 {
            let at = start + Duration::from_secs(20 * u64::from(n));
            limits.asked(SocketAddr::from(([192, 0, 2, 1], n)), at);
        }
        assert!(limits.servers.len() <= REMEMBERED);
    }
}
