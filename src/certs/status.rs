//! What the certificates show and say: Cert's live columns, and the notices.
//!
//! The info tables' columns stand beside the stored rows, the details are rows
//! of their own. Nothing is decided here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::certificate::{AlternativeName, Certificate};
use super::date::utc;
use super::expiry::days_left;
use super::install::{Store, hex};
use super::keeper::{Change, Listed};
use super::ledger::Progress;
use super::time::TlsTime;
use crate::schema::cert::{
    self, certificate_detail as detail, host_certificates_info as host,
    others_certificates_info as others, transfer,
};
use crate::schema::{Enumerated, Index};
use crate::tree::messages::{
    CERTIFICATE_DELETED, CERTIFICATE_INSTALLED, CERTIFICATE_REFUSED, HOST_CERTIFICATE_LACKING,
    NO_AUTHORITY_LEFT,
};
use crate::tree::notice::Notice;
use crate::tree::{Publication, Value};
use crate::wire::time::UnixTime;

/// Everything that is shown, as of some moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The installed files.
    pub files: Vec<Arc<Listed>>,
    /// Where each row of the transfer table stands.
    pub transfers: BTreeMap<u32, Progress>,
    /// Until when transfers may go without TLS.
    pub unsecure_until: Option<UnixTime>,
    /// When the states of the certificates were looked at.
    pub time: TlsTime,
}

impl Status {
    /// Shows it in Cert's live columns.
    pub fn publish(&self, live: &mut Publication<'_>) {
        for table in [host::TABLE, others::TABLE, detail::TABLE, transfer::TABLE] {
            live.clear(table);
        }
        for file in &self.files {
            self.publish_file(live, file);
        }
        for (index, progress) in &self.transfers {
            let index = Index::number(*index);
            live.set(transfer::STATE, &index, progress.state);
            live.set(
                transfer::REASON,
                &index,
                cut(&progress.reason, LONGEST_TEXT),
            );
            live.set(transfer::FINISHED, &index, text(progress.finished));
        }
        live.scalar(cert::UNSECURE_TRANSFER_UNTIL, text(self.unsecure_until));
        live.scalar(cert::NEED_RESTART_INFO, cert::NeedRestartInfo::No);
    }

    fn publish_file(&self, live: &mut Publication<'_>, file: &Listed) {
        let certificates = match &file.certificates {
            Ok(certificates) => certificates.as_slice(),
            Err(_) => {
                let row = detail_row(file, 1);
                return live.set(detail::STATE, &row, "not readable");
            }
        };
        if let Some(first) = certificates.first() {
            match file.store {
                Store::Host => publish_host(live, &file.index, first),
                Store::Others => publish_others(live, &file.index, first),
            }
        }
        for (position, certificate) in (1..).zip(certificates) {
            self.publish_detail(live, &detail_row(file, position), certificate);
        }
    }

    fn publish_detail(&self, live: &mut Publication<'_>, row: &Index, certificate: &Certificate) {
        let names = certificate.alternative_names.iter().flatten();
        let names: Vec<String> = names.map(kind_and_name).collect();
        live.set(detail::SHA256, row, hex(&certificate.fingerprint));
        live.set(detail::SERIAL_NUMBER, row, cut(&certificate.serial, 64));
        live.set(detail::KEY_TYPE, row, certificate.key.to_string());
        let names = names.join(", ");
        live.set(detail::SUBJECT_ALT_NAMES, row, cut(&names, LONGEST_TEXT));
        let (state, days) = match self.time {
            TlsTime::Known(now) => {
                let days = days_left(certificate, now);
                let days =
                    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX });
                (certificate.state(now).to_string(), days)
            }
            TlsTime::Floor(_) => ("time not known".to_owned(), 0),
        };
        live.set(detail::STATE, row, state);
        live.set(detail::DAYS_LEFT, row, days);
    }
}

fn publish_host(live: &mut Publication<'_>, index: &Index, leaf: &Certificate) {
    live.set(
        host::ISSUED_TO,
        index,
        cut(&leaf.subject.whole, LONGEST_TEXT),
    );
    live.set(
        host::ISSUED_BY,
        index,
        cut(&leaf.issuer.whole, LONGEST_TEXT),
    );
    live.set(host::VALID_FROM, index, utc(leaf.not_before).to_string());
    live.set(host::VALID_TO, index, utc(leaf.not_after).to_string());
    live.set(host::USAGE, index, leaf.usage.to_string());
}

fn publish_others(live: &mut Publication<'_>, index: &Index, first: &Certificate) {
    live.set(
        others::ISSUED_TO,
        index,
        cut(&first.subject.whole, LONGEST_TEXT),
    );
    live.set(
        others::ISSUED_BY,
        index,
        cut(&first.issuer.whole, LONGEST_TEXT),
    );
    live.set(others::VALID_FROM, index, utc(first.not_before).to_string());
    live.set(others::VALID_TO, index, utc(first.not_after).to_string());
    live.set(others::USAGE, index, first.usage.to_string());
    let authority = match first.authority {
        true => others::CertificateAuthority::Yes,
        false => others::CertificateAuthority::No,
    };
    live.set(others::CERTIFICATE_AUTHORITY, index, authority);
}

