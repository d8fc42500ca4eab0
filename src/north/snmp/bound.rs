//! The tree behind the agent: the seam of `access` over the real one.

use std::borrow::Cow;
use std::sync::Arc;

use super::access::{self, Done, Found, Mib, Wish};
use crate::tree::notice::Notice;
use crate::tree::{
    Actor, Face, Got, Instances, Reason, Refusal, Subject, Transaction, Tree, Value,
};

/// The tree of a device, with its time of day in seconds since 1970 (0 unknown).
pub struct Bound {
    /// The tree.
    pub tree: Tree,
    /// The time of day.
    pub time: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Mib for Instances {
    fn get(&self, name: &[u32]) -> Got {
        Instances::get(self, name)
    }

    fn walk<'a>(
        &'a self,
        name: &[u32],
    ) -> impl Iterator<Item = (Found<'a>, Cow<'a, Value>)> + use<'a> {
        Instances::walk(self, name).map(|(column, index, value)| {
            let column = column.get();
            let found = Found {
                object: column.oid,
                encoded: column.encoded,
                index: index.arcs(),
            };
            (found, value)
        })
    }
}

impl access::Tree for Bound {
    type View = Instances;

    fn view(&self) -> Instances {
        self.tree.instances()
    }

    fn set(&self, actor: &access::Actor, wishes: Vec<Wish>, done: Done) {
        let mut txn = Transaction::new(Actor {
            face: Face::Snmp,
            user: actor.user.to_string(),
            address: actor.source.to_string(),
            rights: actor.rights,
        });
        let mut unfit = Vec::new();
        for wish in wishes {
            unfit.push(wish.value.as_ref().err().copied());
            match wish.value {
                Ok(value) => txn.assign_oid(&wish.name, value),
                Err(_) => txn.assign_unfit(&wish.name),
            }
        }
        self.tree.commit(txn, (self.time)(), move |outcome| {
            done(match outcome {
                Ok(_) => Ok(()),
                Err(refusals) => Err(refusals
                    .iter()
                    .map(|refusal| told(refusal, &unfit))
                    .collect()),
            });
        });
    }

    fn notify(&self, notice: &Notice) {
        self.tree.notify(notice);
    }
}

/// The refusal in the protocol's words; what was no value at all keeps its own reason.
fn told(refusal: &Refusal, unfit: &[Option<access::Reason>]) -> access::Refusal {
    let reason = match &refusal.reason {
        Reason::NoAccess => access::Reason::NoAccess,
        Reason::NotWritable => access::Reason::NotWritable,
        Reason::WrongType(_) => unfit
            .get(refusal.wish)
            .copied()
            .flatten()
            .unwrap_or(access::Reason::WrongType),
        Reason::WrongLength(_) => access::Reason::WrongLength,
        Reason::WrongValue(_) => access::Reason::WrongValue,
        Reason::NoCreation => access::Reason::NoCreation,
        Reason::NoRow => access::Reason::InconsistentName,
        Reason::Inconsistent(_) => access::Reason::InconsistentValue,
        Reason::Unavailable(_) => access::Reason::ResourceUnavailable,
    };
    access::Refusal {
        position: match refusal.subject {
            // No binding is to blame: error-index 0.
            Subject::All => usize::MAX,
            Subject::Instance(_) | Subject::Row(..) | Subject::Oid(_) => refusal.wish,
        },
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::north::snmp::access::{Oid, Tree as _};
    use crate::schema::{self, Base, Column, Name, Role, RowLife};
    use crate::tree::Rights;

    fn set(wishes: Vec<Wish>) -> Result<(), Vec<access::Refusal>> {
        let bound = Bound {
            tree: Tree::in_memory(),
            time: Arc::new(|| 0),
        };
        let actor = access::Actor {
            user: "admin".into(),
            rights: Rights::Admin,
            source: ([127, 0, 0, 1], 40_000).into(),
        };
        let (send, receive) = mpsc::channel();
        let done = move |outcome| send.send(outcome).expect("the test waits");
        bound.set(&actor, wishes, Box::new(done));
        receive.recv().expect("an outcome")
    }

    /// An instance of each object, with a key that fits where it needs one.
    fn every_instance() -> Vec<(&'static Column, Vec<u32>)> {
        let instance = |(_, column): (_, &'static Column)| {
            let table = column.table.get();
            let key: Vec<u32> = match table.rows {
                RowLife::Scalar => vec![0],
                _ => {
                    let keys = table.indexes.iter().map(|id| match id.get().syntax.base {
                        Base::Octets => vec![1, 120],
                        _ => vec![1],
                    });
                    keys.flatten().collect()
                }
            };
            (column, [column.oid, &key].concat())
        };
        schema::columns().map(instance).collect()
    }

    #[test]
    fn no_object_takes_a_value_of_another_type() {
        let mut writable = 0;
        for (column, oid) in every_instance() {
            let other = match column.syntax.base {
                Base::TimeTicks => Value::Counter64(1),
                _ => Value::TimeTicks(1),
            };
            // NULL and the exceptions are values of no object.
            for value in [Ok(other), Err(access::Reason::WrongType)] {
                let name = Oid::from_slice(&oid);
                let refusals = set(vec![Wish { name, value }]).expect_err(column.name);
                let expected = match column.writable && !matches!(column.role, Role::Index) {
                    true => access::Reason::WrongType,
                    false => access::Reason::NotWritable,
                };
                assert_eq!(refusals[0].reason, expected, "{}", column.name);
            }
            writable += usize::from(column.writable);
        }
        assert!(writable > 100, "{writable}");
    }

    #[test]
    fn names_that_no_index_can_have_are_read_as_nothing_and_walked_past() {
        let tree = Tree::in_memory().instances();
        for (column, oid) in every_instance() {
            let odd: [&[u32]; 6] = [
                &[],
                &[u32::MAX],
                &[u32::MAX, 1, 2],
                &[0, 0, 0, 0, 0, 0, 0, 0],
                &[200, 1, 2, 3],
                &[1, 300],
            ];
            for tail in odd {
                let name = [column.oid, tail].concat();
                assert!(!matches!(Mib::get(&tree, &name), Got::Value(_)), "{name:?}");
                if let Some((next, _)) = Mib::next(&tree, &name) {
                    assert!(next.oid()[..] > name[..], "{name:?}");
                }
            }
            let longest = [&oid[..], &[7; 128]].concat();
            assert!(!matches!(Mib::get(&tree, &longest), Got::Value(_)));
        }
    }

    fn wish(name: &str, value: Result<Value, access::Reason>) -> Wish {
        let name = Name::parse(name).expect("a name").oid();
        Wish {
            name: Oid::from_slice(&name),
            value,
        }
    }

    #[test]
    fn a_refusal_keeps_its_position_and_becomes_the_protocols_word() {
        let refused = set(vec![
            wish("Hoc.SystemName", Ok(Value::from("x"))),
            wish("Hoc.SntpSynchronizationPeriod", Ok(Value::Unsigned(0))),
        ]);
        let refusal = access::Refusal {
            position: 1,
            reason: access::Reason::WrongValue,
        };
        assert_eq!(refused, Err(vec![refusal]));
    }

    #[test]
    fn what_is_no_value_at_all_keeps_its_reason_behind_the_access_checks() {
        let broken = || Err(access::Reason::WrongEncoding);
        let reason = |name| {
            let refusals = set(vec![wish(name, broken())]).expect_err("refused");
            refusals[0].reason
        };
        assert_eq!(reason("Hoc.SystemName"), access::Reason::WrongEncoding);
        assert_eq!(reason("Hoc.SystemUptime"), access::Reason::NotWritable);
    }
}
