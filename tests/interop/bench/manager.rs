//! A device as a manager sees it: net-snmp's tools, with the user of the first boot.

use super::{Device, eventually};
use std::process::{Command, Output};
use std::time::Duration;

/// Why each registration is as it is.
pub(crate) const REGISTRATIONS: &str = "SipEp.RegistrationStatusReason";
/// Why each link is as it is.
pub(crate) const LINKS: &str = "SipEp.TlsPersistentConnectionStatusReason";

impl Device {
    /// Runs one of net-snmp's tools; `words` follow the agent's address.
    pub(crate) fn manager(&self, tool: &str, words: &[&str]) -> Output {
        let agent = format!("127.0.0.1:{}", self.snmp);
        self.manager_at(&agent, tool, words)
    }

    /// The same, where the agent listens elsewhere.
    pub(crate) fn manager_at(&self, agent: &str, tool: &str, words: &[&str]) -> Output {
        let auth = self.secret("snmp-auth-password");
        let privacy = self.secret("snmp-priv-password");
        let mut command = Command::new(tool);
        command
            .args(["-v3", "-l", "authPriv", "-u", "admin", "-Oqv", "-t", "2"])
            .args(["-a", "SHA-256", "-A", &auth, "-x", "AES", "-X", &privacy])
            .arg(agent)
            .args(words);
        command
            .output()
            .unwrap_or_else(|error| panic!("{tool}: {error}"))
    }

    /// Sets objects by name, all in one PDU: name, net-snmp's letter for the type, value.
    pub(crate) fn snmpset(&self, bindings: &[(&str, &str, &str)]) {
        let oids: Vec<String> = bindings.iter().map(|it| self.oid(it.0)).collect();
        let words = oids.iter().zip(bindings);
        let words: Vec<&str> = words.flat_map(|(oid, it)| [oid, it.1, it.2]).collect();
        let output = self.manager("snmpset", &words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{bindings:?}: {said}");
    }

    /// Waits for a row of a table of reasons that has all these words, read by
    /// snmpget, and for `demarc status` to say the same.
    pub(crate) fn complains(&self, table: &str, words: &[&str]) -> String {
        let limit = Duration::from_secs(20);
        let mut last = String::new();
        eventually(&format!("{table} says {words:?}"), limit, || {
            let reasons = self.reasons(table);
            if reasons.join("\n") != last {
                last = reasons.join("\n");
                println!("{table}: {last}");
            }
            let said = reasons.into_iter().find(|it| holds(it, words))?;
            let status = self.done(&["status"]);
            holds(&status, words).then_some(said)
        })
    }

    /// Each text of a table of reasons, read by snmpget.
    fn reasons(&self, table: &str) -> Vec<String> {
        let walked = self.done(&["walk", table, "--json"]);
        let walked: serde_json::Value = serde_json::from_str(&walked).expect("JSON");
        let cells = walked.as_object().expect("an object");
        let texts = cells.iter().filter(|(name, _)| name.ends_with("].Text"));
        texts
            .filter_map(|(_, cell)| {
                let got = self.manager("snmpget", &[cell["oid"].as_str()?]);
                let got = String::from_utf8_lossy(&got.stdout).into_owned();
                Some(unquoted(got.trim()))
            })
            .collect()
    }

    fn oid(&self, name: &str) -> String {
        let got = self.done(&["get", name, "--json"]);
        let got: serde_json::Value = serde_json::from_str(&got).expect("JSON");
        let oid = got[name]["oid"].as_str();
        oid.unwrap_or_else(|| panic!("{name} has no OID in {got}"))
            .to_owned()
    }
}

/// As net-snmp prints a string.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inner.unwrap_or(text).replace("\\\"", "\"")
}

fn holds(text: &str, words: &[&str]) -> bool {
    words.iter().all(|word| text.contains(word))
}
