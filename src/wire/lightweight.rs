//! Lightweight notifications over UDP (TR-069 annex M).
//!
//! A message of HTTP's shape in one datagram: values that have changed, who
//! says so, and a signature with the password towards the ACS. Nothing
//! answers it. The schema is cwmp-UDPLightweightNotification-1-0.xsd.

use super::soap::message::{DeviceIdStruct, ParameterValue};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use quick_xml::escape::escape;
use std::fmt::Write;

/// What a datagram says.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// Seconds since 1970.
    pub time: u64,
    /// ManagementServer.Username.
    pub username: &'a str,
    /// Different in each.
    pub nonce: u64,
    /// Who the unit is.
    pub device: &'a DeviceIdStruct,
    /// At least one.
    pub parameters: &'a [ParameterValue],
}

impl Notification<'_> {
    /// The datagram for `host`, signed with `password`.
    ///
    /// # Errors
    /// Those of the library that signs.
    pub fn print(&self, host: &str, password: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let body = self.body();
        let mut signature = String::new();
        for octet in hmac_sha1(password, body.as_bytes())? {
            let _ = write!(signature, "{octet:02X}");
        }
        let length = body.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml; charset=\"utf-8\"\r\n\
             Content-Length: {length}\r\nSignature: {signature}\r\n\r\n"
        );
        Ok((head + &body).into_bytes())
    }

    fn body(&self) -> String {
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Notification xmlns=\"{NAMESPACE}\">\n"
        );
        leaf(&mut out, "TS", &self.time.to_string());
        leaf(&mut out, "UN", self.username);
        leaf(&mut out, "CN", &format!("{:016X}", self.nonce));
        leaf(&mut out, "OUI", &self.device.oui);
        leaf(&mut out, "ProductClass", &self.device.product_class);
        leaf(&mut out, "SerialNumber", &self.device.serial_number);
        for parameter in self.parameters {
            out.push_str("<Param>\n");
            leaf(&mut out, "Name", &parameter.name);
            leaf(&mut out, "Value", &parameter.value);
            out.push_str("</Param>\n");
        }
        out + "</Notification>\n"
    }
}

fn leaf(out: &mut String, name: &str, text: &str) {
    // XML 1.0 §2.2 has no place for other control characters.
    let text = text.replace(|one: char| one < ' ' && !"\t\r\n".contains(one), "\u{fffd}");
    let _ = writeln!(out, "<{name}>{}</{name}>", escape(text));
}

/// RFC 2104 with SHA-1.
fn hmac_sha1(key: &[u8], text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    // A key is filled up with zeros, and the library takes none that is empty.
    let key = if key.is_empty() { &[0] } else { key };
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha1(), &key)?;
    signer.update(text)?;
    signer.sign_to_vec()
}

const NAMESPACE: &str = "urn:broadband-forum-org:cwmp:lwnotif-1-0";

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn the_signature_is_that_of_rfc_2202() {
        let mac = hmac_sha1(b"Jefe", b"what do ya want for nothing?").expect("signed");
        assert_eq!(hex(&mac), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        hmac_sha1(b"", b"a device without a password").expect("signed");
    }

    #[test]
    fn the_datagram_has_the_order_of_the_schema_and_no_raw_markup() {
        let device = DeviceIdStruct {
            manufacturer: "Demarc".into(),
            oui: "0090F8".into(),
            product_class: "Demarc".into(),
            serial_number: "S1".into(),
        };
        let value = ParameterValue {
            name: "Device.X".into(),
            value: "a<b>&\u{1}".into(),
            kind: None,
        };
        let notification = Notification {
            time: 5,
            username: "u",
            nonce: 255,
            device: &device,
            parameters: &[value],
        };
        let octets = notification
            .print("acs.example:7547", b"p")
            .expect("signed");
        let text = String::from_utf8(octets).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        let mac = hmac_sha1(b"p", body.as_bytes()).expect("signed");
        assert!(head.ends_with(&format!("Signature: {}", hex(&mac).to_uppercase())));
        let order = [
            "TS>5",
            "UN>u",
            "CN>00000000000000FF",
            "OUI>",
            "ProductClass>",
            "SerialNumber>",
            "Param>",
            "Name>Device.X",
            "Value>a&lt;b&gt;&amp;\u{fffd}<",
        ];
        let places: Vec<usize> = order
            .iter()
            .map(|part| {
                body.find(part)
                    .unwrap_or_else(|| panic!("no {part} in {body}"))
            })
            .collect();
        assert!(places.is_sorted(), "{body}");
    }
}
