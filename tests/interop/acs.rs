//! An ACS that behaves, and one that does not: plain sockets and its own XML.
//!
//! What happened is read from the server's record. Every envelope that the
//! device sends is judged by the Broadband Forum's schemas.

use crate::bench::acs::{Acs, On, Sent, Trick, digest, get};
use crate::bench::{Authority, Device, Folder, Life, eventually, free_tcp_port, free_udp_port};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A device whose ACS is at this URL.
fn device(folder: &Folder, url: &str, more: &[&str]) -> Device {
    let acs = format!("Cwmp.AcsStaticUrl={url}");
    let port = format!("Cwmp.ListeningPort={}", free_tcp_port());
    let sip = format!("SipEp.Gateway[Name=default].Port={}", free_udp_port());
    let mut settings = vec![
        "Cwmp.AcsUrlConfigSource=static",
        "Cwmp.RetryMinimumWaitInterval=1",
        "Cwmp.Username=gw",
        "Cwmp.Password=pw-of-gw",
        &acs,
        &port,
        &sip,
    ];
    settings.extend(more);
    Device::start(folder, &settings)
}

fn becomes(device: &Device, name: &str, wanted: &str) {
    let mut last = String::new();
    let limit = LIMIT;
    eventually(&format!("{name} becomes {wanted}"), limit, || {
        last = device.get(name);
        (last == wanted).then_some(())
    });
}

/// Waits for a reason that says this.
fn because(device: &Device, words: &str) -> String {
    eventually(&format!("AcsReason says {words}"), LIMIT, || {
        let reason = device.get("Cwmp.AcsReason");
        reason.contains(words).then_some(reason)
    })
}

const ALL: &str = "<C:GetParameterValues><ParameterNames><string></string></ParameterNames>\
                   </C:GetParameterValues>";

/// The full name of a parameter, as the device itself says it.
fn parameter(acs: &Acs, object: &str) -> String {
    let answer = acs.waits("the values", |sent| sent.is("GetParameterValuesResponse"));
    let names = answer.texts("Name");
    let mut found = names.iter().filter(|name| name.ends_with(object));
    found.next().expect("it is there").clone()
}

fn set(name: &str, value: &str) -> String {
    format!(
        "<C:SetParameterValues><ParameterList E:arrayType=\"C:ParameterValueStruct[1]\">\
         <ParameterValueStruct><Name>{name}</Name><Value I:type=\"D:string\">{value}</Value>\
         </ParameterValueStruct></ParameterList><ParameterKey>k</ParameterKey>\
         </C:SetParameterValues>"
    )
}

