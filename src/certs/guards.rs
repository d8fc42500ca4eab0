//! What may not enter the tree: files that cannot be read, transfers that
//! could never be done.
//!
//! By any face: a column that is written by SNMP is refused with the same
//! sentence as a file that is installed from the command line. Deleting is
//! never refused; what is missing afterwards is said in a notice.

use super::file_name::FileName;
use super::install::{Store, parse_digest, parse_services};
use super::ocsp::Responder;
use super::settings::{AuthorityRow, HostFile, OthersFile, TransferRow};
use super::url::{Unit, Url, UrlError};
use crate::schema::cert::{
    certificate_authorities, host_certificate_material, others_certificates_material, transfer,
};
use crate::schema::{ColumnId, Index};
use crate::tree::{Candidate, Guard, Refusal, View};

/// The guards of the certificates.
#[must_use]
pub fn guards() -> Vec<Guard> {
    vec![
        files_can_be_read,
        files_are_few,
        transfers_make_sense,
        responders_can_be_asked,
    ]
}

/// A file that is written must be what its table holds, under a sound name.
fn files_can_be_read(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let hosts = candidate.changes::<HostFile>().into_iter();
    let hosts = hosts.filter_map(|change| {
        let content = change.is?.content;
        unreadable(candidate, Store::Host, &change.row, content.expose())
    });
    let others = candidate.changes::<OthersFile>().into_iter();
    let others = others.filter_map(|change| {
        let content = change.is?.content;
        unreadable(candidate, Store::Others, &change.row, content.expose())
    });
    hosts.chain(others).collect()
}

fn unreadable(
    candidate: &Candidate<'_>,
    store: Store,
    index: &Index,
    content: &[u8],
) -> Option<Refusal> {
    if let Err(bad) = FileName::of_row(index) {
        return Some(candidate.refuse_row(store.table(), index, bad.to_string()));
    }
    let why = match content {
        [] => "the file is empty: delete its row instead".to_owned(),
        content => store.certificates(content).err()?.to_string(),
    };
    let column = match store {
        Store::Host => host_certificate_material::PEM.id(),
        Store::Others => others_certificates_material::PEM.id(),
    };
    Some(candidate.refuse(column, index, why))
}

/// The tables are bounded; a row beyond the bound is refused.
fn files_are_few(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let bounds = [
        (HostFile::TABLE, MAX_FILES, added::<HostFile>(candidate)),
        (OthersFile::TABLE, MAX_FILES, added::<OthersFile>(candidate)),
        (
            TransferRow::TABLE,
            MAX_TRANSFERS,
            added::<TransferRow>(candidate),
        ),
    ];
    let refusals = bounds.into_iter().filter_map(|(table, most, added)| {
        let index = added?;
        let full = candidate.after.rows(table).len() > most;
        full.then(|| candidate.refuse_row(table, &index, format!("there are {most} rows already")))
    });
    refusals.collect()
}

fn added<V: View>(candidate: &Candidate<'_>) -> Option<Index> {
    let rows = candidate.after.rows(V::TABLE).iter();
    let mut new = rows.filter(|(index, _)| candidate.before.row(V::TABLE, index).is_none());
    new.next().map(|(index, _)| index.clone())
}

