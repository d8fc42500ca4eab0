//! What a transferred file is, by the name that TR-069 or this device gives it.

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A signed image, for the installer.
    Firmware,
    /// A script.
    Script,
    /// A certificate with its private key.
    HostCertificate,
    /// Certificates by which others are judged.
    TrustAnchors,
    /// The local log.
    Log,
}

impl Kind {
    /// Of a Download or ScheduleDownload; None: such files are not taken here.
    #[must_use]
    pub fn downloaded(file_type: &str) -> Option<Self> {
        Some(match file_type {
            "1 Firmware Upgrade Image" => Self::Firmware,
            "3 Vendor Configuration File" => Self::Script,
            "X 0090F8 Certificate" => Self::HostCertificate,
            "X 0090F8 TrustAnchors" => Self::TrustAnchors,
            _ => return None,
        })
    }

    /// Of an Upload; None: there is no such file here. There is one of each
    /// kind, so its instance number is 1.
    #[must_use]
    pub fn uploaded(file_type: &str) -> Option<Self> {
        Some(match file_type {
            "1 Vendor Configuration File"
            | "3 Vendor Configuration File"
            | "3 Vendor Configuration File 1" => Self::Script,
            "2 Vendor Log File" | "4 Vendor Log File" | "4 Vendor Log File 1" => Self::Log,
            _ => return None,
        })
    }

    /// Whether whoever reads or changes it on its way here could do harm with
    /// it. What is sent holds no secret.
    #[must_use]
    pub fn needs_tls(self) -> bool {
        match self {
            // A script does all that an administrator may, and may hold secrets.
            Self::HostCertificate | Self::TrustAnchors | Self::Script => true,
            // An image is signed.
            Self::Firmware | Self::Log => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_types_are_those_of_the_standard_and_two_of_our_own() {
        assert_eq!(
            Kind::downloaded("3 Vendor Configuration File"),
            Some(Kind::Script)
        );
        assert_eq!(
            Kind::downloaded("X 0090F8 TrustAnchors"),
            Some(Kind::TrustAnchors)
        );
        assert_eq!(Kind::downloaded("2 Web Content"), None);
        assert_eq!(Kind::uploaded("4 Vendor Log File 1"), Some(Kind::Log));
        assert_eq!(Kind::uploaded("4 Vendor Log File 2"), None);
        assert_eq!(Kind::uploaded("1 Firmware Upgrade Image"), None);
    }

    #[test]
    fn only_what_is_signed_itself_comes_without_tls() {
        assert!(Kind::Script.needs_tls());
        assert!(Kind::HostCertificate.needs_tls());
        assert!(Kind::TrustAnchors.needs_tls());
        assert!(!Kind::Firmware.needs_tls());
    }
}
