//! Rows that an ACS adds, fills and deletes, as it sees them.

use crate::cwmp::transfers::certificate;
use crate::cwmp::world::{Answer, World, acs, events, informed, set, texts};
use demarc::north::cwmp::client::TroubleKind;
use demarc::north::cwmp::model::DataModel;
use demarc::north::cwmp::settings::Settings;
use demarc::schema::{Index, Name, Value, cert, hoc};
use demarc::tree::{Actor, Configured, Creation, RowState, Transaction, Tree};
use std::time::{Duration, Instant};

const HOSTS: &str = "Device.X_0090F8_Hoc.StaticHosts.";

fn add(path: &str) -> Answer {
    object("AddObject", path)
}

fn delete(path: &str) -> Answer {
    object("DeleteObject", path)
}

fn object(method: &str, path: &str) -> Answer {
    let body = format!(
        "<C:{method}><ObjectName>{path}</ObjectName>\
         <ParameterKey>k</ParameterKey></C:{method}>"
    );
    acs("row", &body)
}

fn get(path: &str) -> Answer {
    let body = format!(
        "<C:GetParameterValues><ParameterNames><string>{path}</string>\
         </ParameterNames></C:GetParameterValues>"
    );
    acs("get", &body)
}

fn is_there(world: &World, name: &str) -> bool {
    let name = Name::parse(name).expect("a name");
    world.tree.instances().read(&name).is_some()
}

#[test]
fn a_row_is_added_and_filled_in_one_session_and_in_use_after_it() {
    let mut world = World::bootstrapped();
    let name = format!("{HOSTS}1.Name");
    world.answers([
        informed(),
        add(HOSTS),
        set(&[(&name, "pbx.example")], "k2"),
        get(HOSTS),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "InstanceNumber"), ["1"]);
    assert_eq!(texts(&world.posts[2], "Status"), ["0"]);
    assert_eq!(texts(&world.posts[3], "Status"), ["0"]);
    assert!(world.posts[4].contains("pbx.example"));
    assert_eq!(world.read("Cwmp.ParameterKey"), Value::from("k2"));
    let snapshot = world.tree.snapshot();
    let row = snapshot.row(hoc::static_hosts::TABLE, &Index::number(1));
    let row = row.expect("it is there");
    assert_eq!(row.state, demarc::tree::RowState::Active);
}

#[test]
fn numbers_are_not_given_again_after_a_restart() {
    let mut world = World::bootstrapped();
    world.answers([
        informed(),
        add(HOSTS),
        add(HOSTS),
        delete(&format!("{HOSTS}2.")),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[4], "Status"), ["0"]);
    assert!(!is_there(&world, "Hoc.StaticHosts[Index=2].Name"));
    world.posts.clear();
    world.answers([informed(), add(HOSTS), get(&format!("{HOSTS}2."))]);
    world.restart();
    assert_eq!(texts(&world.posts[2], "InstanceNumber"), ["3"]);
    assert_eq!(texts(&world.posts[3], "FaultCode"), ["9005"]);
}

#[test]
fn a_row_of_another_face_is_kept_with_its_number_before_the_acs_hears_of_it() {
    let mut world = World::bootstrapped();
    world.assign("Hoc.StaticHosts[Index=1].Name", "a.example".into());
    world.answers([informed(), get(HOSTS)]);
    world.ask_for_a_session();
    assert!(texts(&world.posts[2], "Name").contains(&format!("{HOSTS}1.Name")));
    let row = world.read("Cwmp.Instance[Of=Hoc.StaticHosts,Number=1].Row");
    assert_eq!(row, Value::from("1"));
}

#[test]
fn an_anchor_that_the_acs_deletes_is_back_unless_a_session_follows() {
    let mut world = World::bootstrapped();
    let anchor = "Cert.OthersCertificatesMaterial[FileName=a.pem].Pem";
    let pem = certificate("Carrier CA").1.to_pem().expect("PEM");
    world.assign(anchor, Value::octets(pem));
    world.assign("Hoc.StaticHosts[Index=1].Name", "a.example".into());
    let anchors = "Device.X_DEMARC_Cert.OthersCertificatesMaterial.";
    world.answers([informed(), get(anchors), delete(&format!("{HOSTS}1."))]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[3], "Status"), ["0"]);
    assert!(world.tree.pending_changes().is_empty());
    let found = texts(&world.posts[2], "Name");
    let row = found.iter().find_map(|name| name.strip_suffix("Pem"));
    let row = row.expect("its object").to_owned();
    world.posts.clear();
    world.answers([
        informed(),
        delete(&row),
        Answer::Trouble(TroubleKind::NotResponding),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "Status"), ["0"]);
    assert!(!is_there(&world, anchor));
    assert_eq!(world.tree.pending_changes().len(), 1);
    world.decide(false);
    assert!(is_there(&world, anchor));
}

