//! The services that use TLS, as the certificate association names them.

/// A service that host certificates may be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// SIP signalling.
    Sip,
    /// Certificate transfers.
    Cert,
    /// The link to an auto-configuration server.
    Cwmp,
}

impl Service {
    /// The object that says how far a server's certificate is checked.
    #[must_use]
    pub fn validation_object(self) -> Option<&'static str> {
        match self {
            Self::Sip => Some("SipEp.InteropTlsCertificateValidation"),
            Self::Cwmp => Some("Cwmp.TransportCertificateValidation"),
            Self::Cert => None,
        }
    }

    /// The object that says whether revocation is asked for.
    #[must_use]
    pub fn trust_object(self) -> Option<&'static str> {
        match self {
            Self::Sip => Some("SipEp.TransportTlsCertificateTrustLevel"),
            Self::Cert | Self::Cwmp => None,
        }
    }

    /// The object that says which versions of TLS are negotiated.
    #[must_use]
    pub fn policy_object(self) -> Option<&'static str> {
        match self {
            Self::Sip => Some("SipEp.TlsPolicy"),
            Self::Cert | Self::Cwmp => None,
        }
    }

    /// The column of the certificate association table.
    #[must_use]
    pub fn association_object(self) -> &'static str {
        match self {
            Self::Sip => "Cert.HostCertificateAssociation.Sip",
            Self::Cert => "Cert.HostCertificateAssociation.Cert",
            Self::Cwmp => "Cert.HostCertificateAssociation.Cwmp",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Services(u8);

impl Services {
    /// Every service: what a newly installed certificate is bound to.
    pub const ALL: Self = Self(u8::MAX);

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
    use crate::schema::Name;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let some = Services::from_iter([Service::Sip]);
        assert!(some.contains(Service::Sip) && !some.contains(Service::Cert));
        assert!(!Services::default().contains(Service::Sip));
        assert!(Services::ALL.contains(Service::Cert));
    }

    #[test]
    fn every_object_that_a_sentence_names_exists() {
        for service in [Service::Sip, Service::Cert, Service::Cwmp] {
            let scalars = [
                service.validation_object(),
                service.trust_object(),
                service.policy_object(),
            ];
            for object in scalars.into_iter().flatten() {
                assert!(Name::parse(object).is_ok(), "{object}");
            }
            let column = service.association_object();
            let name = column.replace("Association.", "Association[FileName=a].");
            assert!(Name::parse(&name).is_ok(), "{name}");
        }
    }
}
