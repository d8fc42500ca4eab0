//! Recorded sessions of GenieACS with another CPE, replayed against ours.
//!
//! Each recorded session is asked for by a connection request, as it was; the
//! ACS then asks what it asked, octet by octet but for names of that CPE's
//! data model, which stand for ours. Each answer has to be what the recorded
//! ACS's next message presumes, and one by the Broadband Forum's schemas.

use crate::acs::knock;
use crate::bench::acs::{Acs, Sent};
use crate::bench::{Device, Folder, free_tcp_port, free_udp_port};
use std::fs;

/// What the ACS asked in one session, and what it was answered.
struct Session(Vec<Asked>);

struct Asked {
    method: String,
    /// The whole envelope.
    request: String,
    /// The whole envelope.
    answer: String,
}

/// The recorded CPE's names, and ours that stand for them.
const NAMES: [(&str, &str); 8] = [
    ("LANDevice.", "Services.VoiceService."),
    (".LANHostConfigManagement.", ".SIP."),
    (".DHCPConditionalServingPool.", ".Network."),
    (".MaxAddress", ".ProxyServer"),
    (".MinAddress", ".RegistrarServer"),
    (".VendorClassID", ".UserAgentDomain"),
    (".X_HUAWEI_DeviveDhcpRelay", ".OutboundProxy"),
    (".X_HUAWEI_SSLCertEnable", ".CWMPRetryMinimumWaitInterval"),
];

#[test]
fn the_recorded_sessions_that_read_set_and_restart() {
    assert_eq!(replayed("genieacs-1.2.16-vs-genieacs-sim.yaml"), 7);
}

#[test]
fn the_recorded_sessions_that_add_and_delete_instances() {
    assert_eq!(
        replayed("genieacs-1.2.16-vs-genieacs-sim-addobject.yaml"),
        16
    );
}

/// Plays a recording; how many requests of the ACS there were.
fn replayed(name: &str) -> usize {
    let sessions = sessions(&recording(name));
    let folder = Folder::new("replay");
    let acs = Acs::open();
    let device = device(&folder, &acs);
    acs.ended(1);
    let methods = methods(&acs, &device);
    let mut asked = 0;
    for Session(requests) in &sessions {
        let (before, ended) = (acs.record().len(), acs.informs().len());
        for one in requests {
            acs.asks(&one.request);
        }
        let url = device.get("Cwmp.ConnectionRequestUrl");
        let [user, password] =
            ["user", "password"].map(|key| device.secret(&format!("acs-connection-request-{key}")));
        let welcome = knock(&url, &user, &password);
        assert!(welcome.starts_with("HTTP/1.1 200 "), "{welcome}");
        acs.ended(ended + 1);
        let record = acs.record();
        let answers: Vec<&Sent> = record[before..]
            .iter()
            .filter(|sent| !sent.body.is_empty() && !sent.is("Inform"))
            .take(requests.len())
            .collect();
        assert_eq!(answers.len(), requests.len());
        for (one, answer) in requests.iter().zip(&answers) {
            fits(one, answer, &methods);
        }
        presumed(requests, &answers);
        asked += requests.len();
        if requests.iter().any(|one| restarts(&one.method)) {
            acs.ended(ended + 2);
        }
    }
    acs.judges_every_envelope(&folder);
    asked
}

fn restarts(method: &str) -> bool {
    ["Reboot", "FactoryReset"].contains(&method)
}

/// The answer to one request, by itself.
fn fits(asked: &Asked, answer: &Sent, methods: &[String]) {
    let method = &asked.method;
    // The ACS goes on where a method is not there, as it did with the recorded CPE.
    if !methods.contains(method) {
        assert_eq!(answer.texts("FaultCode"), ["9000"], "{}", answer.body);
        return;
    }
    assert!(answer.is(&format!("{method}Response")), "{}", answer.body);
    assert_eq!(
        texts(&asked.request, "cwmp:ID"),
        texts(&answer.body, "cwmp:ID")
    );
    match method.as_str() {
        "GetParameterValues" => assert_eq!(texts(&asked.request, "string"), answer.texts("Name")),
        "SetParameterValues" | "DeleteObject" => assert_eq!(answer.texts("Status"), ["0"]),
        // The ACS will ask for the instance of this number.
        "AddObject" => {
            let recorded = texts(&asked.answer, "InstanceNumber");
            assert_eq!(recorded, answer.texts("InstanceNumber"));
        }
        _ => {}
    }
}