#[test]
fn the_inform_comes_first_and_again_on_the_same_connection_with_its_proof() {
    let folder = Folder::new("acs");
    let acs = Acs::guarded("gw", "pw-of-gw");
    acs.asks(ALL);
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    let record = acs.record();
    let [first, second, empty, values] = record.as_slice() else {
        panic!("{record:#?}");
    };
    assert_eq!((first.status, second.status), (401, 200));
    assert!(first.is("Inform") && first.body == second.body);
    assert_eq!(first.field("Authorization"), None);
    assert_eq!(second.field("SOAPAction"), Some(""));
    assert_eq!(
        second.field("Content-Type"),
        Some("text/xml; charset=\"utf-8\"")
    );
    assert_eq!(
        (empty.body.as_str(), empty.field("Content-Length")),
        ("", Some("0"))
    );
    assert_eq!(empty.field("SOAPAction"), None);
    assert!(values.texts("Name").len() > 100);
    for sent in &record {
        assert_eq!(sent.connection, 1);
        assert_eq!(sent.field("Transfer-Encoding"), None);
        let length = sent.body.len().to_string();
        assert_eq!(sent.field("Content-Length"), Some(length.as_str()));
    }
    becomes(&device, "Cwmp.AcsStatus", "connected");
    assert_eq!(second.events(), ["0 BOOTSTRAP", "1 BOOT"]);
    // The password is nowhere, neither on the wire nor in the ladder.
    let shown = device.done(&["cwmp"]);
    assert!(shown.contains("-> Inform: 0 BOOTSTRAP, 1 BOOT"), "{shown}");
    assert!(shown.contains("<- GetParameterValues") && shown.contains("done"));
    assert!(!shown.contains("pw-of-gw"));
    assert!(!record.iter().any(|sent| sent.body.contains("pw-of-gw")));
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_wrong_password_says_which_objects_to_set_and_the_right_one_is_tried_at_once() {
    let folder = Folder::new("acs");
    let acs = Acs::guarded("gw", "another");
    let device = device(&folder, &acs.url(), &["Cwmp.RetryMinimumWaitInterval=600"]);
    because(&device, "set Cwmp.Username and Cwmp.Password");
    assert_eq!(device.get("Cwmp.AcsStatus"), "errorAuthFailure");
    device.done(&["set", "Cwmp.Password=another"]);
    acs.ended(1);
    becomes(&device, "Cwmp.AcsStatus", "connected");
}

#[test]
fn a_value_is_set_and_a_connection_that_ends_in_between_is_replaced_without_a_second_inform() {
    let folder = Folder::new("acs");
    let acs = Acs::guarded("gw", "pw-of-gw");
    acs.asks(ALL);
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    let name = parameter(&acs, "Hoc.SystemName");
    acs.asks(&set(&name, "by-acs"));
    acs.asks("<C:GetRPCMethods/>");
    acs.plays(On::Empty, Trick::Close);
    let said = device.done(&["cwmp", "inform"]);
    assert!(said.contains("session 2"), "{said}");
    assert_eq!(device.get("Hoc.SystemName"), "by-acs");
    assert_eq!(acs.informs().len(), 2);
    let answers = |method: &str| {
        let record = acs.record().into_iter();
        record
            .filter(|sent| sent.is(method) && sent.status != 401)
            .collect::<Vec<Sent>>()
    };
    let answered = answers("SetParameterValuesResponse");
    let informed = acs.informs()[1].connection;
    assert_eq!(answered.len(), 1);
    assert!(answered[0].connection > informed);
    assert_eq!(answers("GetRPCMethodsResponse").len(), 1);
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_reset_without_an_answer_brings_the_message_once_more_and_no_third_time() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    acs.plays(On::Inform, Trick::Reset);
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    let record = acs.record();
    assert!(record[0].is("Inform") && record[1].is("Inform"));
    assert_eq!(record[0].body, record[1].body);
    acs.plays(On::Inform, Trick::Reset);
    acs.plays(On::Inform, Trick::Reset);
    let refused = device.cli(&["cwmp", "inform"]);
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        why.contains("closes the connection without an answer"),
        "{why}"
    );
    // It is tried again by itself.
    acs.ended(2);
    assert_eq!(acs.informs()[1].texts("RetryCount"), ["1"]);
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_says() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    acs.plays(On::Inform, Trick::Busy(4));
    let device = device(&folder, &acs.url(), &[]);
    because(&device, "503");
    acs.ended(1);
    let record = acs.record();
    let pause = record[1].at - record[0].at;
    assert!(pause >= Duration::from_secs(4), "{pause:?}");
    assert_eq!(record[1].texts("RetryCount"), ["1"]);
}

#[test]
fn a_redirect_leads_to_the_other_server_for_one_session_and_with_no_proof_for_it() {
    let folder = Folder::new("acs");
    let (first, second) = (Acs::guarded("gw", "pw-of-gw"), Acs::open());
    // Behind the challenge, so that there is a proof that could be given away.
    first.plays(On::Inform, Trick::Say(challenge()));
    first.plays(On::Inform, Trick::Redirect(second.url()));
    let device = device(&folder, &first.url(), &[]);
    second.ended(1);
    assert!(
        second
            .record()
            .iter()
            .all(|sent| sent.field("Authorization").is_none())
    );
    becomes(&device, "Cwmp.AcsStatus", "connected");
    assert_eq!(device.get("Cwmp.AcsUrl"), first.url());
    device.done(&["cwmp", "inform"]);
    first.ended(1);
    second.judges_every_envelope(&folder);
}

