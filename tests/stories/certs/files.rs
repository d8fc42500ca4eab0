//! Certificates that are set, deleted and transferred by the objects of Cert.

use std::sync::Arc;
use std::time::Duration;

use demarc::certs::{Purpose, Service};
use demarc::tree::Value;

use super::device::Device;
use super::pki::Authority;
use super::server::{Server, ok};

const HOST_ROW: &str = "Cert.HostCertificatesInfo[FileName=gw.pem]";
const OTHERS_ROW: &str = "Cert.OthersCertificatesInfo[FileName=ca.pem]";
const TRANSFER: &str = "Cert.Transfer[Index=1]";

#[tokio::test]
pub(crate) async fn material_that_is_set_is_shown_and_used_until_it_is_deleted() {
    let device = Device::start();
    let authority = Authority::new("Carrier");
    let sip = || device.keyring.host_for(Service::Sip, Purpose::SipServer);
    assert!(sip().is_err());
    let bundle = Value::from(authority.issue("gw.example.com").bundle());
    device.set(&[("Cert.HostCertificateMaterial[FileName=gw.pem].Pem", bundle)]);
    let issued = format!("{HOST_ROW}.IssuedTo");
    device.wait_for(&issued, "CN=gw.example.com").await;
    until(|| sip().is_ok()).await;
    let pem = Value::from(authority.0.pem());
    device.set(&[("Cert.OthersCertificatesMaterial[FileName=ca.pem].Pem", pem)]);
    device
        .wait_for(&format!("{OTHERS_ROW}.IssuedTo"), "CN=Carrier")
        .await;
    until(|| device.keyring.anchors().iter().count() == 1).await;

    device.set(&[(&format!("{HOST_ROW}.Delete"), Value::Integer(10))]);
    device.wait_for(&issued, "-").await;
    until(|| sip().is_err()).await;
    device.set(&[(&format!("{OTHERS_ROW}.Delete"), Value::Integer(10))]);
    device
        .wait_for(&format!("{OTHERS_ROW}.IssuedTo"), "-")
        .await;
    until(|| device.keyring.anchors().iter().count() == 0).await;
}

/// Waits for the keyring, which follows the tree.
async fn until(mut is: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the keyring does not follow");
}

#[tokio::test]
pub(crate) async fn a_transfer_installs_what_its_row_says_and_is_deleted() {
    let device = Device::start();
    let web = Authority::new("Web");
    device.trust(&web.0.pem()).await;
    let carrier = Authority::new("Carrier");
    let (bundle, pem) = (carrier.issue("gw.example.com").bundle(), carrier.0.pem());
    let pages = move |path: &str| match path {
        "/gw.pem" => ok(&bundle),
        _ => ok(&pem),
    };
    let server = Server::secure(&web.issue("files.example.com"), Arc::new(pages)).await;
    let url = format!("https://files.example.com:{}", server.port);
    let fetch = |path: &str, kind: i32, file: &str, services: &str| {
        let column = |column: &str| format!("{TRANSFER}.{column}");
        device.set(&[
            (&column("Url"), Value::from(url.clone() + path)),
            (&column("Type"), Value::Integer(kind)),
            (&column("FileName"), Value::from(file)),
            (&column("Associate"), Value::from(services)),
            (&column("Start"), Value::Integer(10)),
        ]);
    };
    fetch("/gw.pem", 100, "one.pem", "Sip");
    let row = "Cert.HostCertificatesInfo[FileName=one.pem].IssuedTo";
    device.wait_for(row, "CN=gw.example.com").await;
    let bound = |service: &str| {
        let row = "Cert.HostCertificateAssociation[FileName=one.pem]";
        device.read(&format!("{row}.{service}"))
    };
    assert_eq!([bound("Sip"), bound("Cert")], ["enable", "disable"]);
    device.wait_for(&format!("{TRANSFER}.State"), "done").await;
    fetch("/ca.pem", 200, "two.pem", "");
    let row = "Cert.OthersCertificatesInfo[FileName=two.pem].IssuedTo";
    device.wait_for(row, "CN=Carrier").await;
    let state = format!("{TRANSFER}.State");
    device.set(&[(&format!("{TRANSFER}.Delete"), Value::Integer(10))]);
    device.wait_for(&state, "-").await;
}
