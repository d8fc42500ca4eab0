//! What the host's DHCP client has heard of the ACS, on its way to the device.
//!
//! The hooks in `tr069/dhcp` hand over the options as they came; they are read
//! here, so that no shell has to. A lease that says nothing of an ACS empties
//! what the last one said; one that is malformed changes nothing.

use super::args::{Dhcp, Shared};
use super::ask::{Ask, say};
use super::failure::Failure;
use crate::north::local::{Request, Wish};
use crate::schema::{Index, Name, Value, cwmp};
use crate::wire::dhcp::AcsOptions;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The device, which may still be starting: DHCP comes before it.
pub(super) fn connect(heard: &Dhcp, shared: &Shared) -> Result<Ask, Failure> {
    options(heard)?;
    let until = Instant::now() + Duration::from_secs(heard.wait.min(LONGEST_WAIT));
    loop {
        match Ask::connect(shared) {
            Err(failure) if failure.status() == 3 && Instant::now() < until => sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

/// Sets what differs, in one transaction.
pub(super) fn tell(ask: &mut Ask, heard: &Dhcp, out: &mut dyn Write) -> Result<(), Failure> {
    let options = options(heard)?;
    let text = |text: Option<String>| Value::from(text.unwrap_or_default());
    let number = |number: Option<u16>| Value::Unsigned(number.unwrap_or(0).into());
    let wanted = [
        (cwmp::DHCP_ACS_URL.id(), text(options.url)),
        (cwmp::DHCP_PROVISIONING_CODE.id(), text(options.code)),
        (
            cwmp::DHCP_RETRY_MINIMUM_WAIT_INTERVAL.id(),
            number(options.retry_minimum),
        ),
        (
            cwmp::DHCP_RETRY_INTERVAL_MULTIPLIER.id(),
            number(options.retry_multiplier),
        ),
    ];
    let mut values = Vec::new();
    for (column, value) in wanted {
        let index = Index::scalar();
        let name = Name { column, index }.to_string();
        let syntax = &column.get().syntax;
        let now = ask.cells(&name)?;
        // A lease is renewed often; what it says again is no change.
        if now
            .iter()
            .any(|(_, cell)| cell.display() != value.display(syntax))
        {
            let value = value.script(syntax);
            values.push(Wish { name, value });
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = values
        .iter()
        .map(|wish| format!("{}={}", wish.name, wish.value))
        .collect();
    ask.each(&Request::Set { values }, |_| Ok(()))?;
    told.iter().try_for_each(|line| say(out, line))
}

fn options(heard: &Dhcp) -> Result<AcsOptions, Failure> {
    let vendor = octets("option 43", &heard.option43)?;
    let identified = octets("option 125", &heard.option125)?;
    AcsOptions::parse(&vendor, &identified)
        .map_err(|fault| Failure::one("Cwmp.DhcpAcsUrl", "wrongValue", fault.to_string()))
}

/// Hexadecimal: pairs of digits, or one or two between colons; or a URL alone.
fn octets(option: &str, text: &str) -> Result<Vec<u8>, Failure> {
    // dhclient writes what is a text as a text; no hexadecimal begins so.
    if text.starts_with("http") {
        return Ok(text.as_bytes().to_vec());
    }
    let is_text = text.bytes().all(|it| it.is_ascii_hexdigit() || it == b':');
    let groups: Vec<&str> = match text.contains(':') {
        _ if text.is_empty() => Vec::new(),
        true => text.split(':').collect(),
        false => (0..text.len())
            .step_by(2)
            .map(|at| text.get(at..at + 2).unwrap_or_default())
            .collect(),
    };
    let read = |group: &&str| match group.len() {
        1 | 2 => u8::from_str_radix(group, 16).ok(),
        _ => None,
    };
    let octets: Option<Vec<u8>> = groups.iter().map(read).collect();
    octets.filter(|_| is_text).ok_or_else(|| {
        let why = format!("{option} is not in hexadecimal");
        Failure::one("Cwmp.DhcpAcsUrl", "wrongValue", why)
    })
}

const PAUSE: Duration = Duration::from_millis(500);
/// Seconds.
const LONGEST_WAIT: u64 = 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_with_and_without_colons() {
        let read = |text: &str| octets("option 43", text).ok();
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(read("0103ff"), Some(vec![1, 3, 255]));
        assert_eq!(read("1:3:ff:0A"), Some(vec![1, 3, 255, 10]));
        assert_eq!(read("http://a"), Some(b"http://a".to_vec()));
        for bad in [
            "010",
            "0g",
            "1::2",
            ":",
            "+1",
            "1:+2",
            "0x01",
            "1:234",
            "\u{e9}\u{e9}",
            "$(id)",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
