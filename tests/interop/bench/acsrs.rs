//! acsrs, an auto-configuration server of somebody else's: started, asked by
//! its API, and read in its own record and log.

use super::{Folder, Identity, Running, eventually, free_tcp_port};
use openssl::pkcs12::Pkcs12;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
/// It waits for a device for a minute.
const PATIENCE: Duration = Duration::from_secs(70);

/// Whether devices have to prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Whoever calls.
    None,
    /// By user and password, which it asks for with Basic.
    Basic,
}

/// A server; it ends with the test.
pub(crate) struct Acsrs {
    home: PathBuf,
    pub(crate) clear: u16,
    pub(crate) secure: u16,
    api: u16,
    process: Running,
}

impl Acsrs {
    pub(crate) const USER: &str = "gw";
    pub(crate) const PASSWORD: &str = "pw-of-gw";

    /// Starts on an empty folder, with this certificate for TLS.
    pub(crate) fn start(folder: &Folder, identity: &Identity, proof: Proof) -> Self {
        // Its switch for another folder panics (0.5.2), so it gets another home.
        let home = folder.path().join(".acsrs");
        fs::create_dir_all(home.join("download")).expect("a folder");
        let (clear, secure, api) = (free_tcp_port(), free_tcp_port(), free_tcp_port());
        let (user, password) = (Self::USER, Self::PASSWORD);
        let noauth = proof == Proof::None;
        let config = format!(
            "cpe = []\n[config]\nhostname = \"127.0.0.1\"\nautocert = false\n\
             username = \"{user}\"\npassword = \"{password}\"\nidentity_password = \"p\"\n\
             unsecure_address = \"127.0.0.1:{clear}\"\nsecure_address = \"127.0.0.1:{secure}\"\n\
             management_address = \"127.0.0.1:{api}\"\nnoauth = {noauth}\n"
        );
        fs::write(home.join("config.toml"), config).expect("written");
        let mut bundle = Pkcs12::builder();
        bundle.pkey(&identity.key).cert(&identity.certificate);
        let bundle = bundle.build2("p").and_then(|bundle| bundle.to_der());
        fs::write(home.join("identity.p12"), bundle.expect("a bundle")).expect("written");
        let mut command = Command::new("acsrs");
        command.arg("-v").env("HOME", folder.path());
        let process = Running::start(&mut command, folder.path().join("acsrs.log"));
        eventually("acsrs listens", LIMIT, || {
            TcpStream::connect(("127.0.0.1", api)).ok()
        });
        Self {
            home,
            clear,
            secure,
            api,
            process,
        }
    }

    /// A file that it gives out; its URL.
    pub(crate) fn serves(&self, name: &str, octets: &[u8]) -> String {
        fs::write(self.home.join("download").join(name), octets).expect("written");
        format!("http://127.0.0.1:{}/download/{name}", self.clear)
    }

    /// What it has on disk about its devices.
    pub(crate) fn record(&self) -> String {
        fs::read_to_string(self.home.join("config.toml")).expect("its configuration")
    }

    /// Its log.
    pub(crate) fn said(&self) -> String {
        self.process.said()
    }

    /// Waits until it knows one device; its serial number.
    pub(crate) fn knows_one(&self) -> String {
        eventually("acsrs knows a device", LIMIT, || {
            let devices = self.asks("", &json!("List"))?;
            let [device] = devices.get("List")?.as_array()?.as_slice() else {
                return None;
            };
            let known = device["url"].as_str().is_some_and(|url| !url.is_empty());
            known.then(|| device["sn"].as_str().expect("a text").to_owned())
        })
    }

    /// Waits until the session ends, which it is after three seconds without a command.
    pub(crate) fn lets_it_end(&self) {
        let ended = || self.said().matches("no pending transfer for CPE").count();
        let before = ended();
        eventually("acsrs ends the session", LIMIT, || {
            (ended() > before).then_some(())
        });
    }

    /// The names directly below a path, and whether they can be written.
    pub(crate) fn names(&self, serial: &str, path: &str) -> Vec<(String, bool)> {
        let command = json!({"GetParameterNames": {"name": path, "next_level": true}});
        let answer = self.done(serial, &command);
        let names = answer["GetParameterNames"].as_array().expect("a list");
        let info = |one: &Value| {
            let name = one["name"].as_str().expect("a name");
            (
                name.to_owned(),
                one["writable"].as_bool().expect("a switch"),
            )
        };
        names.iter().map(info).collect()
    }

    /// The value of a parameter.
    pub(crate) fn value(&self, serial: &str, name: &str) -> String {
        let answer = self.done(serial, &json!({"GetParameterValues": [{"name": name}]}));
        let values = answer["GetParameterValues"].as_array().expect("a list");
        assert_eq!(values.len(), 1, "{answer}");
        assert_eq!(values[0]["name"], name, "{answer}");
        values[0]["value"].as_str().expect("a text").to_owned()
    }

    /// Waits until a parameter has a value.
    pub(crate) fn becomes(&self, serial: &str, name: &str, wanted: &str) {
        let mut last = String::new();
        for _ in 0..60 {
            last = self.value(serial, name);
            if last == wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("{name} is {last:?}, not {wanted:?}");
    }

    /// Sets parameters; their types are those that the device has said.
    pub(crate) fn sets(&self, serial: &str, values: &[(&str, &str)]) {
        let values: Vec<Value> = values
            .iter()
            .map(|(name, value)| json!({"type": "", "name": name, "value": value}))
            .collect();
        let answer = self.done(serial, &json!({"SetParameterValues": values}));
        assert_eq!(answer, json!({"SetParameterValues": true}));
    }

    /// Adds an instance; its path.
    pub(crate) fn adds(&self, serial: &str, table: &str) -> String {
        let answer = self.done(serial, &json!({"AddObject": {"object_name": table}}));
        let number = answer["AddObject"]["instance_number"].as_u64();
        format!("{table}{}.", number.expect("a number"))
    }

    /// A command to a device, which must be done.
    fn done(&self, serial: &str, command: &Value) -> Value {
        let answer = self.asks(serial, command);
        let answer = answer.expect("an answer");
        assert!(
            answer.get("Error").is_none(),
            "{command}: {answer}\n{}",
            self.said()
        );
        answer
    }

    /// What its API answers: a connection each, since as long as one lasts the
    /// device's session is kept open.
    pub(crate) fn asks(&self, serial: &str, command: &Value) -> Option<Value> {
        let body = json!({"serial_number": serial, "command": command}).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.api)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let length = body.len();
        let request = format!(
            "POST /api HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }
}
