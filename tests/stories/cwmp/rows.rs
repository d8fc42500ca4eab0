//! Rows that an ACS adds, fills and deletes, as it sees them.

use crate::cwmp::world::{Answer, World, acs, informed, set, texts};
use demarc::schema::{Name, Value};

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
    let index = demarc::schema::Index::number(1);
    let table = demarc::schema::hoc::static_hosts::TABLE;
    let snapshot = world.tree.snapshot();
    let row = snapshot.row(table, &index).expect("it is there");
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
