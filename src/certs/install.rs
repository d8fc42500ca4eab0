//! Putting a certificate file into the tree, and taking it out.
//!
//! For the operations, the transfers and the profile. A file is read here
//! first, so that a bad one is refused with its reason before any commit; the
//! guards say the same to those who write the columns themselves. Nothing is
//! committed here.

use std::fmt;

use openssl::sha::sha256;
use thiserror::Error;

use super::bundle::{BundleError, HostBundle, OthersBundle};
use super::certificate::Certificate;
use super::file_name::{BadFileName, FileName};
use super::service::{Service, Services};
use crate::schema::cert::{
    host_certificate_association as association, host_certificate_material as host,
    others_certificates_material as others,
};
use crate::schema::{ColumnId, Index, Name, TableId};
use crate::tree::{Transaction, Value};

/// The two kinds of certificate file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Store {
    /// A certificate with its private key.
    Host,
    /// Certificates by which others are judged.
    Others,
}

impl Store {
    /// The table of the files; its rows are what is installed.
    #[must_use]
    pub fn table(self) -> TableId {
        match self {
            Self::Host => host::TABLE,
            Self::Others => others::TABLE,
        }
    }

    fn content(self) -> ColumnId {
        match self {
            Self::Host => host::PEM.id(),
            Self::Others => others::PEM.id(),
        }
    }

    /// The certificates of a file, its most important one first.
    ///
    /// # Errors
    /// What [`HostBundle::read`] and [`OthersBundle::read`] refuse.
    pub fn certificates(self, file: &[u8]) -> Result<Vec<Certificate>, BundleError> {
        Ok(match self {
            Self::Host => HostBundle::read(file)?.chain().to_vec(),
            Self::Others => OthersBundle::read(file)?.certificates().to_vec(),
        })
    }
}

/// As arguments and scripts write it.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Others => "other",
        })
    }
}

/// The services that the association table has a column for.
const BINDABLE: [(&str, Service, ColumnId); 3] = [
    ("Sip", Service::Sip, association::SIP.id()),
    ("Cert", Service::Cert, association::CERT.id()),
    ("Cwmp", Service::Cwmp, association::CWMP.id()),
];

/// Reads a list of services, separated by commas; `None` where it is empty.
///
/// # Errors
/// [`UnknownService`] names the one that cannot be bound.
pub(super) fn parse_services(text: &str) -> Result<Option<Services>, UnknownService> {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let services: Vec<Service> = words.map(service).collect::<Result<_, _>>()?;
    Ok((!services.is_empty()).then(|| Services::from_iter(services)))
}

fn service(word: &str) -> Result<Service, UnknownService> {
    let found = BINDABLE
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(word));
    found
        .map(|(_, service, _)| *service)
        .ok_or_else(|| UnknownService(word.chars().take(MAX_WORD).collect()))
}

/// A host certificate cannot be bound to this.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no service that a host certificate can be bound to; there are Sip and Cert")]
pub struct UnknownService(String);

/// Where a file goes, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the two kinds it is.
    pub store: Store,
    /// Its name there.
    pub file: FileName,
    /// The services that may use a host certificate; `None` leaves it as it is.
    pub services: Option<Services>,
}

impl Place {
    /// Adds what installs `content` here; a file of this name is replaced.
    ///
    /// # Errors
    /// [`BundleError`] where the content cannot be read.
    pub fn install(&self, txn: &mut Transaction, content: &[u8]) -> Result<(), BundleError> {
        self.store.certificates(content)?;
        let index = self.file.index();
        assign(txn, self.store.content(), &index, Value::octets(content));
        if let (Store::Host, Some(services)) = (self.store, self.services) {
            for (_, service, column) in BINDABLE {
                let bound = Value::from(services.contains(service));
                assign(txn, column, &index, bound);
            }
        }
        Ok(())
    }

    /// Adds what takes the file of this name out.
    pub fn delete(&self, txn: &mut Transaction) {
        txn.delete(self.store.table(), self.file.index());
    }
}

fn assign(txn: &mut Transaction, column: ColumnId, index: &Index, value: Value) {
    let index = index.clone();
    txn.assign(Name { column, index }, value);
}

/// Adds what installs the authorities of a profile: files by their names.
///
/// # Errors
/// [`BadAnchor`] names the first file that cannot be installed; the
/// transaction is then of no use.
pub fn install_anchors(
    txn: &mut Transaction,
    files: &[(String, Vec<u8>)],
) -> Result<(), BadAnchor> {
    for (file, content) in files {
        let bad = |why: BadAnchorReason| BadAnchor {
            file: file.clone(),
            why,
        };
        let name = FileName::parse(file).map_err(|error| bad(error.into()))?;
        let place = Place {
            store: Store::Others,
            file: name,
            services: None,
        };
        place
            .install(txn, content)
            .map_err(|error| bad(error.into()))?;
    }
    Ok(())
}

/// An authority of a profile that cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: {why}")]
pub struct BadAnchor {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub why: BadAnchorReason,
}