fn challenge() -> Vec<u8> {
    b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"acs\", nonce=\"n\", qop=\"auth\"\r\n\
      Content-Length: 0\r\nConnection: close\r\n\r\n"
        .to_vec()
}

#[test]
fn nonsense_ends_a_session_with_a_reason_and_the_next_one_is_well() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    let page = |body: &str, field: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\n{field}Content-Length: {length}\r\n\r\n{body}").into_bytes()
    };
    let dtd = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
    let nonsense: [(Vec<u8>, &str); 6] = [
        (
            b"SSH-2.0-x\r\n\r\n".to_vec(),
            "does not answer as HTTP does",
        ),
        (page("<html></html>", ""), "no message of CWMP"),
        (page(dtd, ""), "no message of CWMP"),
        (page("x", "Content-Encoding: gzip\r\n"), "gzip"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_vec(),
            "ends before its end",
        ),
        (page("", ""), "an empty message"),
    ];
    for (octets, words) in nonsense {
        acs.plays(On::Inform, Trick::Say(octets));
        let refused = device.cli(&["cwmp", "inform"]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(why.contains(words), "{words}: {why}");
        becomes(&device, "Cwmp.AcsStatus", "connected");
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up_after_the_session_timeout() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    acs.plays(On::Inform, Trick::Wait(Duration::from_secs(40)));
    let device = device(&folder, &acs.url(), &["Cwmp.SessionTimeout=30"]);
    eventually("it is given up", Duration::from_secs(45), || {
        let reason = device.get("Cwmp.AcsReason");
        reason
            .contains("within 30 s (Cwmp.SessionTimeout)")
            .then_some(())
    });
    acs.ended(1);
}

/// A connection request with the proof for what the door asked.
pub(crate) fn knock(url: &str, user: &str, password: &str) -> String {
    let asked = get(url, "");
    assert!(asked.starts_with("HTTP/1.1 401 "), "{asked}");
    let part = |name: &str| {
        let start = asked.find(&format!("{name}=\"")).expect("it is there") + name.len() + 2;
        asked[start..].split('"').next().expect("it ends")
    };
    let (realm, nonce) = (part("realm"), part("nonce"));
    let path = url.splitn(4, '/').nth(3).expect("a path");
    let uri = format!("/{path}");
    let parts = |name: &str| match name {
        "realm" => realm,
        "nonce" => nonce,
        "nc" => "00000001",
        "cnonce" => "c",
        "qop" => "auth",
        _ => uri.as_str(),
    };
    let response = digest(user, password, "GET", &parts);
    get(
        url,
        &format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", \
             uri=\"{uri}\", qop=auth, nc=00000001, cnonce=\"c\", response=\"{response}\"\r\n"
        ),
    )
}

