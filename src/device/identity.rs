//! Which unit this is: serial number, MAC address, product.
//!
//! Made at first boot as `identity.toml`, which an installer may edit before
//! it; never part of the configuration, so that a reset or a copied
//! configuration does not change it.

use super::DeviceError;
use openssl::rand::rand_bytes;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The unit's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Serial number.
    pub serial: String,
    /// MAC address, twelve hexadecimal digits.
    pub mac: String,
    /// The maker's OUI, six hexadecimal digits.
    pub oui: String,
    /// Product name.
    pub product: String,
    /// Hardware revision.
    pub hardware_revision: String,
    /// Number of telephone ports.
    pub ports: u32,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            serial: String::new(),
            mac: String::new(),
            // The OUI of the units whose names and OIDs the DGW modules keep.
            oui: "0090F8".to_owned(),
            product: "Demarc".to_owned(),
            hardware_revision: "A".to_owned(),
            ports: 2,
        }
    }
}

/// The most ports that one unit may have.
const MOST_PORTS: u32 = 96;

impl Identity {
    /// Reads `identity.toml`, or makes it with a random serial number.
    pub fn open(folder: &Path) -> Result<Self, DeviceError> {
        let path = folder.join("identity.toml");
        let mut identity = match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| DeviceError::identity(&path, error.message()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(DeviceError::io(&path, &error)),
        };
        if identity.ports > MOST_PORTS {
            let why = format!("ports must be at most {MOST_PORTS}");
            return Err(DeviceError::identity(&path, why));
        }
        identity
            .check()
            .map_err(|why| DeviceError::identity(&path, why))?;
        if identity.complete()? {
            let text = toml::to_string(&identity)
                .map_err(|error| DeviceError::identity(&path, error.to_string()))?;
            super::files::write_durably(&path, text.as_bytes())?;
        }
        Ok(identity)
    }

    /// What an installer wrote, by its grammar.
    fn check(&self) -> Result<(), &'static str> {
        let digits = |text: &str, count| {
            text.len() == count && text.bytes().all(|octet| octet.is_ascii_hexdigit())
        };
        match (&self.mac, &self.oui) {
            (mac, _) if !mac.is_empty() && !digits(mac, 12) => {
                Err("mac must be twelve hexadecimal digits")
            }
            (_, oui) if !digits(oui, 6) => Err("oui must be six hexadecimal digits"),
            _ => Ok(()),
        }
    }

    /// Fills what is empty; true when anything was.
    fn complete(&mut self) -> Result<bool, DeviceError> {
        let mut random = [0; 8];
        rand_bytes(&mut random).map_err(|_| DeviceError::NoRandomness)?;
        let mut changed = false;
        if self.mac.is_empty() {
            // A locally administered address: bit 1 of the first octet (IEEE 802).
            self.mac = format!(
                "02{:02x}{:02x}{:02x}{:02x}{:02x}",
                random[0], random[1], random[2], random[3], random[4]
            );
            changed = true;
        }
        if self.serial.is_empty() {
            self.serial = format!("DM{}", &self.mac[4..].to_uppercase());
            changed = true;
        }
        Ok(changed)
    }

    /// `Port01`, `Port02`, ...
    pub fn endpoints(&self) -> Vec<String> {
        (1..=self.ports)
            .map(|port| format!("Port{port:02}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_address_and_an_oui_are_hexadecimal_digits() {
        let with = |mac: &str, oui: &str| Identity {
            mac: mac.to_owned(),
            oui: oui.to_owned(),
            ..Identity::default()
        };
        assert_eq!(with("", "0090F8").check(), Ok(()));
        assert_eq!(with("02aabbccddee", "0090F8").check(), Ok(()));
        for (mac, oui) in [("ab", "0090F8"), ("02aabbccddé", "0090F8"), ("", "")] {
            assert!(with(mac, oui).check().is_err(), "{mac} {oui}");
        }
    }
}
