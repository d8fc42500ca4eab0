//! Notification: which parameters may be told how, and what to watch for them.

use super::map::{At, Leaf, Object, Otherwise, Rows, Source, Told, object, objects};
use super::{DataModel, Parameter};
use crate::schema::TableId;
use crate::schema::cwmp::instance;
use crate::schema::sip_ep::transport_config;
use std::collections::BTreeSet;

impl DataModel<'_> {
    /// How a parameter is notified before the ACS says anything.
    pub fn notification(&self, path: &str) -> u8 {
        match self.told(path) {
            Told::Off | Told::Quiet => 0,
            Told::Active | Told::Always => ACTIVE,
        }
    }

    /// What is told actively without the ACS asking for it.
    pub fn told_unasked(&self) -> Vec<Parameter> {
        self.those(|leaf| matches!(leaf.told, Told::Active | Told::Always))
    }

    /// Whether the ACS may have it notified like this (TR-069 A.3.2.4, TR-106 activeNotify).
    pub fn may_be_notified(&self, path: &str, level: u8) -> bool {
        match self.told(path) {
            Told::Off | Told::Active => true,
            // What changes all the time would never be silent.
            Told::Quiet => !matches!(level, ACTIVE | ACTIVE_LIGHTWEIGHT | PASSIVE_AND_ACTIVE),
            Told::Always => level == ACTIVE,
        }
    }

    fn told(&self, path: &str) -> Told {
        let leaf = self.parameter(path).map(|one| one.leaf);
        leaf.map_or(Told::Off, |leaf| leaf.told)
    }
}

/// The tables in which a parameter's value may change, whatever instances are in its path.
pub fn tables(path: &str) -> BTreeSet<TableId> {
    let mut tables = BTreeSet::new();
    if let Some((object, leaf)) = leaf(path) {
        if let Rows::Of { table, .. } = object.rows {
            tables.insert(table);
        }
        behind(leaf, &mut tables);
    }
    tables
}

fn behind(leaf: &Leaf, tables: &mut BTreeSet<TableId>) {
    match leaf.source {
        Source::Constant(_) | Source::Version => {}
        Source::Count(id) => {
            if let Rows::Of { table, .. } = object(id).rows {
                tables.insert(table);
            }
        }
        Source::Alias => drop(tables.insert(instance::TABLE)),
        Source::Transport => drop(tables.insert(transport_config::TABLE)),
        Source::Cell(cell) => {
            tables.insert(cell.column.get().table);
            match cell.otherwise {
                Otherwise::Nothing => {}
                Otherwise::Empty(column) => drop(tables.insert(column.get().table)),
                Otherwise::Unless { switch, column, .. } => {
                    tables.extend([switch.get().table, column.get().table]);
                }
            }
            if let At::Where(wanted) = cell.at {
                tables.extend(wanted.iter().map(|(column, _)| column.get().table));
            }
        }
    }
}

/// The parameter of a path by the names in it: instances do not matter.
fn leaf(path: &str) -> Option<(&'static Object, &'static Leaf)> {
    let (place, name) = path.rsplit_once('.')?;
    let mut segments = place.split('.').skip(1).peekable();
    let mut here = objects().first()?;
    while let Some(segment) = segments.next() {
        let mut children = here.children.iter().map(|id| object(*id));
        here = children.find(|child| child.name == segment)?;
        if !matches!(here.rows, Rows::Single) {
            segments.next()?;
        }
    }
    let leaf = here.leaves.iter().find(|leaf| leaf.name == name)?;
    Some((here, leaf))
}

/// A.3.2.4: a change opens a session.
const ACTIVE: u8 = 2;
/// A change is told at once by a lightweight notification.
const ACTIVE_LIGHTWEIGHT: u8 = 5;
/// As 5, and in the next Inform.
const PASSIVE_AND_ACTIVE: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{cwmp, sip_ep};

    #[test]
    fn a_parameter_hangs_on_the_tables_of_its_source_and_of_what_stands_in_for_it() {
        let url = tables("Device.ManagementServer.URL");
        assert_eq!(url, BTreeSet::from([cwmp::ACS_URL.id().get().table]));
        let network = "Device.Services.VoiceService.1.SIP.Network.7.";
        let status = tables(&format!("{network}Status"));
        assert!(
            status.contains(&sip_ep::gateway_status::TABLE),
            "{status:?}"
        );
        let alias = tables("InternetGatewayDevice.X_0090F8_Hoc.StaticHosts.[a].Alias");
        assert!(alias.contains(&cwmp::instance::TABLE));
        assert!(tables("Device.Nothing.1.There").is_empty());
    }
}
