//! Paths of an ACS: whatever one means, each parameter is found by its own path.
#![no_main]

use demarc::north::cwmp::model::DataModel;
use demarc::north::cwmp::settings::Settings;
use demarc::schema::{Index, Name, Value, sip_ep};
use demarc::tree::{Actor, Configured, Creation, Transaction, Tree};
use demarc::wire::soap::message::ParameterValue;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let tree = Tree::in_memory();
    let mut rows = Transaction::new(Actor::device());
    for name in ["default", "other"] {
        let index = Index::text(name);
        rows.create(sip_ep::gateway::TABLE, index, Creation::Active);
    }
    for name in ["Cwmp.Tr104Enable", "Cwmp.AutoCreateInstances"] {
        let name = Name::parse(name).expect("a scalar");
        rows.assign(name, Value::Integer(1));
    }
    tree.commit_and_wait(rows, 0).expect("made");
    tree
});

fuzz_target!(|path: &str| {
    let view = TREE.instances();
    let settings = Settings::read(&TREE.snapshot()).model;
    let model = DataModel::new(&view, &settings);
    for next_level in [false, true] {
        let _ = model.names(path, next_level);
    }
    for one in model.find(path).into_iter().flatten().take(50) {
        let again = model.find(&one.path()).expect("it was just found");
        assert_eq!(again.len(), 1, "{}", one.path());
        assert_eq!(model.value(&again[0]), model.value(&one));
    }
    let mut wishes = Transaction::new(Actor::device());
    let _ = model.add(path, &mut wishes);
    let _ = model.delete(path, &mut wishes);
    let value = ParameterValue {
        name: path.to_owned(),
        value: "1".to_owned(),
        kind: None,
    };
    if let Err(faults) = model.set(&[value], &mut wishes) {
        assert_eq!(faults.len(), 1);
    }
});
