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
    let mut reaches = false;
    for entry in &script.entries {
        match &entry.act {
            Act::Assign(name, _) => reaches |= reaches_acs(name),
            // What an operation does is not undone when the ACS has locked itself out.
            Act::Invoke(call) if call.operation.starts_with("Cert.") => {
                let operation = &call.operation;
                return Err(format!(
                    "{operation}: an ACS changes certificates by files of their own types"
                ));
            }
            Act::Invoke(_) => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Backing, Operation, Rights};

    /// As of the engine of certificates, but it only says that it was reached.
    static DELETE: Operation = Operation {
        name: "Cert.Delete",
        arguments: &[],
        rights: Rights::Admin,
        help: "",
    };

    async fn run(text: &str) -> (Tree, Result<u32, String>) {
        let (tree, _) = Tree::open(Backing::Memory, Vec::new(), Vec::new()).expect("memory");
        tree.offer(
            &DELETE,
            Arc::new(|invocation| (invocation.answer)(Ok(String::new()))),
        );
        let actor = Actor {
            rights: Rights::Admin,
            ..Actor::device()
        };
        let ran = run_for_acs(&tree, text, actor, Some(600), 0).await;
        (tree, ran)
    }

    #[tokio::test]
    async fn a_script_of_an_acs_invokes_no_operation_on_certificates() {
        let (_, ran) = run("cert.Delete\n").await;
        assert_eq!(
            ran,
            Err("Cert.Delete: an ACS changes certificates by files of their own types".to_owned())
        );
    }

    #[tokio::test]
    async fn what_the_acs_is_reached_by_is_provisional_also_where_dhcp_told_it() {
        let (tree, ran) = run("Cwmp.DhcpAcsUrl=http://acs.example/\n").await;
        let version = ran.expect("it runs");
        let pending = tree.pending_changes();
        let pending: Vec<u32> = pending.iter().map(|change| change.version).collect();
        assert_eq!(pending, [version]);
    }
}