/// Whatever the ACS asks for after it has asked for names it has found among them.
fn presumed(requests: &[Asked], answers: &[&Sent]) {
    let mut listed: Vec<(String, Vec<String>)> = Vec::new();
    for (one, answer) in requests.iter().zip(answers) {
        let wanted = [
            texts(&one.request, "string"),
            texts(&one.request, "ParameterPath"),
        ];
        for name in wanted.concat() {
            let over = listed
                .iter()
                .rev()
                .find(|(path, _)| name.starts_with(path.as_str()) && name != *path);
            let Some((path, found)) = over else { continue };
            let known = found.iter().any(|one| {
                name == *one
                    || (one.ends_with('.') && one != path && name.starts_with(one.as_str()))
            });
            assert!(known, "{name} is not below {path}: {found:?}");
        }
        if let [path] = texts(&one.request, "ParameterPath").as_slice() {
            assert!(!answer.texts("Name").is_empty(), "{}", answer.body);
            listed.push((path.clone(), answer.texts("Name")));
        }
    }
}

/// A device with four gateways, as the recorded CPE had four pools.
fn device(folder: &Folder, acs: &Acs) -> Device {
    let mut lines = vec![
        "Cwmp.AcsUrlConfigSource=static".to_owned(),
        format!("Cwmp.AcsStaticUrl={}", acs.url()),
        format!("Cwmp.ListeningPort={}", free_tcp_port()),
        "Cwmp.RootElement=internetGatewayDevice".to_owned(),
        "Cwmp.Tr104Enable=enable".to_owned(),
        format!("SipEp.Gateway[Name=default].Port={}", free_udp_port()),
    ];
    for name in ["second", "third", "fourth"] {
        let port = free_udp_port();
        lines.push(format!("SipEp.Gateway[Name={name}].Type=trunkGateway"));
        lines.push(format!(
            "SipEp.Gateway[Name={name}].NetworkInterface=Uplink"
        ));
        lines.push(format!("SipEp.Gateway[Name={name}].Port={port}"));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Device::of_profile(folder, &lines, &[])
}

/// What it says that it can.
fn methods(acs: &Acs, device: &Device) -> Vec<String> {
    acs.asks("<C:GetRPCMethods/>");
    device.done(&["cwmp", "inform"]);
    let answer = acs.waits("the methods", |sent| sent.is("GetRPCMethodsResponse"));
    answer.texts("string")
}

/// The HTTP exchanges of a recording, in our names: each a message and its answer.
fn recording(name: &str) -> Vec<(String, String)> {
    let folder = std::env::var("DEMARC_VECTORS").expect("DEMARC_VECTORS names the folder");
    let path = format!("{folder}/cwmp-traces/{name}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut exchanges = Vec::new();
    let mut sent = None;
    for document in text.split("---\n").filter(|it| !it.trim().is_empty()) {
        let event = document.lines().next().unwrap_or_default();
        match event.trim_start_matches("event: ") {
            "incoming HTTP request" => sent = Some(body(document)),
            "outgoing HTTP response" => {
                exchanges.push((sent.take().expect("a request"), body(document)));
            }
            // Connection requests are ours to send.
            _ => {}
        }
    }
    assert!(!exchanges.is_empty(), "nothing is recorded in {path}");
    exchanges
}

/// A document's body: YAML's folded scalar, whose line breaks are spaces.
fn body(document: &str) -> String {
    let Some((_, folded)) = document.split_once("\nbody: >-\n") else {
        return String::new();
    };
    let lines: Vec<&str> = folded.lines().map(str::trim_start).collect();
    let text = lines.join(" ");
    let text = text.replace("?>  <", "?>\n<");
    let text = NAMES
        .iter()
        .fold(text, |text, (theirs, ours)| text.replace(theirs, ours));
    text.trim().to_owned()
}

fn sessions(exchanges: &[(String, String)]) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for (at, (sent, answer)) in exchanges.iter().enumerate() {
        if sent.contains("<cwmp:Inform>") {
            sessions.push(Session(Vec::new()));
        }
        let method = method(answer);
        if method.is_empty() || method.ends_with("Response") {
            continue;
        }
        let session = sessions.last_mut().expect("it begins with an Inform");
        session.0.push(Asked {
            method,
            request: answer.clone(),
            answer: exchanges
                .get(at + 1)
                .map(|(sent, _)| sent.clone())
                .unwrap_or_default(),
        });
    }
    assert!(!sessions.is_empty(), "no session is recorded");
    sessions
}

/// The name of a message's method, or "".
fn method(envelope: &str) -> String {
    let body = envelope.split_once("Body><cwmp:").map(|(_, body)| body);
    let name = body.and_then(|body| body.split(['>', '/', ' ']).next());
    name.unwrap_or_default().to_owned()
}

/// The texts of an element, whatever its attributes.
fn texts(envelope: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let parts = envelope.split(&open).skip(1);
    let texts = parts.filter_map(|part| {
        let (attributes, rest) = part.split_once('>')?;
        let whole = attributes.is_empty() || attributes.starts_with(' ');
        let (text, _) = rest.split_once(&close)?;
        whole.then(|| text.to_owned())
    });
    texts.collect()
}
