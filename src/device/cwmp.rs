//! The TR-069 client on its device.

use super::DeviceError;
use super::interfaces::Addresses;
use super::names::Names;
use super::parts::Device;
use super::services::Gate;
use super::snmpex::run_script;
use super::system::TimeOfDay;
use crate::certs::Keyring;
use crate::north::cwmp::io::{Files, Firmware, Ports, RunScript, run};
use crate::north::cwmp::reaches_acs;
use crate::north::script::{Act, Script, export};
use crate::north::syslog::io::Logger;
use crate::north::syslog::status::Row;
use crate::tree::{Actor, Tree};
use crate::wire::soap::message::DeviceIdStruct;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Runs the client whenever its service is wanted.
pub(super) async fn serve(
    device: Arc<Device>,
    gate: Gate,
    addresses: watch::Receiver<Addresses>,
    names: Names,
    keyring: Arc<Keyring>,
    files: Arc<Files>,
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
            files: files.clone(),
            stop,
        })
    })
    .await;
}

/// What the files of an ACS are made of and put into use by.
pub(super) fn files(
    device: &Device,
    logger: Logger,
    time: TimeOfDay,
) -> Result<Arc<Files>, DeviceError> {
    let (tree, profile) = (device.tree.clone(), device.baseline()?.snapshot());
    Ok(Arc::new(Files {
        script: script(&tree, time),
        export: Arc::new(move || export(&tree.snapshot(), &profile)),
        log: Arc::new(move || log(&logger)),
        firmware: Firmware {
            key: device.profile.firmware_key.clone(),
            home: device.home.clone(),
            at_work: Mutex::default(),
        },
    }))
}

fn script(tree: &Tree, time: TimeOfDay) -> RunScript {
    let tree = tree.clone();
    Arc::new(move |octets, actor, within| {
        let (tree, time) = (tree.clone(), time.clone());
        Box::pin(async move {
            let text = String::from_utf8(octets).map_err(|_| "it is no text".to_owned())?;
            let at = time().map_or(0, |time| time.secs());
            run_for_acs(&tree, &text, actor, within, at).await
        })
    })
}

async fn run_for_acs(
    tree: &Tree,
    text: &str,
    actor: Actor,
    within: Option<u32>,
    at: u64,
) -> Result<u32, String> {
    let mut script = Script::parse(text).map_err(|faults| lines(&faults))?;
    let mut entries = script.entries.iter();
    let reaches = entries.any(|entry| match &entry.act {
        Act::Assign(name, _) => reaches_acs(name),
        Act::Invoke(_) => false,
    });
    if let Some(seconds) = within.filter(|_| reaches) {
        let undone = Script::of_settings(&[format!("Conf.ConfirmWithin={seconds}")]);
        script.append(undone.map_err(|faults| lines(&faults))?);
    }
    let report = run_script(tree, actor, script, at).await;
    tree.notify(&report.notice("of the ACS"));
    match report.complaints.is_empty() {
        true => Ok(report
            .version
            .and_then(|version| u32::try_from(version).ok())
            .unwrap_or(0)),
        false => Err(lines(&report.complaints)),
    }
}

fn lines<T: std::fmt::Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    items.join("; ")
}

/// The local log as text, a line for each message.
fn log(logger: &Logger) -> String {
    let entries = logger.since(0);
    let lines = entries.iter().map(|entry| {
        let row = Row::from(entry.as_ref());
        format!(
            "{} {} {}.{} {}\n",
            row.local_time,
            row.service_textkey,
            row.service_numkey,
            row.notification_id,
            row.message
        )
    });
    lines.collect()
}

/// Who makes the unit, as far as an ACS asks.
const MANUFACTURER: &str = "Demarc";