#[test]
fn a_connection_request_with_the_secrets_of_the_first_boot_opens_a_session() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    let url = device.get("Cwmp.ConnectionRequestUrl");
    let user = device.secret("acs-connection-request-user");
    let password = device.secret("acs-connection-request-password");
    let (stem, path) = url.rsplit_once('/').expect("a path");
    assert_eq!(path.len(), 20, "{url}");
    assert!(get(&format!("{stem}/"), "").starts_with("HTTP/1.1 404 "));
    assert!(knock(&url, &user, "wrong").starts_with("HTTP/1.1 401 "));
    assert_eq!(acs.informs().len(), 1);
    let welcome = knock(&url, &user, &password);
    assert!(welcome.starts_with("HTTP/1.1 200 "), "{welcome}");
    acs.ended(2);
    assert_eq!(acs.informs()[1].events(), ["6 CONNECTION REQUEST"]);
    // It moves while it runs, and is silent while there is no ACS or no service.
    let port = free_tcp_port();
    device.done(&["set", &format!("Cwmp.ListeningPort={port}")]);
    let moved = format!("http://127.0.0.1:{port}/{path}");
    becomes(&device, "Cwmp.ConnectionRequestUrl", &moved);
    assert!(knock(&moved, &user, &password).starts_with("HTTP/1.1 200 "));
    acs.ended(3);
    device.done(&["set", "Scm.ServiceCommands[Name=Cwmp].Stop=stop"]);
    becomes(&device, "Cwmp.ConnectionRequestUrl", "");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    device.done(&["set", "Scm.ServiceCommands[Name=Cwmp].Start=start"]);
    becomes(&device, "Cwmp.ConnectionRequestUrl", &moved);
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_reboot_and_a_factory_reset_come_after_the_session_that_asked_for_them() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    acs.asks("<C:Reboot><CommandKey>why</CommandKey></C:Reboot>");
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(2);
    assert!(acs.record().iter().any(|sent| sent.is("RebootResponse")));
    let informs = acs.informs();
    assert_eq!(informs[1].events(), ["1 BOOT", "M Reboot"]);
    assert_eq!(informs[1].texts("CommandKey"), ["", "why"]);
    let password = device.secret("acs-connection-request-password");
    acs.asks("<C:FactoryReset/>");
    device.done(&["cwmp", "inform"]);
    // Its settings come from the command line again, so it finds the ACS anew.
    acs.ended(4);
    assert_eq!(acs.informs()[3].events(), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_ne!(device.secret("acs-connection-request-password"), password);
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_change_of_the_url_that_leads_nowhere_is_undone() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    acs.asks(ALL);
    let device = device(&folder, &acs.url(), &["Cwmp.AcsChangeDeadline=3"]);
    acs.ended(1);
    let name = parameter(&acs, "Cwmp.AcsStaticUrl");
    let nowhere = format!("http://127.0.0.1:{}/", free_tcp_port());
    acs.asks(&set(&name, &nowhere));
    device.done(&["cwmp", "inform"]);
    becomes(&device, "Cwmp.AcsUrl", &nowhere);
    becomes(&device, "Cwmp.AcsUrl", &acs.url());
    acs.ended(3);
    // To a server that answers, it stays.
    let other = Acs::open();
    acs.asks(&set(&name, &other.url()));
    device.done(&["cwmp", "inform"]);
    other.ended(1);
    assert_eq!(other.informs()[0].events(), ["0 BOOTSTRAP"]);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(device.get("Cwmp.AcsUrl"), other.url());
    acs.judges_every_envelope(&folder);
    other.judges_every_envelope(&folder);
}

#[test]
fn over_tls_the_server_must_be_the_one_of_its_url_unless_that_is_not_asked_for() {
    let folder = Folder::new("acs");
    let authority = Authority::new("Test CA");
    let acs = Acs::secure(&authority.issue("acs.test", 2, Life::Now), None);
    let url = format!("https://acs.test:{}/", acs.port);
    let names = [
        "Hoc.StaticHosts[Index=1].Name=acs.test",
        "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
    ];
    let device = device(&folder, &url, &names);
    let reason = because(&device, "Test CA");
    assert!(reason.contains("demarc cert add"), "{reason}");
    device.trusts("ca.pem", &authority.anchor(folder.path(), "ca"));
    acs.ended(1);
    let strange = format!("https://127.0.0.1:{}/", acs.port);
    device.done(&["set", &format!("Cwmp.AcsStaticUrl={strange}")]);
    because(&device, "Cwmp.TransportCertificateValidation");
    device.done(&["set", "Cwmp.TransportCertificateValidation=noValidation"]);
    acs.ended(2);
    acs.judges_every_envelope(&folder);
}