/// What is wrong with an authority of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadAnchorReason {
    /// Its name.
    #[error(transparent)]
    Name(#[from] BadFileName),
    /// What is in it.
    #[error(transparent)]
    Content(#[from] BundleError),
}

/// A digest as hexadecimal digits.
#[must_use]
pub(super) fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The SHA-256 of a file.
#[must_use]
pub(super) fn digest(file: &[u8]) -> [u8; 32] {
    sha256(file)
}

/// Reads an expected SHA-256, 64 hexadecimal digits with or without colons; `None` where it is empty.
///
/// # Errors
/// [`BadDigest`] for anything else.
pub(super) fn parse_digest(text: &str) -> Result<Option<[u8; 32]>, BadDigest> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':' && !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or(BadDigest)?;
    if digits.is_empty() {
        return Ok(None);
    }
    let pairs = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    let octets: Vec<u8> = pairs.collect();
    match (digits.len(), octets.try_into()) {
        (64, Ok(digest)) => Ok(Some(digest)),
        _ => Err(BadDigest),
    }
}

/// Not the text of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a SHA-256 digest has 64 hexadecimal digits")]
pub struct BadDigest;

/// Characters shown of a word that is not known.
const MAX_WORD: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::guards::guards;
    use super::super::testing::{Authority, Leaf};
    use super::*;
    use crate::tree::{Actor, Backing, Tree};

    fn tree() -> Tree {
        let (tree, _) = Tree::open(Backing::Memory, guards(), vec![]).expect("memory");
        tree
    }

    fn place(name: &str, services: Option<Services>) -> Place {
        Place {
            store: Store::Host,
            file: FileName::parse(name).expect("a name"),
            services,
        }
    }

    fn install(tree: &Tree, place: &Place, content: &str) {
        let mut txn = Transaction::new(Actor::local());
        place.install(&mut txn, content.as_bytes()).expect("good");
        tree.commit_and_wait(txn, 0).expect("granted");
    }

    fn bound(tree: &Tree) -> [Option<Value>; 2] {
        let snapshot = tree.snapshot();
        let index = Index::text("a.pem");
        [association::SIP.id(), association::CERT.id()]
            .map(|column| snapshot.cell(column, &index).cloned())
    }

    #[test]
    fn an_administrator_s_file_brings_its_rows_and_goes_by_the_delete_command() {
        let tree = tree();
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let file = leaf.pem() + &leaf.key_pem();
        install(&tree, &place("a.pem", None), &file);
        assert_eq!(bound(&tree), [Some(true.into()), Some(true.into())]);
        let mut txn = Transaction::new(Actor::local());
        let delete = Name::parse("Cert.HostCertificatesInfo[FileName=a.pem].Delete");
        txn.assign(delete.expect("a name"), Value::Integer(10));
        tree.commit_and_wait(txn, 0).expect("deleted");
        assert!(tree.snapshot().rows(host::TABLE).is_empty());
        assert_eq!(bound(&tree), [None, None]);
    }

    #[test]
    fn a_file_that_is_replaced_keeps_its_services_unless_they_are_named() {
        let tree = tree();
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let file = leaf.pem() + &leaf.key_pem();
        let sip = parse_services(" sip ").expect("known");
        install(&tree, &place("a.pem", sip), &file);
        assert_eq!(bound(&tree), [Some(true.into()), Some(false.into())]);
        install(&tree, &place("a.pem", None), &file);
        assert_eq!(bound(&tree), [Some(true.into()), Some(false.into())]);
        let cert = parse_services("Cert").expect("known");
        install(&tree, &place("a.pem", cert), &file);
        assert_eq!(bound(&tree), [Some(false.into()), Some(true.into())]);
    }

    #[test]
    fn services_are_named_as_the_association_table_names_them() {
        assert_eq!(parse_services(" , "), Ok(None));
        let both = parse_services("SIP,Cert").expect("known").expect("some");
        assert!(both.contains(Service::Sip) && both.contains(Service::Cert));
        assert_eq!(
            parse_services("Sip,Mail").map_err(|error| error.to_string()),
            Err(
                "\"Mail\" is no service that a host certificate can be bound to; there are Sip and Cert"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_digest_is_read_with_and_without_colons() {
        let wanted = digest(b"x");
        let plain = hex(&wanted);
        let octets: Vec<String> = wanted.iter().map(|octet| format!("{octet:02X}")).collect();
        assert_eq!(parse_digest(&plain), Ok(Some(wanted)));
        assert_eq!(parse_digest(&octets.join(":")), Ok(Some(wanted)));
        assert_eq!(parse_digest(""), Ok(None));
        for bad in [&plain[1..], "xyz", &(plain.clone() + "00")] {
            assert_eq!(parse_digest(bad), Err(BadDigest), "{bad}");
        }
    }

    #[test]
    fn the_authorities_of_a_profile_are_installed_or_the_bad_one_is_named() {
        let tree = tree();
        let root = Authority::new("Root");
        let mut txn = Transaction::new(Actor::device());
        let good = ("root.pem".to_owned(), root.pem().into_bytes());
        install_anchors(&mut txn, std::slice::from_ref(&good)).expect("good");
        tree.commit_and_wait(txn, 0).expect("granted");
        assert_eq!(tree.snapshot().rows(others::TABLE).len(), 1);
        let bad = ("note.txt".to_owned(), b"hello".to_vec());
        let refused = install_anchors(&mut Transaction::new(Actor::device()), &[good, bad]);
        assert_eq!(
            refused.map_err(|error| error.to_string()),
            Err("note.txt: the file is neither PEM text nor a DER certificate".to_owned())
        );
    }
}
