//! The SNMP agent on its device: engine, counters, listener.

use super::interfaces::Addresses;
use super::parts::Device;
use super::services::Gate;
use super::settled::settings;
use super::system::TimeOfDay;
use crate::north::snmp::bound::Bound;
use crate::north::snmp::counters::{Counter, Counters};
use crate::north::snmp::engine::Engine;
use crate::north::snmp::io::{Ports, run};
use crate::north::snmp::reply::MAX_DATAGRAM;
use crate::schema::{Name, Value, snmp, snmp_framework};
use crate::tree::Tree;
use async_snmp::v3::SaltCounter;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// Runs the agent whenever its service is wanted.
pub(super) async fn serve(
    device: Arc<Device>,
    gate: Gate,
    addresses: watch::Receiver<Addresses>,
    time: TimeOfDay,
) {
    let tree = device.tree.clone();
    let counters = Arc::new(Counters::default());
    let started = Instant::now();
    publish(&device, &counters, started);
    let (config, follow) = settings(&tree, "Snmp");
    let agent = gate.supervise(|stop| {
        let time = time.clone();
        let bound = Bound {
            tree: tree.clone(),
            time: Arc::new(move || time().map_or(0, |time| time.secs())),
        };
        let salts = SaltCounter::new();
        let (counters, id) = (counters.clone(), device.engine_id);
        let (boots, config, addresses) = (device.engine.boots, config.clone(), addresses.clone());
        async move {
            // Without random octets no salt is safe to use: the service does not respond.
            let Ok(salts) = salts else { return };
            let engine = Engine::new(id, counters, salts);
            run(Ports {
                bound,
                engine,
                boots,
                started,
                config,
                addresses,
                stop,
            })
            .await;
        }
    });
    tokio::select! {
        () = agent => {}
        () = follow => {}
    }
}

fn publish(device: &Device, counters: &Arc<Counters>, started: Instant) {
    let tree: &Tree = &device.tree;
    let boots = device.engine.boots;
    tree.live().publish(|live| {
        live.scalar(snmp::ENGINE_BOOTS, boots);
        live.scalar(snmp::ENGINE_ID, device.engine_id.as_bytes());
        live.scalar(snmp_framework::SNMP_ENGINE_ID, device.engine_id.as_bytes());
        live.scalar(
            snmp_framework::SNMP_ENGINE_BOOTS,
            i32::try_from(boots).unwrap_or(i32::MAX),
        );
        live.scalar(
            snmp_framework::SNMP_ENGINE_MAX_MESSAGE_SIZE,
            i32::try_from(MAX_DATAGRAM).unwrap_or(i32::MAX),
        );
    });
    let seconds = move || i32::try_from(started.elapsed().as_secs()).unwrap_or(i32::MAX);
    tree.live().probe(
        snmp_framework::SNMP_ENGINE_TIME,
        Arc::new(move || Value::Integer(seconds())),
    );
    for counter in Counter::ALL {
        let Ok(name) = Name::from_oid(counter.instance()) else {
            continue;
        };
        let unsigned = name.column.get().syntax.base == crate::schema::Base::Unsigned;
        let counters = counters.clone();
        let probe = move || match unsigned {
            true => Value::Unsigned(counters.count(counter)),
            false => Value::Counter32(counters.count(counter)),
        };
        tree.live().probe_named(name.column, Arc::new(probe));
    }
}