#[test]
fn an_anchor_that_the_acs_adds_counts_only_if_a_session_follows() {
    const ANCHORS: &str = "Device.X_DEMARC_Cert.OthersCertificatesMaterial.";
    let pem = certificate("Carrier CA").1.to_pem().expect("PEM");
    let pem = String::from_utf8(pem).expect("PEM");
    let state = |world: &World| {
        let table = cert::others_certificates_material::TABLE;
        let snapshot = world.tree.snapshot();
        let row = snapshot.row(table, &Index::text("cpe-1"));
        row.expect("it is there").state
    };
    for stays in [true, false] {
        let mut world = World::bootstrapped();
        let cell = format!("{ANCHORS}1.Pem");
        world.answers([
            informed(),
            add(ANCHORS),
            set(&[(&cell, &pem)], ""),
            Answer::Nothing,
            Answer::Trouble(TroubleKind::NotResponding),
        ]);
        world.ask_for_a_session();
        assert_eq!(texts(&world.posts[3], "Status"), ["0"]);
        // It is in use, and the next session is to prove that it may be.
        assert_eq!(state(&world), RowState::Active);
        assert_eq!(world.tree.pending_changes().len(), 1);
        assert_eq!(world.posts.len(), 5);
        world.decide(stays);
        let decided = match stays {
            true => RowState::Active,
            false => RowState::NotInService,
        };
        assert_eq!(state(&world), decided);
        // Sessions that follow leave it at that.
        world.answers([informed(), Answer::Nothing, informed()]);
        world.pass(Duration::from_secs(100));
        assert_eq!(state(&world), decided);
        assert!(world.tree.pending_changes().is_empty());
    }
}

#[test]
fn a_table_that_only_the_device_fills_refuses_rows() {
    let mut world = World::bootstrapped();
    world.answers([
        informed(),
        add("Device.X_0090F8_Nlm.LocalLogMessages."),
        add("Device.No."),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9001"]);
    assert_eq!(texts(&world.posts[3], "FaultCode"), ["9005"]);
    assert_eq!(world.read("Cwmp.ParameterKey"), Value::from(""));
}

#[test]
fn thousands_of_values_do_not_keep_the_acs_waiting() {
    let tree = Tree::in_memory();
    let mut rows = Transaction::new(Actor::device());
    for row in 1..=1300 {
        let index = Index::number(row);
        rows.create(hoc::static_hosts::TABLE, index, Creation::Active);
    }
    tree.commit_and_wait(rows, 0).expect("made");
    let settings = Settings::read(&tree.snapshot()).model;
    let view = tree.instances();
    let start = Instant::now();
    let model = DataModel::new(&view, &settings);
    let all = model.find("Device.").expect("all");
    let octets: usize = all.iter().map(|one| model.value(one).value.len()).sum();
    let took = start.elapsed();
    assert!(all.len() > 5000 && octets > 0, "{}", all.len());
    println!("{} values in {took:?}", all.len());
    // Without optimisation and beside other tests.
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_row_that_cannot_be_used_is_told_to_the_acs_and_the_operator_once() {
    const FILES: &str = "Device.X_DEMARC_Cert.HostCertificateMaterial.";
    const TOLD: &str = "Device.X_DEMARC_Cwmp.RowsNotInUse";
    let mut world = World::bootstrapped();
    let pem = format!("{FILES}1.Pem");
    world.answers([
        informed(),
        add(FILES),
        set(&[(&pem, "no certificate")], ""),
        Answer::Nothing,
        informed(),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[3], "Status"), ["0"]);
    let row = "Cert.HostCertificateMaterial[FileName=cpe-1]";
    let reason = world.read("Cwmp.RowsNotInUse");
    let reason = String::from_utf8_lossy(reason.as_octets().expect("text")).into_owned();
    assert!(reason.contains(row), "{reason}");
    // A session of its own says so.
    assert_eq!(events(&world.posts[4]), ["4 VALUE CHANGE"]);
    assert!(texts(&world.posts[4], "Name").contains(&TOLD.to_owned()));
    let steps = world.status.as_ref().expect("shown").sessions.iter();
    let mut steps = steps.flat_map(|session| session.steps.iter());
    assert!(steps.any(|step| step.starts_with(row)));
    // The same is not told again.
    world.posts.clear();
    world.answers([informed()]);
    world.ask_for_a_session();
    world.pass(Duration::from_secs(100));
    assert_eq!(world.posts.len(), 2);
    // Gone with the row.
    world.posts.clear();
    let one = format!("{FILES}1.");
    world.answers([informed(), delete(&one), Answer::Nothing, informed()]);
    world.ask_for_a_session();
    assert_eq!(world.read("Cwmp.RowsNotInUse"), Value::from(""));
}
