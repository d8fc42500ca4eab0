//! Lightweight notifications: what has changed, told without a session.
//!
//! Active ones leave at once, passive ones with them or when their time has
//! come (TR-069 annex M, A.3.2.4). Nobody answers; what was sent counts as
//! told. Without the time they wait: each says when it was made.

use super::talk::host;
use super::{Client, Moment, Output};
use crate::north::cwmp::model::DataModel;
use crate::tree::{Actor, Instances, Transaction};
use crate::wire::lightweight::Notification;
use crate::wire::soap::message::ParameterValue;
use std::time::Duration;

/// A datagram, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// A name or an address.
    pub host: String,
    /// UDP.
    pub port: u16,
    /// The whole message.
    pub octets: Vec<u8>,
}

impl Client {
    /// Sends what is to be sent now.
    pub(super) fn announce(&mut self, now: Moment, view: &Instances) {
        let has_come = self.light.has_come(now.tick, now.wall);
        let Some(settings) = &self.settings else {
            return;
        };
        let (Some(light), Some(wall), Some(url)) = (&settings.lightweight, now.wall, &settings.url)
        else {
            self.light_after = None;
            return;
        };
        if self.is_new_to_acs() {
            self.light_after = None;
            return;
        }
        let news = self
            .notifications
            .announcements(&DataModel::new(view, &settings.model));
        let waits = self.light_after.is_some_and(|after| after > now.tick);
        if waits && !has_come {
            return;
        }
        self.light_after = None;
        if !has_come && !news.iter().any(|changed| changed.active) || news.is_empty() {
            return;
        }
        let server = match light.host.as_str() {
            "" => host_only(&host(url)),
            named => named.to_owned(),
        };
        let values: Vec<ParameterValue> = news.into_iter().map(|changed| changed.value).collect();
        let username = settings.username_of(&self.who);
        let mut datagrams = Vec::new();
        for (at, parameters) in portions(&values).enumerate() {
            let notification = Notification {
                time: wall.secs(),
                username: &username,
                nonce: now.chance.wrapping_add(u64::try_from(at).unwrap_or(0)),
                device: &self.who,
                parameters,
            };
            let host = format!("{server}:{}", light.port);
            // Without SHA-1 in the library there is nothing to be said.
            datagrams.extend(notification.print(&host, settings.password.expose()));
        }
        let port = light.port;
        for octets in datagrams {
            let host = server.clone();
            self.outputs
                .push_back(Output::Announce(Announcement { host, port, octets }));
        }
        self.light_after = Some(now.tick + PAUSE);
        let mut keep = Transaction::new(Actor::device());
        self.notifications.announced(&values, &mut keep);
        self.keep(keep);
    }
}

/// As many values at a time as a datagram holds without being cut by the network.
fn portions(values: &[ParameterValue]) -> impl Iterator<Item = &[ParameterValue]> {
    let mut size = 0;
    values.chunk_by(move |one, next| {
        size += one.name.len() + one.value.len() + MARKUP;
        let fits = size + next.name.len() + next.value.len() + MARKUP <= ROOM;
        if !fits {
            size = 0;
        }
        fits
    })
}

/// `[2001:db8::1]:7547` without its port, brackets and all.
fn host_only(host: &str) -> String {
    match host.rsplit_once(':') {
        Some((name, _)) if !name.contains(':') || name.ends_with(']') => name.to_owned(),
        _ => host.to_owned(),
    }
}

/// The least time between two of them.
const PAUSE: Duration = Duration::from_secs(1);
/// Octets of parameters in a datagram; the rest of it takes some 500.
const ROOM: usize = 800;
/// Octets around a parameter.
const MARKUP: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_filled_and_a_value_that_is_too_long_goes_alone() {
        let value = |size: usize| ParameterValue {
            name: "n".into(),
            value: "v".repeat(size),
            kind: None,
        };
        let values = [value(300), value(300), value(300), value(5000), value(10)];
        let counts: Vec<usize> = portions(&values).map(<[_]>::len).collect();
        assert_eq!(counts, [2, 1, 1, 1]);
    }

    #[test]
    fn the_acs_is_found_without_its_port() {
        assert_eq!(host_only("acs.example:7547"), "acs.example");
        assert_eq!(host_only("[2001:db8::1]:80"), "[2001:db8::1]");
        assert_eq!(host_only("[2001:db8::1]"), "[2001:db8::1]");
        assert_eq!(host_only("192.0.2.1"), "192.0.2.1");
    }
}
