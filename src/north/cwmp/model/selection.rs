//! What an answer tells, one parameter after the other.
//!
//! Only the spots that the paths lead to are kept: the parameters are walked
//! over whenever they are told, so that thousands of them stand nowhere in
//! memory. They are those of one reading of the tree, since the numbers of
//! rows that come later are not kept yet.

use super::path::{Around, Spot};
use super::{Code, DataModel, Model};
use crate::schema::TableId;
use crate::tree::{Instances, Row, RowsAfter};
use crate::wire::soap::message::{Header, Namespace};
use crate::wire::soap::{Entry, Object, print_values};
use std::convert::Infallible;
use std::{fmt, io};

/// The parameters that an answer tells, in the reading of the tree in which they were found.
#[derive(Clone)]
pub struct Selection {
    view: Instances,
    spots: Vec<Spot>,
    count: usize,
}

impl DataModel<'_> {
    /// No parameter yet.
    pub fn nothing(&self) -> Selection {
        Selection {
            view: self.view.clone(),
            spots: Vec::new(),
            count: 0,
        }
    }

    /// Adds the parameters of a full or partial path; "" is all of them.
    pub fn select(&self, path: &str, selection: &mut Selection) -> Result<(), Code> {
        for spot in self.resolve(path)? {
            let Ok(()) = self.walk::<Infallible>(&spot, &mut |_, leaves| {
                selection.count += leaves.len();
                Ok(())
            });
            selection.spots.push(spot);
        }
        Ok(())
    }
}

impl Selection {
    /// How many parameters there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The same parameters, each with one value however often it is told.
    pub fn held(self) -> Self {
        Self {
            view: self.view.held(),
            ..self
        }
    }

