//! A file that has come, and what puts it into use.

use super::super::fault::Code;
use super::super::lockout::undo_after;
use super::failure::Failure;
use super::kind::Kind;
use super::queue::Wanted;
use super::record::Transfer;
use crate::certs::{FileName, Place, Store, Url, pem_of_pkcs12};
use crate::schema::Secret;
use crate::tree::{Actor, Transaction};
use zeroize::Zeroizing;

/// What a file is put into use by.
#[derive(Clone, Debug)]
pub(in super::super) struct Terms {
    /// In whose name.
    pub(in super::super) actor: Actor,
    /// What PKCS#12 is opened with; None: it is not taken.
    pub(in super::super) pkcs12: Option<Secret>,
    /// Seconds after which what may lock the ACS out is undone.
    pub(in super::super) within: Option<u32>,
}

impl Transfer {
    /// What a file that has come is put into use by.
    pub(super) fn unpack(
        &self,
        file: Zeroizing<Vec<u8>>,
        terms: Terms,
        number: u32,
    ) -> Result<Wanted, Failure> {
        match self.kind() {
            Some(Kind::Firmware) => Ok(Wanted::Install(number)),
            Some(Kind::Script) => Ok(Wanted::RunScript(number, file, terms.within)),
            Some(Kind::HostCertificate) => {
                let opened = pem_of_pkcs12(&file, terms.pkcs12.as_ref().map(Secret::expose));
                let file = opened.map_err(unusable)?.unwrap_or(file);
                self.install(Store::Host, &file, terms, number)
            }
            Some(Kind::TrustAnchors) => self.install(Store::Others, &file, terms, number),
            Some(Kind::Log) | None => Err(Failure::new(
                Code::TransferFailed,
                "files of this type are not taken here",
            )),
        }
    }

    fn install(
        &self,
        store: Store,
        file: &[u8],
        terms: Terms,
        number: u32,
    ) -> Result<Wanted, Failure> {
        let name = match self.target.as_str() {
            "" => Url::parse(&self.url).ok().and_then(|url| url.last_part()),
            name => Some(name.to_owned()),
        };
        let place = Place {
            store,
            file: FileName::parse(&name.unwrap_or_default()).map_err(unusable)?,
            services: None,
        };
        let mut wishes = Transaction::new(terms.actor);
        place.install(&mut wishes, file).map_err(unusable)?;
        undo_after(terms.within, &mut wishes);
        Ok(Wanted::Apply(number, wishes))
    }
}

fn unusable(why: impl ToString) -> Failure {
    Failure::new(Code::TransferCorrupted, why.to_string())
}