#[test]
fn the_status_shows_the_acs_only_where_there_is_one() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    becomes(&device, "Cwmp.AcsStatus", "connected");
    assert!(device.done(&["status"]).contains("ok ACS"));
    device.done(&["set", "Cwmp.AcsStaticUrl="]);
    becomes(&device, "Cwmp.AcsStatus", "noUrl");
    assert!(!device.done(&["status"]).contains("ACS"));
    let refused = device.cli(&["cwmp", "inform"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Cwmp.AcsStaticUrl"));
}

#[test]
fn an_acs_that_asks_for_a_certificate_is_shown_the_one_that_is_bound_to_cwmp() {
    let folder = Folder::new("acs");
    let authority = Authority::new("Test CA");
    let anchor = authority.anchor(folder.path(), "ca");
    let acs = Acs::secure(&authority.issue("acs.test", 2, Life::Now), Some(&anchor));
    let url = format!("https://acs.test:{}/", acs.port);
    let names = [
        "Hoc.StaticHosts[Index=1].Name=acs.test",
        "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
    ];
    let device = device(&folder, &url, &names);
    device.trusts("ca.pem", &anchor);
    because(&device, "certificate");
    let own = authority.issue("gw.test", 3, Life::Now);
    device.shows("gw.pem", &own.write(folder.path(), "gw"));
    acs.ended(1);
    let bound = "Cert.HostCertificateAssociation[FileName=gw.pem].Cwmp";
    device.done(&["set", &format!("{bound}=disable")]);
    let refused = device.cli(&["cwmp", "inform"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        why.contains("Cert.HostCertificateAssociation.Cwmp"),
        "{why}"
    );
}

#[test]
fn a_long_answer_comes_in_one_piece_of_the_promised_length() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    let names = "<string></string>".repeat(20);
    acs.asks(&format!(
        "<C:GetParameterValues><ParameterNames>{names}</ParameterNames></C:GetParameterValues>"
    ));
    let _device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    let answer = acs.waits("the values", |sent| sent.is("GetParameterValuesResponse"));
    assert!(answer.texts("Name").len() > 1000);
    assert_eq!(answer.field("Transfer-Encoding"), None);
    let length = answer.body.len().to_string();
    assert_eq!(answer.field("Content-Length"), Some(length.as_str()));
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_session_that_the_server_never_ends_is_ended_here() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    for _ in 0..10_100 {
        acs.asks("<C:GetRPCMethods/>");
    }
    let device = device(&folder, &acs.url(), &["Cwmp.RetryMinimumWaitInterval=600"]);
    because(&device, "does not end the session after 10000 messages");
    assert_eq!(acs.record().len(), 10_000);
}

#[test]
fn a_named_interface_is_where_the_acs_is_called_from_and_where_requests_are_heard() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    let wan = [
        "Bni.NetworkInterfaces[Idx=3].InterfaceName=Wan",
        "Bni.NetworkInterfaces[Idx=3].LinkName=lo",
        "Bni.NetworkInterfaces[Idx=3].StaticIpAddr=127.0.0.9/8",
        "Bni.NetworkInterfaces[Idx=3].Activation=enable",
    ];
    let device = device(&folder, &acs.url(), &wan);
    acs.ended(1);
    device.done(&["set", "Cwmp.NetworkInterface=Wan"]);
    eventually("requests are heard there", LIMIT, || {
        let url = device.get("Cwmp.ConnectionRequestUrl");
        url.starts_with("http://127.0.0.9:").then_some(())
    });
    // What the ACS is reached by has changed: it was tried at once.
    acs.ended(2);
    let informs = acs.informs();
    assert_eq!(informs[0].from.to_string(), "127.0.0.1");
    assert_eq!(informs[1].from.to_string(), "127.0.0.9");
    device.done(&["set", "Cwmp.NetworkInterface=Nowhere"]);
    eventually("the service says so", LIMIT, || {
        let error = device.get("Conf.ServiceVersion[Name=Cwmp].LastError");
        error
            .contains("the interface Nowhere has no address")
            .then_some(())
    });
}

#[test]
fn weak_tls_is_stored_and_acts_as_the_safe_one_which_is_said() {
    let folder = Folder::new("acs");
    let acs = Acs::open();
    let device = device(&folder, &acs.url(), &[]);
    acs.ended(1);
    device.done(&[
        "set",
        "Cwmp.TransportHttpsTlsVersion=tLSv1",
        "Cwmp.TransportHttpsCipherSuite=cS1",
    ]);
    for object in [
        "Cwmp.TransportHttpsTlsVersion",
        "Cwmp.TransportHttpsCipherSuite",
    ] {
        eventually("the log says so", LIMIT, || {
            let log = device.done(&["log"]);
            let line = log.lines().find(|line| line.contains(object))?;
            line.contains("acts as").then_some(())
        });
    }
}