    /// Prints the GetParameterValuesResponse.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn print(
        &self,
        namespace: Namespace,
        header: &Header,
        settings: &Model,
        sink: &mut impl io::Write,
    ) -> io::Result<()> {
        print_values(namespace, header, self.count, sink, |sink| {
            self.tell(settings, |entry| entry.print(sink))
        })
    }

    /// Tells each parameter, in the order of the answer, until telling fails.
    fn tell(
        &self,
        settings: &Model,
        mut tell: impl FnMut(&Entry<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let model = DataModel::new(&self.view, settings);
        let mut rows = InStep {
            view: &self.view,
            ahead: None,
        };
        let (mut object, mut room) = (Object::default(), String::new());
        self.spots.iter().try_for_each(|spot| {
            model.walk(spot, &mut |place, leaves| {
                let row = place.row().and_then(|around| rows.of(around));
                object.enter(&place.path);
                leaves.iter().try_for_each(|leaf| {
                    tell(&Entry {
                        object: &object,
                        name: leaf.name,
                        kind: leaf.kind,
                        value: model.said(place, leaf, row, &mut room),
                    })
                })
            })
        })
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection")
            .field("spots", &self.spots)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// The rows of instances, found in step with them: most tables are numbered
/// in the order of their keys.
struct InStep<'a> {
    view: &'a Instances,
    ahead: Option<(TableId, RowsAfter<'a>)>,
}

impl<'a> InStep<'a> {
    fn of(&mut self, around: &Around) -> Option<&'a Row> {
        let index = &around.instance.index;
        if let Some((table, ahead)) = &mut self.ahead
            && *table == around.table
            && let Some((key, row)) = ahead.next()
            && key == index
        {
            return Some(row);
        }
        let rows = self.view.rows(around.table);
        self.ahead = Some((around.table, rows.after(Some(index.arcs()))));
        rows.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::cwmp::settings::Settings;
    use crate::schema::{Index, Name, Value, ep_adm, hoc, sip_ep};
    use crate::tree::{Actor, Configured, Creation, Transaction, Tree};
    use crate::wire::soap::message::{CpeResponse, Envelope, FromCpe, ParameterValue};
    use crate::wire::soap::print;

    fn commit(tree: &Tree, fill: impl FnOnce(&mut Transaction)) {
        let mut txn = Transaction::new(Actor::device());
        fill(&mut txn);
        tree.commit_and_wait(txn, 0).expect("granted");
    }

    fn settings(tree: &Tree) -> Model {
        Settings::read(&tree.snapshot()).model
    }

    /// Gateways whose numbers are not in the order of their names, hosts with
    /// all that a text may hold, and TR-104.
    fn device() -> Tree {
        let tree = Tree::in_memory();
        let set = |txn: &mut Transaction, name: &str, value: Value| {
            txn.assign(Name::parse(name).expect("a name"), value);
        };
        for gateway in ["zürich", "default", "b"] {
            commit(&tree, |txn| {
                txn.create(
                    sip_ep::gateway::TABLE,
                    Index::text(gateway),
                    Creation::Active,
                );
            });
            let numbered = settings(&tree);
            commit(&tree, |txn| {
                DataModel::new(&tree.instances(), &numbered).number(txn);
            });
        }
        commit(&tree, |txn| {
            txn.create(
                ep_adm::endpoint::TABLE,
                Index::text("Port01"),
                Creation::Active,
            );
            set(txn, "Cwmp.Tr104Enable", Value::Integer(1));
            set(txn, "Cwmp.Password", "secret".into());
            for (row, name) in [(4_000_000_000, "<&>\r\u{e9}"), (7, "\u{1}"), (70, "a\nb")] {
                let (column, index) = (hoc::static_hosts::NAME.id(), Index::number(row));
                txn.assign(Name { column, index }, name.into());
            }
        });
        tree
    }

    fn told(selection: &Selection, settings: &Model) -> String {
        let (mut octets, header) = (Vec::new(), Header::default());
        let printed = selection.print(Namespace::Cwmp12, &header, settings, &mut octets);
        printed.expect("a Vec takes everything");
        String::from_utf8(octets).expect("UTF-8")
    }

    fn collected(values: Vec<ParameterValue>) -> String {
        let message = Envelope {
            namespace: Namespace::Cwmp12,
            header: Header::default(),
            body: FromCpe::Response(CpeResponse::GetParameterValues(values)),
        };
        let mut octets = Vec::new();
        print(&message, &mut octets).expect("a Vec takes everything");
        String::from_utf8(octets).expect("UTF-8")
    }

    #[test]
    fn what_is_told_in_one_go_is_what_each_parameter_says_by_itself() {
        let tree = device();
        let view = tree.instances();
        let mut settings = settings(&tree);
        for aliases in [false, true] {
            settings.aliases = aliases;
            let model = DataModel::new(&view, &settings);
            let mut selection = model.nothing();
            let mut values = Vec::new();
            let gateways = "Device.Services.VoiceService.*.SIP.Network.*.";
            for path in [
                "",
                "Device.Time.NTPServer1",
                gateways,
                "Device.X_0090F8_Hoc.",
            ] {
                model.select(path, &mut selection).expect("it is there");
                let found = model.find(path).expect("it is there");
                values.extend(found.iter().map(|one| model.value(one)));
            }
            assert!(values.len() > 500, "{}", values.len());
            assert_eq!(selection.count(), values.len());
            let (told, collected) = (told(&selection, &settings), collected(values));
            let differ = told.split("<Name>").zip(collected.split("<Name>"));
            for (told, collected) in differ {
                assert_eq!(told, collected);
            }
            assert!(told == collected);
        }
    }

    #[test]
    fn numbers_that_are_not_in_the_order_of_keys_have_their_own_rows() {
        let tree = device();
        let (view, settings) = (tree.instances(), settings(&tree));
        let model = DataModel::new(&view, &settings);
        let mut selection = model.nothing();
        let names = "Device.X_0090F8_SipEp.Gateway.*.Name";
        model.select(names, &mut selection).expect("there");
        let told = told(&selection, &settings);
        let at = |name: &str| told.find(&format!(">{name}</Value>")).expect(&told);
        assert!(at("zürich") < at("default") && at("default") < at("b"));
    }

    #[test]
    fn rows_that_come_later_are_not_told_since_their_numbers_are_not_kept() {
        let tree = device();
        let (view, settings) = (tree.instances(), settings(&tree));
        let model = DataModel::new(&view, &settings);
        let mut selection = model.nothing();
        model
            .select("Device.X_0090F8_Hoc.", &mut selection)
            .expect("there");
        let before = told(&selection, &settings);
        commit(&tree, |txn| {
            txn.create(hoc::static_hosts::TABLE, Index::number(8), Creation::Active);
        });
        assert_eq!(told(&selection.held(), &settings), before);
    }
}
