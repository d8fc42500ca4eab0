//! Index keys of every table, beside those of mib-rs.
//!
//! The modules are compiled here anew, so that also what `build.rs` made of
//! the INDEX clauses is judged.

use demarc::schema::{Base, Index, RowLife, Table, Value, tables};
use mib_rs::{DecodeOptions, IndexSchema, IndexValue, Loader, Mib};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

static MIB: LazyLock<Mib> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mib");
    let mut names = Vec::new();
    let mut loader = Loader::new();
    for entry in fs::read_dir(folder).expect("the modules") {
        let path = entry.expect("readable").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = fs::read(&path).expect("readable");
        loader = loader.source(mib_rs::source::memory(name.clone(), text));
        names.push(name);
    }
    loader.modules(names).load().expect("well-formed modules")
});

fn schema(table: &Table) -> IndexSchema {
    let column = table.columns[0].get();
    let object = MIB
        .object(column.name)
        .expect("build.rs read the same modules");
    IndexSchema::compile(object).expect("an index")
}

fn with_rows() -> Vec<&'static Table> {
    let all = tables().map(|(_, table)| table);
    all.filter(|table| table.rows != RowLife::Scalar).collect()
}

/// What mib-rs reads in a key; `None` where it refuses.
fn theirs(table: &Table, arcs: &[u32]) -> Option<Vec<Value>> {
    let schema = schema(table);
    let read = schema.decode_exact(arcs, DecodeOptions::new(128)).ok()?;
    let value = |value: &IndexValue| match value {
        IndexValue::Integer32(number) => Value::Integer(*number),
        IndexValue::Unsigned32(number) | IndexValue::Gauge32(number) => Value::Unsigned(*number),
        IndexValue::OctetString(octets) => Value::octets(octets),
        other => panic!("no index of ours: {other:?}"),
    };
    Some(read.values().iter().map(value).collect())
}

fn ours(table: &Table, arcs: &[u32]) -> Option<Vec<Value>> {
    Index::read(table, arcs).ok()?.values(table).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_key_means_the_same_to_both_or_is_refused_by_both(
        table in prop::sample::select(with_rows()),
        arcs in vec(prop_oneof![4 => 0..5u32, 4 => 0..300u32, 1 => any::<u32>()], 0..8),
    ) {
        prop_assert_eq!(ours(table, &arcs), theirs(table, &arcs));
    }

    #[test]
    fn a_key_of_ours_is_read_by_both(
        table in prop::sample::select(with_rows()),
        number in any::<u32>(),
        text in vec(any::<u8>(), 0..40),
    ) {
        let value = |base| match base {
            Base::Integer => Value::Integer((number >> 1) as i32),
            Base::Unsigned => Value::Unsigned(number),
            Base::Octets => Value::octets(&text),
            other => panic!("no index of ours: {other:?}"),
        };
        let bases = table.indexes.iter().map(|column| column.get().syntax.base);
        let values: Vec<Value> = bases.map(value).collect();
        if let Ok(index) = Index::of(table, &values) {
            let again = theirs(table, index.arcs());
            prop_assert_eq!(again.as_ref(), Some(&values));
        }
    }
}

#[test]
fn there_are_tables_to_ask_about() {
    assert!(with_rows().len() > 20);
}
