//! A device that is stopped and started again: what SIP remembers, and its LED.

use std::path::{Path, PathBuf};
use std::time::Duration;

use demarc::device::{Device, DeviceError, DeviceOptions};
use demarc::north::script::Script;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the device of `home` until its link has come; the link's local port.
async fn link_port(home: &Path, listener: &TcpListener, led: &Path) -> u16 {
    let server = listener.local_addr().expect("bound");
    let led_file = led.display();
    let script = format!(
        "Scm.ServicesConfig[Name=Snmp].StartupType=manual\n\
         SipEp.Gateway[Name=default].Type=endpointGateway\n\
         SipEp.TransportConfig[GatewayName=default].UdpEnable=disable\n\
         SipEp.TransportConfig[GatewayName=default].TcpEnable=enable\n\
         SipEp.TransportPersistentBasePort=24100\n\
         SipEp.TransportPersistentPortInterval=100\n\
         SipEp.ReadyLedFile=\"{led_file}\"\n\
         SipEp.DefaultStaticProxyHomeDomainHost={server}\n"
    );
    let options = DeviceOptions {
        start: Script::parse(&script).expect("a script"),
        ..DeviceOptions::default()
    };
    let device = Device::open(home, &options).expect("a device");
    let (done, stop) = oneshot::channel::<()>();
    let running = tokio::spawn(device.run(async move {
        let _ = stop.await;
    }));
    let (_link, peer) = listener.accept().await.expect("a link");
    while std::fs::read_to_string(led).expect("it is there") != "1" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    done.send(()).expect("it runs");
    running.await.expect("no panic").expect("it ran");
    peer.port()
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn the_circle_of_ports_goes_on_after_a_restart_and_the_led_goes_out_with_the_device()
 {
    let name = format!("demarc-restart-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&folder.0).expect("a temporary folder");
    let led = folder.0.join("brightness");
    std::fs::write(&led, "").expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let story = async {
        let first = link_port(&folder.0, &listener, &led).await;
        assert_eq!(std::fs::read_to_string(&led).expect("there"), "0");
        let second = link_port(&folder.0, &listener, &led).await;
        (first, second)
    };
    let patience = Duration::from_secs(60);
    let (first, second) = tokio::time::timeout(patience, story)
        .await
        .expect("in time");
    assert_eq!(second, first + 1);
}

#[test]
fn a_ready_led_that_is_no_led_is_refused() {
    let name = format!("demarc-no-led-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    for file in ["/etc/passwd", "brightness", "/sys/class/leds/ready"] {
        let script = format!("SipEp.ReadyLedFile={file}\n");
        let options = DeviceOptions {
            start: Script::parse(&script).expect("a script"),
            ..DeviceOptions::default()
        };
        let refused = Device::open(&folder.0, &options).err().expect("refused");
        let DeviceError::StartUp(complaints) = refused else {
            panic!("{refused}");
        };
        assert_eq!(complaints[0].object, "SipEp.ReadyLedFile", "{file}");
    }
}