impl Change {
    /// What there is to log of it.
    pub(super) fn notice(&self) -> Notice {
        match self {
            Self::Installed(file) => match &file.certificates {
                Ok(certificates) => {
                    let first = certificates.first();
                    let digest = first.map(|one| hex(&one.fingerprint)).unwrap_or_default();
                    CERTIFICATE_INSTALLED.with([&file.index.name(), &digest])
                }
                Err(why) => CERTIFICATE_REFUSED.with([&file.index.name(), why]),
            },
            Self::Deleted(index) => CERTIFICATE_DELETED.with([&index.name()]),
            Self::Lacking(lacking) => {
                let service = format!("{:?}", lacking.service);
                HOST_CERTIFICATE_LACKING.with([&service, &lacking.purpose, &lacking.why])
            }
            Self::NobodyTrusted => NO_AUTHORITY_LEFT.with([]),
        }
    }
}

/// The key of a certificate in a file.
fn detail_row(file: &Listed, position: u32) -> Index {
    let store = match file.store {
        Store::Host => detail::Store::Host,
        Store::Others => detail::Store::Others,
    };
    let name: Option<Vec<u8>> = file.index.arcs().get(1..).map(|arcs| {
        let octets = arcs.iter().filter_map(|arc| u8::try_from(*arc).ok());
        octets.collect()
    });
    let values = [
        Value::Integer(store.number()),
        Value::octets(name.unwrap_or_default()),
        Value::Unsigned(position),
    ];
    Index::of(detail::TABLE.get(), &values)
        .expect("a stored file name fits the same index of another table")
}

/// As `openssl x509 -text` writes it.
fn kind_and_name(name: &AlternativeName) -> String {
    match name {
        AlternativeName::Dns(dns) => format!("DNS:{dns}"),
        AlternativeName::Uri(uri) => format!("URI:{uri}"),
        AlternativeName::Address(address) => format!("IP:{address}"),
        AlternativeName::Other => "other".to_owned(),
    }
}

fn text(time: Option<UnixTime>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Octets of a text column.
const LONGEST_TEXT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf, NOW, YEAR};
    use super::*;
    use crate::schema::Name;
    use crate::tree::Tree;

    fn shown(tree: &Tree, name: &str) -> String {
        let name = Name::parse(name).expect("a name");
        let value = tree.instances().read(&name);
        value.map_or("-".to_owned(), |value| {
            value.display(&name.column.get().syntax)
        })
    }

    fn status(time: TlsTime) -> Status {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("leaf").dns("a.example.com").ip("192.0.2.1"));
        let listed = Listed {
            store: Store::Host,
            index: Index::text("a.pem"),
            certificates: Ok(vec![leaf.certificate().clone(), root.certificate().clone()]),
        };
        Status {
            files: vec![Arc::new(listed)],
            transfers: BTreeMap::new(),
            unsecure_until: None,
            time,
        }
    }

    #[test]
    fn every_certificate_of_a_file_has_a_row_of_details() {
        let tree = Tree::in_memory();
        let status = status(TlsTime::Known(NOW + YEAR - 10 * 86_400));
        tree.live().publish(|live| status.publish(live));
        let detail = |position: u32, column: &str| {
            let row = "Cert.CertificateDetail[Store=host,FileName=a.pem";
            shown(&tree, &format!("{row},Position={position}].{column}"))
        };
        assert_eq!(
            detail(1, "SubjectAltNames"),
            "DNS:a.example.com, IP:192.0.2.1"
        );
        assert_eq!(detail(1, "KeyType"), "EC P-256");
        assert_eq!(detail(2, "State"), "expiring soon");
        assert_eq!(detail(2, "DaysLeft"), "10");
        assert_eq!(detail(3, "State"), "-");
    }

    #[test]
    fn while_the_time_is_not_known_no_state_is_claimed() {
        let tree = Tree::in_memory();
        let status = status(TlsTime::Floor(NOW));
        tree.live().publish(|live| status.publish(live));
        let state = "Cert.CertificateDetail[Store=host,FileName=a.pem,Position=1].State";
        assert_eq!(shown(&tree, state), "time not known");
    }

    #[test]
    fn what_is_no_longer_there_is_no_longer_shown() {
        let tree = Tree::in_memory();
        let mut status = status(TlsTime::Known(NOW));
        tree.live().publish(|live| status.publish(live));
        status.files.clear();
        tree.live().publish(|live| status.publish(live));
        let state = "Cert.CertificateDetail[Store=host,FileName=a.pem,Position=1].State";
        assert_eq!(shown(&tree, state), "-");
    }
}
