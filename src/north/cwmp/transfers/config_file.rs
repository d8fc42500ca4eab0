//! The scripts that made the configuration, as an ACS lists them (TR-181
//! DeviceInfo.VendorConfigFile): the last one that it sent. The profile's row
//! is made with the factory state.

use super::kind::Kind;
use super::record::Transfer;
use crate::certs::Url;
use crate::schema::cwmp::config_file as row;
use crate::schema::{Index, Name, Value};
use crate::tree::{Creation, Transaction};

impl Transfer {
    /// Where its script has become true: that it is the last one.
    pub(super) fn show_script(&self, keep: &mut Transaction) {
        let applied = self.is_download() && self.kind() == Some(Kind::Script);
        if !applied || self.fault.code != 0 {
            return;
        }
        let index = Index::number(LAST);
        // Whatever it was before.
        keep.delete(row::TABLE, index.clone());
        keep.create(row::TABLE, index.clone(), Creation::Active);
        let date = self.completed.map_or_else(String::new, |at| at.to_string());
        for (column, value) in [
            (row::NAME.id(), self.file_name().into()),
            (row::DATE.id(), date.into()),
            (
                row::DESCRIPTION.id(),
                Value::from("the last script of an ACS"),
            ),
        ] {
            let index = index.clone();
            keep.assign(Name { column, index }, value);
        }
    }

    /// The name that the request gave it, or that of its URL.
    pub(in super::super) fn file_name(&self) -> String {
        let mut name = match self.target.as_str() {
            "" => {
                let url = Url::parse(&self.url).ok();
                url.and_then(|url| url.last_part()).unwrap_or_default()
            }
            target => target.to_owned(),
        };
        name.truncate(name.floor_char_boundary(LONGEST));
        name
    }
}

/// Its row; the profile has the first.
const LAST: u32 = 2;
/// TR-181: names have at most 64 characters.
const LONGEST: usize = 64;
