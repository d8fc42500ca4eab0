//! Reading the tree, as the SNMP agent does it.

use std::borrow::Cow;
use std::hint::black_box;

use demarc::north::snmp::access::{Found, Mib, Oid};
use demarc::schema::{Column, ColumnId, Index, Name, Role, TableId, Value, cert, sip_ep};
use demarc::tree::{Actor, Creation, Instances, Transaction, Tree};

use crate::measure::{THREAD, alternate, each, repeat};
use crate::report::{Report, Target, Unit};
use crate::writes;

pub(crate) fn run(report: &mut Report) {
    report.table(
        "Tree: reading",
        &[
            THREAD.to_owned(),
            "the two widest tables that a manager may fill, Cert.Transfer and \
             SipEp.Authentication: 24 columns, each of so many rows, each cell with a value of \
             its own: numbers, short strings, a URL of 40 octets, a checksum of 64"
                .to_owned(),
            "a step is one of a walk over the tables, as GETBULK takes it; the step by GETNEXT \
             searches for the instance before; of each name and value the octets are read"
                .to_owned(),
        ],
    );
    let (small, large) = (populated(1_000), populated(100_000));
    let names = random_names(100_000);
    let next = repeat(|| {
        each(READS, |at| {
            _ = black_box(Mib::next(&large, &names[at % names.len()]).map(read))
        })
    });
    report.alone(
        "random GETNEXT, 100 000 rows",
        Unit::Microseconds,
        next,
        Target::AtMost(1.0),
    );
    let names = random_names(1_000);
    let next = repeat(|| {
        each(READS, |at| {
            _ = black_box(Mib::next(&small, &names[at % names.len()]).map(read))
        })
    });
    report.alone(
        "random GETNEXT, 1 000 rows",
        Unit::Microseconds,
        next,
        Target::AtMost(1.0),
    );
    let by_next = repeat(|| step(&large));
    report.alone(
        "the step by GETNEXT, 100 000 rows",
        Unit::Microseconds,
        by_next,
        Target::AtMost(1.0),
    );
    let (at_large, at_small) = alternate(|| walk(&large), || walk(&small));
    report.alone(
        "walk step, 100 000 rows",
        Unit::Microseconds,
        at_large,
        Target::AtMost(0.3),
    );
    let target = Target::RatioAtMost(1.5);
    report.pair(
        "the same, beside 1 000 rows",
        Unit::Microseconds,
        at_large,
        at_small,
        target,
    );
    drop((small, large));
    writes::run(report);
}

/// The cost of a step of a walk over everything, from the start again at the end; of so many
/// steps that both sizes meet every column equally often.
fn walk(tree: &Instances) -> f64 {
    let start = [1, 3, 6, 1, 4, 1];
    let mut walk = Mib::walk(tree, &start);
    each(STEPS, |_| match walk.next() {
        Some(found) => _ = black_box(read(found)),
        None => walk = Mib::walk(tree, &start),
    })
}

/// The cost of one GETNEXT of the instance before, again and again.
fn step(tree: &Instances) -> f64 {
    let start = Oid::from_slice(&[1, 3, 6, 1, 4, 1]);
    let mut name = start.clone();
    each(READS, |_| {
        name = match Mib::next(tree, &name) {
            Some((next, value)) => {
                black_box(octets(&value));
                next.oid()
            }
            None => start.clone(),
        };
    })
}

/// Reads what whoever writes an answer would read.
fn read((name, value): (Found<'_>, Cow<'_, Value>)) -> u32 {
    let of_object = name.encoded.iter().map(|octet| u32::from(*octet));
    let arcs = of_object.chain(name.index.iter().copied());
    arcs.fold(octets(&value), |sum, arc| sum ^ arc)
}

fn octets(value: &Value) -> u32 {
    match value.as_octets() {
        Some(octets) => octets.iter().fold(0, |sum, octet| sum ^ u32::from(*octet)),
        None => value.number().map_or(0, |number| number as u32),
    }
}

fn populated(rows: u32) -> Instances {
    let tree = Tree::in_memory();
    for first in (1..=rows).step_by(1_000) {
        let these = first..(first + 1_000).min(rows + 1);
        let mut txn = Transaction::new(Actor::device());
        for row in these.clone() {
            fill(row, &mut txn);
        }
        tree.commit_and_wait(txn, 0).expect("rows that are new");
        tree.live().publish(|live| {
            for (row, column) in these.flat_map(|row| COLUMNS.map(move |column| (row, column))) {
                live.raw(column, &Index::number(row), cell(column.get(), row));
            }
        });
    }
    tree.instances()
}

fn fill(row: u32, txn: &mut Transaction) {
    for table in TABLES {
        txn.create(table, Index::number(row), Creation::Active);
        for column in table.get().columns {
            if let Role::Stored(_) = column.get().role {
                let (column, index) = (*column, Index::number(row));
                let value = cell(column.get(), row);
                txn.assign(Name { column, index }, value);
            }
        }
    }
}

/// A value that the column takes and that differs from row to row.
fn cell(column: &Column, row: u32) -> Value {
    let labels = column.syntax.labels;
    if !labels.is_empty() {
        let (_, number) = labels[row as usize % labels.len()];
        return Value::Integer(number as i32);
    }
    Value::from(match column.short {
        "Url" => format!("https://files.example.org/gw/{row:06}.pem"),
        "ExpectedSha256" => format!("{row:064x}"),
        "Finished" => format!("2026-11-24 {:02}:{:02}:00", row % 24, row % 60),
        short => format!("{short}-{row}"),
    })
}

/// Instances of any column and row, in no order.
fn random_names(rows: u32) -> Vec<Oid> {
    let columns: Vec<ColumnId> = TABLES
        .iter()
        .flat_map(|table| table.get().columns)
        .copied()
        .collect();
    let mut state = 1_u64;
    let mut random = |below: usize| {
        // A linear congruential generator of Knuth's.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let name = |_| {
        let mut name = Oid::from_slice(columns[random(columns.len())].get().oid);
        name.push(random(rows as usize) as u32);
        name
    };
    (0..50_000).map(name).collect()
}

const TABLES: [TableId; 2] = [cert::transfer::TABLE, sip_ep::authentication::TABLE];
/// What an engine publishes beside the rows.
const COLUMNS: [ColumnId; 3] = [
    cert::transfer::STATE.id(),
    cert::transfer::REASON.id(),
    cert::transfer::FINISHED.id(),
];
const READS: usize = 400_000;
/// Each cell of the large tree once.
const STEPS: usize = 24 * 100_000;
