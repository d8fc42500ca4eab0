//! What the certificates are told: the files, who may use them, the transfers.
//!
//! Plain data out of Cert's columns, read as a whole; what a file means is the
//! keeper's affair.

use std::collections::BTreeMap;

use super::install::Store;
use super::ocsp::Responder;
use super::service::{Service, Services};
use super::transfer::Wish;
use crate::schema::cert::{self, TransferHttpsCipherSuite, TransferHttpsTlsVersion, transfer};
use crate::schema::{ColumnId, Index, Secret};
use crate::tree::{Configured, Snapshot, View};
use crate::view;

view! {
    /// The content of a host certificate file.
    pub(super) struct HostFile: cert::host_certificate_material {
        /// Key and certificates, PEM.
        content: Secret = PEM,
    }
}

view! {
    /// The content of a file with certificates of others.
    pub(super) struct OthersFile: cert::others_certificates_material {
        /// Certificates, PEM or DER.
        content: Secret = PEM,
    }
}

view! {
    /// Who may use a host certificate.
    pub(super) struct Association: cert::host_certificate_association {
        /// SIP over TLS.
        sip: bool = SIP,
        /// Transfers of certificates.
        cert: bool = CERT,
        /// The link to an ACS.
        cwmp: bool = CWMP,
    }
}

view! {
    /// Whom to ask for what the authorities of a file issued.
    pub(super) struct AuthorityRow: cert::certificate_authorities {
        /// "" is whoever each certificate names.
        responder: String = OVERRIDE_ISSUED_CERTIFICATE_OCSP_URL,
    }
}

view! {
    /// A file to be fetched.
    pub(super) struct TransferRow: cert::transfer {
        /// The key.
        index: u32 = INDEX,
        /// With its macros.
        url: String = URL,
        /// What the file is.
        kind: transfer::Type = TYPE,
        /// "" is the last part of the URL.
        file: String = FILE_NAME,
        /// "" is not checked.
        sha256: String = EXPECTED_SHA256,
        /// Services, separated by commas.
        associate: String = ASSOCIATE,
    }
}

view! {
    /// TLS for transfers.
    pub struct TransferTls: cert {
        /// Acts as cS3.
        cipher_suite: TransferHttpsCipherSuite = TRANSFER_HTTPS_CIPHER_SUITE,
        /// Acts as tLSv1-2.
        version: TransferHttpsTlsVersion = TRANSFER_HTTPS_TLS_VERSION,
    }
}

/// All of it as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Installed files by kind and name.
    pub files: BTreeMap<(Store, Index), FileSetting>,
    /// Files to be fetched, by the index of their rows.
    pub transfers: BTreeMap<u32, Wish>,
    /// TLS for transfers.
    pub tls: TransferTls,
}

/// An installed file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileSetting {
    /// What is in it.
    pub content: Secret,
    /// Who may use it; only for host certificates.
    pub services: Services,
    /// Whom to ask for what its authorities issued; only for other certificates.
    pub responder: Option<Responder>,
}

/// A stored value that acts as a safer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raised {
    /// The object.
    pub(super) object: &'static str,
    /// What it is set to.
    pub(super) value: &'static str,
    /// What it acts as.
    pub(super) safe: &'static str,
}

impl TransferTls {
    /// What of it acts as something safer.
    pub(super) fn raised(&self) -> Vec<Raised> {
        let suite = match self.cipher_suite {
            TransferHttpsCipherSuite::CS1 => Some("cS1"),
            TransferHttpsCipherSuite::CS2 => Some("cS2"),
            TransferHttpsCipherSuite::CS3 => None,
        };
        let version = match self.version {
            TransferHttpsTlsVersion::SSLv3 => Some("sSLv3"),
            TransferHttpsTlsVersion::TLSv1 => Some("tLSv1"),
            TransferHttpsTlsVersion::TLSv1_1 => Some("tLSv1-1"),
            TransferHttpsTlsVersion::TLSv1_2 => None,
        };
        let suite = suite.map(|value| Raised {
            object: "Cert.TransferHttpsCipherSuite",
            value,
            safe: "cS3",
        });
        let version = version.map(|value| Raised {
            object: "Cert.TransferHttpsTlsVersion",
            value,
            safe: "tLSv1-2",
        });
        suite.into_iter().chain(version).collect()
    }
}

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        let commands = [
            cert::UNSECURE_TRANSFER_ACTIVATE.id(),
            transfer::START.id(),
            transfer::DELETE.id(),
            cert::host_certificates_info::DELETE.id(),
            cert::others_certificates_info::DELETE.id(),
        ];
        [
            HostFile::COLUMNS,
            OthersFile::COLUMNS,
            Association::COLUMNS,
            AuthorityRow::COLUMNS,
            TransferRow::COLUMNS,
            TransferTls::COLUMNS,
            &commands,
        ]
        .concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        let hosts = snapshot.view::<HostFile>().into_iter();
        let hosts = hosts.map(|(index, file)| {
            let services = services(snapshot.read(&index));
            let setting = FileSetting {
                content: file.content,
                services,
                responder: None,
            };
            ((Store::Host, index), setting)
        });
        let others = snapshot.view::<OthersFile>().into_iter();
        let others = others.map(|(index, file)| {
            let authority: Option<AuthorityRow> = snapshot.read(&index);
            let responder = authority.and_then(|row| Responder::parse(&row.responder).ok());
            let setting = FileSetting {
                content: file.content,
                services: Services::default(),
                responder,
            };
            ((Store::Others, index), setting)
        });
        let transfers = snapshot.view::<TransferRow>().into_iter();
        Self {
            files: hosts.chain(others).collect(),
            transfers: transfers.map(|(_, row)| (row.index, row.into())).collect(),
            tls: snapshot.scalars(),
        }
    }
}

fn services(association: Option<Association>) -> Services {
    let Some(association) = association else {
        return Services::default();
    };
    let sip = association.sip.then_some(Service::Sip);
    let cert = association.cert.then_some(Service::Cert);
    let cwmp = association.cwmp.then_some(Service::Cwmp);
    sip.into_iter().chain(cert).chain(cwmp).collect()
}

impl From<TransferRow> for Wish {
    fn from(row: TransferRow) -> Self {
        Self {
            url: row.url,
            store: match row.kind {
                transfer::Type::Host => Store::Host,
                transfer::Type::Other => Store::Others,
            },
            file: row.file,
            sha256: row.sha256,
            associate: row.associate,
        }
    }
}
