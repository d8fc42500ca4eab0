//! Tables whose order counts: a row is moved up or down, or put before another.
//!
//! For tables with one number as their key, which is the place of the row.
//! What moves is the content; the numbers stay, so that a reference by number
//! is one to a place. Room is made before anything is filled in, and rows
//! change places after that: a new row can be filled in the same transaction.

use super::refusal::Reason;
use super::row::Row;
use super::rows::Candidate;
use crate::schema::{Index, TableId};

impl Candidate<'_> {
    /// Carries out `Up`, `Down` or `Insert`; false for any other command.
    pub(super) fn reorder(
        &mut self,
        at: usize,
        table: TableId,
        index: &Index,
        command: &str,
    ) -> Result<bool, Reason> {
        match command {
            "Up" => self.swap(at, table, index, self.before(table, index)),
            "Down" => self.swap(at, table, index, self.behind(table, index)),
            "Insert" => self.make_room(at, table, index)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The row at the nearest smaller number.
    fn before(&self, table: TableId, index: &Index) -> Option<Index> {
        let rows = self.after.rows(table).iter();
        let smaller = rows.map(|(key, _)| key).take_while(|key| *key < index);
        smaller.last().cloned()
    }

    /// The row at the nearest larger number.
    fn behind(&self, table: TableId, index: &Index) -> Option<Index> {
        let mut rows = self.after.rows(table).after(Some(index.arcs()));
        rows.next().map(|(key, _)| key.clone())
    }

    /// The first row has nowhere to go up to, nor the last one down.
    fn swap(&mut self, at: usize, table: TableId, one: &Index, other: Option<Index>) {
        let Some(other) = other else { return };
        let rows = self.after.rows_mut(table);
        let (Some(first), Some(second)) = (rows.take(one), rows.take(&other)) else {
            return;
        };
        rows.put(one.clone(), second);
        rows.put(other.clone(), first);
        self.touch(at, table, one);
        self.touch(at, table, &other);
    }

    /// Rows up to the first free number move one on; a row of defaults takes the place.
    fn make_room(&mut self, at: usize, table: TableId, index: &Index) -> Result<(), Reason> {
        let mut moved = Row::initial(table);
        let mut place = index.clone();
        loop {
            let rows = self.after.rows_mut(table);
            let displaced = rows.take(&place);
            rows.put(place.clone(), moved);
            self.touch(at, table, &place);
            let Some(row) = displaced else {
                return Ok(());
            };
            moved = row;
            place = next(&place).ok_or_else(|| {
                Reason::Inconsistent("there is no number left behind the last row".to_owned())
            })?;
        }
    }
}

fn next(index: &Index) -> Option<Index> {
    let [number] = index.arcs() else { return None };
    Some(Index::number(number.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use crate::schema::{Index, Name, Value, sip_ep};
    use crate::tree::{Actor, Transaction, Tree};

    fn commit(tree: &Tree, wishes: &[(&str, Value)]) -> Result<(), Vec<String>> {
        let mut txn = Transaction::new(Actor::local());
        for (name, value) in wishes {
            let name = format!("SipEp.Authentication[Index={name}");
            txn.assign(Name::parse(&name).expect("a name"), value.clone());
        }
        tree.commit_and_wait(txn, 0)
            .map(|_| ())
            .map_err(|refusals| refusals.iter().map(ToString::to_string).collect())
    }

    /// The user names by their place.
    fn users(tree: &Tree) -> Vec<(Index, String)> {
        let snapshot = tree.snapshot();
        let rows = snapshot.rows(sip_ep::authentication::TABLE).iter();
        let username = sip_ep::authentication::USERNAME.id();
        rows.map(|(index, _)| {
            let cell = snapshot.cell(username, index).and_then(Value::as_octets);
            let text = String::from_utf8_lossy(cell.unwrap_or_default()).into_owned();
            (index.clone(), text)
        })
        .collect()
    }

    fn places(wanted: &[(u32, &str)]) -> Vec<(Index, String)> {
        let own = |(place, user): &(u32, &str)| (Index::number(*place), (*user).to_owned());
        wanted.iter().map(own).collect()
    }

    fn tree() -> Tree {
        let tree = Tree::in_memory();
        let rows = [("1", "a"), ("2", "b"), ("5", "c")];
        for (place, user) in rows {
            let name = format!("{place}].Username");
            commit(&tree, &[(&name, Value::from(user))]).expect("granted");
        }
        tree
    }

    #[test]
    fn a_row_goes_up_and_down_past_its_neighbour_whatever_the_numbers_between() {
        let tree = tree();
        commit(&tree, &[("5].Up", Value::Integer(10))]).expect("granted");
        assert_eq!(users(&tree), places(&[(1, "a"), (2, "c"), (5, "b")]));
        commit(&tree, &[("1].Down", Value::Integer(10))]).expect("granted");
        assert_eq!(users(&tree), places(&[(1, "c"), (2, "a"), (5, "b")]));
    }

    #[test]
    fn the_first_row_stays_when_it_goes_up_and_the_last_when_it_goes_down() {
        let tree = tree();
        let wishes = [
            ("1].Up", Value::Integer(10)),
            ("5].Down", Value::Integer(10)),
        ];
        commit(&tree, &wishes).expect("granted");
        assert_eq!(users(&tree), places(&[(1, "a"), (2, "b"), (5, "c")]));
    }

    #[test]
    fn a_row_is_put_before_another_and_filled_in_one_transaction() {
        let tree = tree();
        let wishes = [
            ("1].Username", Value::from("new")),
            ("1].Insert", Value::Integer(10)),
        ];
        commit(&tree, &wishes).expect("granted");
        let wanted = [(1, "new"), (2, "a"), (3, "b"), (5, "c")];
        assert_eq!(users(&tree), places(&wanted));
    }

    #[test]
    fn a_row_that_is_not_there_cannot_be_moved() {
        let refused = commit(&tree(), &[("3].Insert", Value::Integer(10))]);
        assert_eq!(refused.expect_err("no row").len(), 1);
    }

    #[test]
    fn no_row_moves_beyond_the_last_number() {
        let tree = tree();
        let last = format!("{}].", u32::MAX);
        let name = format!("{last}Username");
        commit(&tree, &[(&name, Value::from("z"))]).expect("granted");
        let insert = format!("{last}Insert");
        let refused = commit(&tree, &[(&insert, Value::Integer(10))]);
        assert!(refused.expect_err("no room")[0].contains("no number left"));
        assert_eq!(users(&tree).len(), 4, "nothing is lost");
    }
}
