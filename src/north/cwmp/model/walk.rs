//! From a place through all that stands below it.
//!
//! For what tells many parameters: one place goes down the model and comes
//! back up, so that nothing is made for each of thousands of instances. It
//! knows no values.

use super::DataModel;
use super::map::{Leaf, Object, Rows};
use super::path::{Place, Spot};
use std::slice::from_ref;

/// Told of each object with its parameters, and of each table with none.
pub(super) type Visit<'v, E> = dyn FnMut(&Place, &'static [Leaf]) -> Result<(), E> + 'v;

impl DataModel<'_> {
    /// Visits a spot and everything below it, in the order of an answer, until a visit fails.
    pub(super) fn walk<E>(&self, spot: &Spot, visit: &mut Visit<'_, E>) -> Result<(), E> {
        match spot {
            Spot::Parameter(one) => visit(&one.place, from_ref(one.leaf)),
            Spot::Object(place) => self.walk_object(&mut Place::clone(place), visit),
            Spot::Table(place) => self.walk_table(&mut Place::clone(place), visit),
        }
    }

    fn walk_object<E>(&self, place: &mut Place, visit: &mut Visit<'_, E>) -> Result<(), E> {
        let object: &Object = place.object;
        visit(place, object.leaves)?;
        for child in self.children(object) {
            let back = Back::to(place);
            place.enter(child);
            match child.rows {
                Rows::Single => self.walk_object(place, visit)?,
                Rows::One | Rows::Of { .. } => self.walk_table(place, visit)?,
            }
            back.from(place);
        }
        Ok(())
    }

    fn walk_table<E>(&self, place: &mut Place, visit: &mut Visit<'_, E>) -> Result<(), E> {
        visit(place, &[])?;
        let back = Back::to(place);
        match place.object.rows {
            Rows::Single => {}
            Rows::One => {
                self.enter_only(place);
                self.walk_object(place, visit)?;
                back.from(place);
            }
            Rows::Of { table, .. } => {
                for (number, one) in self.numbers(table).iter() {
                    if self.belongs(place, &one.index) {
                        self.enter_row(place, table, number, one);
                        self.walk_object(place, visit)?;
                        back.from(place);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The way back up.
struct Back {
    object: &'static Object,
    path: usize,
    rows: usize,
}

impl Back {
    fn to(place: &Place) -> Self {
        Self {
            object: place.object,
            path: place.path.len(),
            rows: place.rows.len(),
        }
    }

    fn from(&self, place: &mut Place) {
        place.object = self.object;
        place.path.truncate(self.path);
        place.rows.truncate(self.rows);
    }
}
