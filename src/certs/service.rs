//! The services that use TLS, as the certificate association names them.

/// A service that host certificates may be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// SIP signalling.
    Sip,
    /// The web page.
    Web,
    /// Scripts and images.
    Conf,
    /// Firmware.
    Fpu,
    /// File transfers.
    File,
    /// Certificate transfers.
    Cert,
    /// The link to the TR-069 server.
    Cwmp,
    /// Syslog and packet capture.
    Nlm,
}

impl Service {
    /// The object that says how far a server's certificate is checked.
    #[must_use]
    pub fn validation_object(self) -> Option<&'static str> {
        match self {
            Self::Sip => Some("SipEp.InteropTlsCertificateValidation"),
            Self::Conf => Some("Conf.ScriptsTransferCertificateValidation"),
            Self::Fpu => Some("Fpu.MfpTransferCertificateValidation"),
            Self::Cwmp => Some("Cwmp.TransportCertificateValidation"),
            Self::Nlm => Some("Nlm.PCaptureTransferCertificateValidation"),
            Self::Web | Self::File | Self::Cert => None,
        }
    }

    /// The lower level that stops short of the server's name.
    pub(super) fn nameless_level(self) -> &'static str {
        match self {
            Self::Sip => "trustedCertificate",
            _ => "noValidation",
        }
    }

    /// The column of the certificate association table.
    #[must_use]
    pub fn association_object(self) -> &'static str {
        match self {
            Self::Sip => "Cert.HostCertificateAssociation.Sip",
            Self::Web => "Cert.HostCertificateAssociation.Web",
            Self::Conf => "Cert.HostCertificateAssociation.Conf",
            Self::Fpu => "Cert.HostCertificateAssociation.Fpu",
            Self::File => "Cert.HostCertificateAssociation.File",
            Self::Cert => "Cert.HostCertificateAssociation.Cert",
            Self::Cwmp => "Cert.HostCertificateAssociation.Cwmp",
            Self::Nlm => "Cert.HostCertificateAssociation.Nlm",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Services(u16);

impl Services {
    /// Every service: what a newly installed certificate is bound to.
    pub const ALL: Self = Self(u16::MAX);

    /// Whether `service` is one of them.
    #[must_use]
    pub fn contains(self, service: Service) -> bool {
        self.0 & service.bit() != 0
    }
}

impl FromIterator<Service> for Services {
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Self {
        Self(services.into_iter().fold(0, |set, one| set | one.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let some = Services::from_iter([Service::Sip, Service::Nlm]);
        assert!(some.contains(Service::Sip) && some.contains(Service::Nlm));
        assert!(!some.contains(Service::Web) && !Services::default().contains(Service::Sip));
        assert!(Services::ALL.contains(Service::Fpu));
    }
}
