//! A device whose endpoint is to register and cannot.

use demarc::device::{Device, DeviceOptions};
use demarc::schema::{Name, Value};
use demarc::tree::{Actor, Transaction, Tree};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::{Duration, Instant};

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn set(tree: &Tree, wishes: &[(&str, Value)]) {
    let mut txn = Transaction::new(Actor::local());
    for (name, value) in wishes {
        txn.assign(Name::parse(name).expect("a name"), value.clone());
    }
    tree.commit_and_wait(txn, 0).expect("granted");
}

async fn becomes(tree: &Tree, name: &str, value: i32) {
    let parsed = Name::parse(name).expect("a name");
    let end = Instant::now() + Duration::from_secs(20);
    while tree.instances().read(&parsed) != Some(Value::Integer(value)) {
        assert!(Instant::now() < end, "{name} does not become {value}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn an_endpoint_that_is_not_registered_is_shown_as_out_of_service() {
    let name = format!("demarc-unregistered-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let device = Device::open(&folder.0, &DeviceOptions::default()).expect("a device");
    let tree = device.tree().clone();
    // Free when they were asked for, and nobody answers there.
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let [ours, nobody] = sockets.map(|it| it.local_addr().expect("bound").port());
    set(
        &tree,
        &[
            (
                "Scm.ServicesConfig[Name=Snmp].StartupType",
                Value::Integer(200),
            ),
            (
                "SipEp.Gateway[Name=default].Port",
                Value::Unsigned(ours.into()),
            ),
            (
                "SipEp.DefaultStaticRegistrarServerHost",
                Value::from(format!("127.0.0.1:{nobody}")),
            ),
            ("SipEp.UserAgent[EpId=Port01].Username", Value::from("100")),
            ("SipEp.UserAgent[EpId=Port01].Register", Value::from(true)),
        ],
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    runtime.block_on(async move {
        let running = tokio::spawn(device.run(async move {
            let _ = stopped.await;
        }));
        becomes(&tree, "EpAdm.Endpoint[EpId=Port01].OpState", 0).await;
        becomes(&tree, "EpAdm.Endpoint[EpId=Port01].UsageState", 400).await;
        // It is in service all the same, and so is the other one.
        becomes(&tree, "EpAdm.Endpoint[EpId=Port01].AdminState", 100).await;
        becomes(&tree, "EpAdm.Endpoint[EpId=Port02].OpState", 1).await;
        let behavior = "SipEp.DefaultRegistrationUnregisteredBehavior";
        set(&tree, &[(behavior, Value::from(true))]);
        becomes(&tree, "EpAdm.Endpoint[EpId=Port01].OpState", 1).await;
        let _ = stop.send(());
        running.await.expect("no panic").expect("it ran");
    });
}
