//! What an operator can ask of the unit as a whole: reboot, factory reset.

use super::factory;
use super::parts::Device;
use crate::tree::{Answer, Invocation, Operation, OperationError, Rights, Tree, messages};
use std::sync::Arc;
use tokio::sync::Notify;

/// Ends every service as a stop does, then starts again on the same folder.
static REBOOT: Operation = Operation {
    name: "Scm.Reboot",
    arguments: &[],
    rights: Rights::Admin,
    help: "Stops all services, then starts the unit again.",
};

/// The factory state, then a reboot.
static FACTORY_RESET: Operation = Operation {
    name: "Conf.FactoryReset",
    arguments: &[],
    rights: Rights::Admin,
    help: "Returns to the profile's state with new passwords, then reboots. Identity and device key stay.",
};

/// Offers the operations; `again` is told when the unit is to start again.
pub(super) fn offer(device: &Arc<Device>, again: &Arc<Notify>) {
    let tree = &device.tree;
    let reboot = again.clone();
    tree.offer(
        &REBOOT,
        Arc::new(move |invocation: Invocation| {
            (invocation.answer)(Ok("the unit reboots".to_owned()));
            reboot.notify_one();
        }),
    );
    let (device, again) = (Arc::downgrade(device), again.clone());
    tree.offer(
        &FACTORY_RESET,
        Arc::new(move |invocation: Invocation| {
            let Some(device) = device.upgrade() else {
                return (invocation.answer)(Err(gone()));
            };
            let who = invocation.actor.to_string();
            reset(&device, &who, invocation.answer, again.clone());
        }),
    );
}

fn gone() -> OperationError {
    OperationError::Failed("the unit stops".to_owned())
}

fn reset(device: &Device, who: &str, answer: Answer, again: Arc<Notify>) {
    let failed = |why: String| OperationError::Failed(format!("nothing was changed: {why}"));
    let baseline = match device.baseline() {
        Ok(baseline) => baseline,
        Err(error) => return answer(Err(failed(error.to_string()))),
    };
    let tree: Tree = device.tree.clone();
    let txn = factory::reset(&tree.snapshot(), &baseline.snapshot(), &device.home);
    let txn = match txn {
        Ok(txn) => txn,
        Err(error) => return answer(Err(failed(error.to_string()))),
    };
    device.tree.notify(&messages::FACTORY_RESET.with([&who]));
    device.tree.commit(txn, 0, move |outcome| {
        answer(match outcome {
            Ok(_) => {
                again.notify_one();
                Ok(
                    "the unit is as its profile makes it, with new passwords, and reboots"
                        .to_owned(),
                )
            }
            Err(refusals) => {
                let why: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                Err(OperationError::Failed(why.join("; ")))
            }
        });
    });
}
