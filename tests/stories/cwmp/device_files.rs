//! The files of the unit, as TR-181 DeviceInfo lists them: scripts, the log
//! and firmware images.

use super::transfers::{download, fetching, octets, told};
use super::world::{World, acs, informed, texts};
use demarc::north::cwmp::fault::Code;
use demarc::north::cwmp::transfers::{Failure, Heard, Wanted};
use std::time::Duration;

const INFO: &str = "Device.DeviceInfo.";
const IMAGE: &str = "1 Firmware Upgrade Image";
const SCRIPT: &str = "3 Vendor Configuration File";

/// The value of a parameter, as the ACS reads it in a session of its own.
fn read(world: &mut World, name: &str) -> String {
    let body = format!(
        "<C:GetParameterValues><ParameterNames><string>{INFO}{name}</string>\
         </ParameterNames></C:GetParameterValues>"
    );
    world.posts.clear();
    world.answers([informed(), acs("get", &body)]);
    world.ask_for_a_session();
    let answer = world.posts.pop().expect("the last post");
    let answer = match answer.as_str() {
        "" => world.posts.pop().expect("the answer"),
        _ => answer,
    };
    let (_, value) = answer.split_once("<Value").expect("a value");
    let (_, value) = value.split_once('>').expect("a tag");
    value.split('<').next().expect("a text").to_owned()
}

fn asked(file_type: &str) -> (World, u32) {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k", file_type, 0)]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    (world, row)
}

#[test]
fn the_last_script_of_an_acs_is_listed_once_it_is_applied() {
    let (mut world, row) = asked(SCRIPT);
    world.moved(Heard::Fetched(row, Ok(octets("Hoc.SystemName=a\n"))));
    assert!(matches!(world.wanted.pop(), Some(Wanted::RunScript(..))));
    assert_eq!(read(&mut world, "VendorConfigFileNumberOfEntries"), "0");
    world.pass(Duration::from_secs(5));
    world.answers([informed(), told()]);
    world.moved(Heard::Applied(row, Ok(0)));
    assert_eq!(read(&mut world, "VendorConfigFileNumberOfEntries"), "1");
    assert_eq!(read(&mut world, "VendorConfigFile.2.Name"), "a.pem");
    // The world began at 2027-01-15T08:00:00Z.
    let date = read(&mut world, "VendorConfigFile.2.Date");
    assert_eq!(date, "2027-01-15T08:00:05Z");
}

#[test]
fn a_script_that_failed_is_not_listed() {
    let (mut world, row) = asked(SCRIPT);
    world.moved(Heard::Fetched(row, Ok(octets("Hoc.Nothing=a\n"))));
    world.answers([informed(), told()]);
    let why = Failure::new(Code::TransferCorrupted, "no such object");
    world.moved(Heard::Applied(row, Err(why)));
    assert_eq!(read(&mut world, "VendorConfigFileNumberOfEntries"), "0");
}

#[test]
fn the_log_is_the_file_that_an_upload_names() {
    let mut world = World::bootstrapped();
    assert_eq!(read(&mut world, "VendorLogFileNumberOfEntries"), "1");
    assert_eq!(read(&mut world, "VendorLogFile.1.Persistent"), "false");
}

#[test]
fn the_image_that_runs_is_listed_and_the_one_that_comes_beside_it() {
    let (mut world, row) = asked(IMAGE);
    let software = read(&mut world, "SoftwareVersion");
    assert_eq!(read(&mut world, "FirmwareImage.1.Status"), "Active");
    assert_eq!(read(&mut world, "FirmwareImage.1.Version"), software);
    assert_eq!(read(&mut world, "FirmwareImage.2.Status"), "Downloading");
    assert_eq!(read(&mut world, "FirmwareImage.2.Name"), "");
    world.moved(Heard::Fetched(row, Ok(octets(""))));
    assert_eq!(read(&mut world, "FirmwareImage.2.Status"), "Validating");
    world.answers([informed(), told()]);
    world.moved(Heard::Installed(row, Ok(())));
    // Also once the ACS has been told and the transfer is forgotten.
    assert!(texts(&world.posts.concat(), "CommandKey").contains(&"k".to_owned()));
    assert_eq!(read(&mut world, "FirmwareImage.2.Status"), "Available");
    assert_eq!(read(&mut world, "FirmwareImage.2.Name"), "a.pem");
}

#[test]
fn what_an_image_failed_by_is_listed() {
    let status = |of: fn(u32) -> Vec<Heard>| {
        let (mut world, row) = asked(IMAGE);
        world.answers([informed(), told()]);
        for heard in of(row) {
            world.moved(heard);
        }
        read(&mut world, "FirmwareImage.2.Status")
    };
    let lost = status(|row| {
        let why = Failure::new(Code::TransferServerUnreachable, "no");
        vec![Heard::Fetched(row, Err(why))]
    });
    assert_eq!(lost, "DownloadFailed");
    let unsigned = status(|row| {
        let why = Failure::new(Code::TransferFileAuthentication, "no");
        vec![Heard::Fetched(row, Err(why))]
    });
    assert_eq!(unsigned, "ValidationFailed");
    let unfit = status(|row| {
        let why = Failure::new(Code::TransferFailed, "no");
        let whole = Heard::Fetched(row, Ok(octets("")));
        vec![whole, Heard::Installed(row, Err(why))]
    });
    assert_eq!(unfit, "InstallationFailed");
}