/// Each column of a transfer is empty or means something.
fn transfers_make_sense(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let changes = candidate.changes::<TransferRow>().into_iter();
    let rows = changes.filter_map(|change| Some((change.row, change.is?)));
    rows.flat_map(|(index, row)| {
        let faults = faults(&row).into_iter();
        faults
            .map(|(column, why)| candidate.refuse(column, &index, why))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// A responder is an http URL, or nothing.
fn responders_can_be_asked(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let changes = candidate.changes::<AuthorityRow>().into_iter();
    let refusals = changes.filter_map(|change| {
        let responder = change.is?.responder;
        let bad = match responder.as_str() {
            "" => return None,
            text => Responder::parse(text).err()?,
        };
        let column = certificate_authorities::OVERRIDE_ISSUED_CERTIFICATE_OCSP_URL.id();
        Some(candidate.refuse(column, &change.row, bad.to_string()))
    });
    refusals.collect()
}

fn faults(row: &TransferRow) -> Vec<(ColumnId, String)> {
    let url = match Url::parse(&Unit::default().expand(&row.url)) {
        Ok(_) | Err(UrlError::Empty) => None,
        Err(bad) => Some(bad.to_string()),
    };
    let file = match row.file.as_str() {
        "" => None,
        name => FileName::parse(name).err().map(|bad| bad.to_string()),
    };
    let sha256 = parse_digest(&row.sha256).err();
    let associate = parse_services(&row.associate).err();
    [
        (transfer::URL.id(), url),
        (transfer::FILE_NAME.id(), file),
        (
            transfer::EXPECTED_SHA256.id(),
            sha256.map(|bad| bad.to_string()),
        ),
        (
            transfer::ASSOCIATE.id(),
            associate.map(|bad| bad.to_string()),
        ),
    ]
    .into_iter()
    .filter_map(|(column, why)| Some((column, why?)))
    .collect()
}

/// Files of each kind.
pub const MAX_FILES: usize = 256;
/// Rows of the transfer table.
pub const MAX_TRANSFERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf};
    use super::*;
    use crate::schema::Name;
    use crate::tree::{Actor, Backing, Face, Transaction, Tree, Value};

    fn tree() -> Tree {
        let (tree, _) = Tree::open(Backing::Memory, guards(), vec![]).expect("memory");
        tree
    }

    fn set(tree: &Tree, wishes: &[(&str, &str)]) -> Result<(), Vec<String>> {
        let mut txn = Transaction::new(Actor {
            face: Face::Snmp,
            ..Actor::local()
        });
        for (name, value) in wishes {
            txn.assign(Name::parse(name).expect("a name"), Value::from(*value));
        }
        tree.commit_and_wait(txn, 0)
            .map(|_| ())
            .map_err(|refusals| refusals.iter().map(ToString::to_string).collect())
    }

    const HOST: &str = "Cert.HostCertificateMaterial[FileName=a.pem].Pem";
    const OTHER: &str = "Cert.OthersCertificatesMaterial[FileName=ca.pem].Pem";

    #[test]
    fn a_manager_installs_and_replaces_a_file_by_writing_it() {
        let tree = tree();
        let root = Authority::new("Root");
        for name in ["one", "two"] {
            let leaf = root.issue(Leaf::new(name));
            assert_eq!(
                set(&tree, &[(HOST, &(leaf.pem() + &leaf.key_pem()))]),
                Ok(())
            );
        }
        assert_eq!(set(&tree, &[(OTHER, &root.pem())]), Ok(()));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused_with_its_reason() {
        let tree = tree();
        let root = Authority::new("Root");
        let (one, two) = (root.issue(Leaf::new("one")), root.issue(Leaf::new("two")));
        let refused = set(
            &tree,
            &[(HOST, &(one.pem() + &two.key_pem())), (OTHER, "x")],
        );
        assert_eq!(
            refused,
            Err(vec![
                format!("{HOST}: the private key belongs to none of the 1 certificates"),
                format!("{OTHER}: the file is neither PEM text nor a DER certificate"),
            ])
        );
        let refused = set(&tree, &[(OTHER, "")]);
        let why = format!("{OTHER}: the file is empty: delete its row instead");
        assert_eq!(refused, Err(vec![why]));
    }

    #[test]
    fn a_name_that_is_a_path_is_refused() {
        let tree = tree();
        let mut txn = Transaction::new(Actor::local());
        let name = Name {
            column: others_certificates_material::PEM.id(),
            index: Index::text("../ca.pem"),
        };
        txn.assign(name, Value::from(Authority::new("Root").pem()));
        let refused = tree.commit_and_wait(txn, 0).expect_err("refused");
        assert!(
            refused[0].to_string().contains("holds a slash"),
            "{}",
            refused[0]
        );
    }

    #[test]
    fn each_senseless_column_of_a_transfer_is_named() {
        let tree = tree();
        let refused = set(
            &tree,
            &[
                ("Cert.Transfer[Index=1].Url", "ftp://a.example/x"),
                ("Cert.Transfer[Index=1].FileName", "a/b"),
                ("Cert.Transfer[Index=1].ExpectedSha256", "12"),
                ("Cert.Transfer[Index=1].Associate", "Mail"),
            ],
        );
        let refused = refused.expect_err("all four");
        assert_eq!(refused.len(), 4);
        assert!(refused[0].starts_with("Cert.Transfer[Index=1].Url: "));
        assert_eq!(
            set(
                &tree,
                &[("Cert.Transfer[Index=1].Url", "https://a.example/%mac%.pem")]
            ),
            Ok(())
        );
    }

    #[test]
    fn a_responder_that_cannot_be_asked_is_refused() {
        let tree = tree();
        set(&tree, &[(OTHER, &Authority::new("Root").pem())]).expect("an authority");
        let file = OTHER.replace("OthersCertificatesMaterial", "CertificateAuthorities");
        let url = file.replace("Pem", "OverrideIssuedCertificateOcspUrl");
        for bad in ["ocsp.example.com", "https://ocsp.example.com/", "file:///x"] {
            let refused = set(&tree, &[(&url, bad)]).expect_err(bad);
            assert!(refused[0].starts_with(&url), "{}", refused[0]);
        }
        for good in ["http://ocsp.example.com/", ""] {
            assert_eq!(set(&tree, &[(&url, good)]), Ok(()));
        }
    }

    #[test]
    fn the_transfer_table_is_bounded() {
        let tree = tree();
        let mut txn = Transaction::new(Actor::local());
        for index in 1..=MAX_TRANSFERS {
            let index = Index::number(u32::try_from(index).expect("small"));
            txn.create(transfer::TABLE, index, crate::tree::Creation::Active);
        }
        tree.commit_and_wait(txn, 0).expect("up to the bound");
        let refused = set(&tree, &[("Cert.Transfer[Index=9999].Url", "")]);
        assert_eq!(
            refused,
            Err(vec![
                "Cert.Transfer[Index=9999]: there are 256 rows already".to_owned()
            ])
        );
    }
}
