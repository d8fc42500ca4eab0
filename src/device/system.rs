//! What the unit is: identity, uptime, the standard's system group.

use super::identity::Identity;
use crate::schema::{self, Index, Value, cwmp, dcm, hoc, snmpv2};
use crate::tree::Tree;
use crate::wire::time::UnixTime;
use std::sync::Arc;
use std::time::Instant;

/// The version of this software.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the time of day is, where it is known.
pub(super) type TimeOfDay = Arc<dyn Fn() -> Option<UnixTime> + Send + Sync>;

/// Publishes what does not change, and answers for what changes all the time.
pub(super) fn publish(tree: &Tree, identity: &Identity, started: Instant, time: TimeOfDay) {
    let description = format!(
        "{} {} {}",
        identity.product, VERSION, identity.hardware_revision
    );
    tree.live().publish(|live| {
        live.scalar(dcm::UNIT_INFO_PRODUCT_NAME, &identity.product);
        live.scalar(dcm::UNIT_INFO_SERIAL_NUMBER, &identity.serial);
        live.scalar(dcm::UNIT_INFO_MAC_ADDRESS, &identity.mac);
        live.scalar(
            dcm::UNIT_INFO_HARDWARE_REVISION,
            &identity.hardware_revision,
        );
        live.scalar(cwmp::UNIT_OUI, identity.oui.to_uppercase());
        live.scalar(snmpv2::SYS_DESCR, &description);
        // RFC 3418: applications (layer 7) and end-to-end (layer 4): 2^6 + 2^3.
        live.scalar(snmpv2::SYS_SERVICES, 72);
        for (id, column) in schema::columns() {
            if column.name == "needRestartInfo" {
                live.raw(id, &Index::scalar(), Value::Integer(0));
            }
        }
    });
    let probes = tree.live();
    probes.probe(
        snmpv2::SYS_OBJECT_ID,
        Arc::new(|| Value::Oid(SYS_OBJECT_ID.into())),
    );
    probes.probe(
        snmpv2::SYS_UP_TIME,
        Arc::new(move || Value::TimeTicks(hundredths(started))),
    );
    probes.probe(
        hoc::SYSTEM_UPTIME,
        Arc::new(move || Value::from(uptime(started.elapsed().as_secs()))),
    );
    probes.probe(
        hoc::SYSTEM_TIME,
        Arc::new(move || Value::from(time().map(|time| time.to_string()).unwrap_or_default())),
    );
}

/// The 4100 series of the DGW units.
const SYS_OBJECT_ID: [u32; 11] = [1, 3, 6, 1, 4, 1, 4935, 1000, 100, 100, 300];

/// Hundredths of a second; wraps as TimeTicks do (RFC 2578 §7.1.8).
fn hundredths(since: Instant) -> u32 {
    let all = since.elapsed().as_millis() / 10;
    u32::try_from(all % (1 << 32)).unwrap_or_default()
}

/// `3d 04:05:06`.
fn uptime(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!(
        "{days}d {:02}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}
