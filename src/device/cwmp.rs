//! The TR-069 client on its device.

use super::interfaces::Addresses;
use super::names::Names;
use super::parts::Device;
use super::services::Gate;
use crate::certs::Keyring;
use crate::north::cwmp::io::{Ports, run};
use crate::wire::soap::message::DeviceIdStruct;
use std::sync::Arc;
use tokio::sync::watch;

/// Runs the client whenever its service is wanted.
pub(super) async fn serve(
    device: Arc<Device>,
    gate: Gate,
    addresses: watch::Receiver<Addresses>,
    names: Names,
    keyring: Arc<Keyring>,
) {
    let identity = &device.identity;
    let who = DeviceIdStruct {
        manufacturer: MANUFACTURER.to_owned(),
        oui: identity.oui.to_uppercase(),
        product_class: identity.product.clone(),
        serial_number: identity.serial.clone(),
    };
    gate.supervise(|stop| {
        run(Ports {
            tree: device.tree.clone(),
            who: who.clone(),
            keyring: keyring.clone(),
            lookup: names.lookup(),
            addresses: addresses.clone(),
            stop,
        })
    })
    .await;
}

/// Who makes the unit, as far as an ACS asks.
const MANUFACTURER: &str = "Demarc";
