//! Files that the ACS has moved: what is told of them, and what survives.

use super::world::{Answer, World, acs, events, informed, set, texts};
use demarc::north::cwmp::client::TroubleKind;
use demarc::north::cwmp::fault::Code;
use demarc::north::cwmp::transfers::{Failure, Heard, Wanted};
use demarc::schema::{Name, Value};
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name};
use std::time::Duration;
use zeroize::Zeroizing;

pub(super) fn download(key: &str, file_type: &str, delay: u32) -> Answer {
    let url = "https://files.example/a.pem";
    acs(
        key,
        &format!(
            "<C:Download><CommandKey>{key}</CommandKey><FileType>{file_type}</FileType>\
             <URL>{url}</URL><Username>u</Username><Password>p</Password><FileSize>0</FileSize>\
             <TargetFileName></TargetFileName><DelaySeconds>{delay}</DelaySeconds>\
             <SuccessURL></SuccessURL><FailureURL></FailureURL></C:Download>"
        ),
    )
}

const IMAGE: &str = "1 Firmware Upgrade Image";
const SCRIPT: &str = "3 Vendor Configuration File";
const ANCHORS: &str = "X 0090F8 TrustAnchors";
const HOST: &str = "X 0090F8 Certificate";

pub(super) fn told() -> Answer {
    acs("1", "<C:TransferCompleteResponse/>")
}

pub(super) fn octets(octets: impl Into<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(octets.into())
}

/// The row of what is to be fetched.
pub(super) fn fetching(world: &mut World) -> u32 {
    match world.wanted.pop() {
        Some(Wanted::Fetch(row, _)) => row,
        other => panic!("a fetch and not {other:?}"),
    }
}

/// Applies what waits for it; a session proves it, and then it is told of.
fn put_to_use(world: &mut World) {
    world.answers([informed()]);
    world.apply();
    world.posts.clear();
    world.answers([informed(), told()]);
    world.decide(true);
}

pub(crate) fn certificate(name: &str) -> (PKey<Private>, X509) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
    let mut subject = X509Name::builder().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a CN");
    let subject = subject.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("set");
    builder.set_subject_name(&subject).expect("set");
    builder.set_issuer_name(&subject).expect("set");
    builder.set_pubkey(&key).expect("set");
    let now = Asn1Time::days_from_now(0).expect("a time");
    builder.set_not_before(&now).expect("set");
    let then = Asn1Time::days_from_now(30).expect("a time");
    builder.set_not_after(&then).expect("set");
    let authority = BasicConstraints::new().critical().ca().build();
    let authority = authority.expect("an extension");
    builder.append_extension(authority).expect("set");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    (key, builder.build())
}

fn has(world: &World, name: &str) -> bool {
    let name = Name::parse(name).expect("a name");
    world.tree.instances().read(&name).is_some()
}

#[test]
fn a_download_begins_after_the_session_and_is_told_of_with_its_key_and_times() {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k1", ANCHORS, 0)]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "Status"), ["1"]);
    assert_eq!(
        texts(&world.posts[2], "StartTime"),
        ["0001-01-01T00:00:00Z"]
    );
    assert_eq!(world.closed, 1);
    let row = fetching(&mut world);
    world.pass(Duration::from_secs(9));
    let pem = certificate("Carrier CA").1.to_pem().expect("PEM");
    world.moved(Heard::Fetched(row, Ok(octets(pem))));
    put_to_use(&mut world);
    assert_eq!(
        events(&world.posts[0]),
        ["7 TRANSFER COMPLETE", "M Download"]
    );
    assert_eq!(texts(&world.posts[0], "CommandKey"), ["", "k1"]);
    let complete = &world.posts[1];
    assert!(complete.contains("<cwmp:TransferComplete>"), "{complete}");
    assert_eq!(texts(complete, "CommandKey"), ["k1"]);
    assert_eq!(texts(complete, "FaultCode"), ["0"]);
    assert_eq!(texts(complete, "StartTime"), ["2027-01-15T08:00:00Z"]);
    assert_eq!(texts(complete, "CompleteTime"), ["2027-01-15T08:00:09Z"]);
    assert!(has(
        &world,
        "Cert.OthersCertificatesMaterial[FileName=a.pem].Pem"
    ));
    // And never again.
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
    assert!(world.wanted.is_empty());
}

#[test]
fn what_a_restart_interrupts_is_begun_again_and_its_end_is_told_until_it_is_taken() {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k1", SCRIPT, 0)]);
    world.ask_for_a_session();
    fetching(&mut world);
    world.answers([informed()]);
    world.restart();
    let row = fetching(&mut world);
    let missing = Failure::new(
        Code::TransferFileUnreachable,
        "files.example has no such file",
    );
    world.posts.clear();
    // The events arrive, the TransferComplete does not.
    world.answers([informed(), Answer::Trouble(TroubleKind::NotResponding)]);
    world.moved(Heard::Fetched(row, Err(missing)));
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9016"]);
    world.posts.clear();
    world.answers([informed(), told()]);
    world.restart();
    assert_eq!(
        events(&world.posts[0]),
        ["1 BOOT", "7 TRANSFER COMPLETE", "M Download"]
    );
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9016"]);
    assert_eq!(world.posts[2], "");
}

#[test]
fn a_delay_is_waited_for_also_over_a_restart() {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k1", SCRIPT, 100)]);
    world.ask_for_a_session();
    assert!(world.wanted.is_empty());
    world.pass(Duration::from_secs(60));
    world.answers([informed()]);
    world.restart();
    world.pass(Duration::from_secs(39));
    assert!(world.wanted.is_empty());
    world.pass(Duration::from_secs(1));
    fetching(&mut world);
}

#[test]
fn one_file_is_moved_at_a_time_and_more_than_sixteen_do_not_wait() {
    let mut world = World::bootstrapped();
    let many = (0..17).map(|number| download(&format!("k{number}"), SCRIPT, 0));
    world.answers(std::iter::once(informed()).chain(many));
    world.answers([acs("q", "<C:GetAllQueuedTransfers/>")]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[18], "FaultCode"), ["9004"]);
    assert_eq!(texts(&world.posts[19], "State"), ["1"; 16]);
    assert_eq!(world.wanted.len(), 1);
}

#[test]
fn another_acs_hears_nothing_of_the_transfers_of_the_last() {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k1", SCRIPT, 0)]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    world.posts.clear();
    world.answers([informed()]);
    world.change("Cwmp.AcsStaticUrl", "http://other.example/".into());
    assert_eq!(events(&world.posts[0]), ["0 BOOTSTRAP"]);
    assert!(matches!(world.wanted.pop(), Some(Wanted::Abort(of)) if of == row));
    world.moved(Heard::Fetched(row, Ok(octets("Hoc.SystemName=x"))));
    assert!(world.wanted.is_empty());
    assert!(!has(&world, "Cwmp.Transfer[Index=1].State"));
}

#[test]
fn a_script_is_run_and_what_is_wrong_with_it_is_told_as_an_unusable_file() {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k1", SCRIPT, 0)]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    world.moved(Heard::Fetched(row, Ok(octets("Hoc.Nothing=1"))));
    let Some(Wanted::RunScript(_, script, within)) = world.wanted.pop() else {
        panic!("a script");
    };
    assert_eq!((&script[..], within), (&b"Hoc.Nothing=1"[..], Some(600)));
    let why = "there is no object ".to_owned() + &"x".repeat(400);
    world.posts.clear();
    world.answers([informed(), told()]);
    let unusable = Failure::new(Code::TransferCorrupted, why);
    world.moved(Heard::Applied(row, Err(unusable)));
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9018"]);
    // cwmp-1-2.xsd: as long as that.
    assert_eq!(texts(&world.posts[1], "FaultString")[0].len(), 256);
}

fn schedule(key: &str, windows: &[(u32, u32, i32)]) -> Answer {
    schedule_of(SCRIPT, key, windows)
}

fn schedule_of(file_type: &str, key: &str, windows: &[(u32, u32, i32)]) -> Answer {
    let windows: String = windows
        .iter()
        .map(|(start, end, retries)| {
            format!(
                "<TimeWindowStruct><WindowStart>{start}</WindowStart><WindowEnd>{end}</WindowEnd>\
                 <WindowMode>1 At Any Time</WindowMode><UserMessage></UserMessage>\
                 <MaxRetries>{retries}</MaxRetries></TimeWindowStruct>"
            )
        })
        .collect();
    acs(
        key,
        &format!(
            "<C:ScheduleDownload><CommandKey>{key}</CommandKey><FileType>{file_type}</FileType>\
             <URL>https://files.example/a</URL><Username></Username><Password></Password>\
             <FileSize>0</FileSize><TargetFileName></TargetFileName>\
             <TimeWindowList>{windows}</TimeWindowList></C:ScheduleDownload>"
        ),
    )
}

fn cancel(key: &str) -> Answer {
    let body = format!("<C:CancelTransfer><CommandKey>{key}</CommandKey></C:CancelTransfer>");
    acs("cancel", &body)
}

#[test]
fn a_scheduled_download_is_tried_in_its_windows_and_its_last_failure_is_told() {
    let mut world = World::bootstrapped();
    world.answers([informed(), schedule("k1", &[(100, 200, 1), (300, 310, 0)])]);
    world.ask_for_a_session();
    assert!(world.posts[2].contains("ScheduleDownloadResponse"));
    world.pass(Duration::from_secs(99));
    assert!(world.wanted.is_empty());
    for wait in [1, 30, 170] {
        world.pass(Duration::from_secs(wait));
        let row = fetching(&mut world);
        let failure = Failure::new(Code::TransferServerUnreachable, "nobody is there");
        if wait == 170 {
            world.posts.clear();
            world.answers([informed(), told()]);
        }
        world.moved(Heard::Fetched(row, Err(failure)));
    }
    world.pass(Duration::from_secs(60));
    assert_eq!(
        events(&world.posts[0]),
        ["7 TRANSFER COMPLETE", "M ScheduleDownload"]
    );
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9015"]);
}

#[test]
fn a_file_that_takes_longer_than_its_windows_is_given_up() {
    let mut world = World::bootstrapped();
    world.answers([informed(), schedule("k1", &[(0, 50, 5)])]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    world.posts.clear();
    world.answers([informed(), told()]);
    world.pass(Duration::from_secs(50));
    assert!(matches!(world.wanted.pop(), Some(Wanted::Abort(of)) if of == row));
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9020"]);
}

#[test]
fn a_transfer_is_cancelled_until_its_file_is_being_put_into_use() {
    let mut world = World::bootstrapped();
    world.answers([
        informed(),
        download("k1", SCRIPT, 0),
        download("k2", SCRIPT, 0),
        download("k3", SCRIPT, 500),
    ]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    // One that runs, one that waits, one that is not there.
    let queue = acs("q", "<C:GetQueuedTransfers/>");
    world.posts.clear();
    world.answers([informed(), cancel("k1"), cancel("k3"), cancel("k9"), queue]);
    world.ask_for_a_session();
    for post in &world.posts[2..5] {
        assert!(post.contains("CancelTransferResponse"), "{post}");
    }
    assert_eq!(texts(&world.posts[5], "CommandKey"), ["k2"]);
    let Some(Wanted::Fetch(second, _)) = world.wanted.pop() else {
        panic!("the next one");
    };
    assert!(matches!(world.wanted.pop(), Some(Wanted::Abort(of)) if of == row));
    world.moved(Heard::Fetched(second, Ok(octets("Hoc.SystemName=x"))));
    world.posts.clear();
    world.answers([informed(), cancel("k2")]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9021"]);
}

#[test]
pub(crate) fn transfers_of_others_are_told_of_as_the_policy_says() {
    use demarc::schema::{Index, cert::transfer};
    let mut world = World::bootstrapped();
    let policy = "Device.ManagementServer.AutonomousTransferCompletePolicy";
    let ends = |world: &mut World, state: transfer::State, at: &str| {
        world.tree.live().publish(|live| {
            let index = Index::number(1);
            live.set(transfer::STATE, &index, state);
            live.set(transfer::REASON, &index, "no such file");
            live.set(transfer::FINISHED, &index, at);
        });
        world.posts.clear();
        world.answers([
            informed(),
            acs("1", "<C:AutonomousTransferCompleteResponse/>"),
        ]);
        world.change("Hoc.SystemContact", at.into());
        let complete = world.posts.get(1).cloned().unwrap_or_default();
        world.forget_answers();
        complete
    };
    let url = "https://files.example/ca.pem?secret=1";
    world.change("Cert.Transfer[Index=1].Url", url.into());
    world.change("Cert.Transfer[Index=1].Type", Value::Integer(200));
    let (done, failed) = (transfer::State::Done, transfer::State::Failed);
    assert_eq!(ends(&mut world, done, "2026-03-01 00:00:01"), "");
    world.answers([
        informed(),
        set(
            &[
                (&format!("{policy}.Enable"), "true"),
                (&format!("{policy}.ResultTypeFilter"), "Failure"),
                (&format!("{policy}.TransferTypeFilter"), "Download"),
            ],
            "",
        ),
    ]);
    world.ask_for_a_session();
    assert_eq!(ends(&mut world, done, "2026-03-01 00:00:02"), "");
    let told = ends(&mut world, failed, "2026-03-01 00:00:03");
    assert_eq!(events(&world.posts[0]), ["10 AUTONOMOUS TRANSFER COMPLETE"]);
    assert_eq!(texts(&told, "FaultCode"), ["9010"]);
    assert_eq!(texts(&told, "FileType"), ["X 0090F8 TrustAnchors"]);
    assert_eq!(texts(&told, "CompleteTime"), ["2026-03-01T00:00:03Z"]);
    for (object, value) in [
        ("Cwmp.AutonomousCompleteTransferType", Value::Integer(100)),
        (
            "Cwmp.AutonomousCompleteFileType",
            "X 0090F8 Certificate".into(),
        ),
    ] {
        let before = world.read(object);
        world.change(object, value);
        assert_eq!(ends(&mut world, failed, &format!("at {object}")), "");
        world.change(object, before);
    }
}

#[test]
fn a_file_is_asked_for_at_the_wish_of_the_unit() {
    let mut world = World::bootstrapped();
    world.answers([informed(), acs("1", "<C:RequestDownloadResponse/>")]);
    world.wish_for("1 Firmware Upgrade Image");
    assert_eq!(events(&world.posts[0]), ["9 REQUEST DOWNLOAD"]);
    assert!(world.posts[1].contains("<cwmp:RequestDownload>"));
    assert_eq!(
        texts(&world.posts[1], "FileType"),
        ["1 Firmware Upgrade Image"]
    );
    world.posts.clear();
    world.answers([informed()]);
    world.ask_for_a_session();
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
}

#[test]
pub(crate) fn pkcs12_is_opened_only_where_a_setting_lets_it() {
    let (key, leaf) = certificate("gw");
    let mut builder = Pkcs12::builder();
    builder.pkey(&key).cert(&leaf).name("gw");
    let file = builder.build2("secret").expect("PKCS#12");
    let file = file.to_der().expect("DER");
    let mut world = World::bootstrapped();
    for (import, passphrase, code) in [
        (0, "secret", "9018"),
        (1, "other", "9018"),
        (1, "secret", "0"),
    ] {
        world.change("Cwmp.Pkcs12Import", Value::Integer(import));
        world.change("Cwmp.Pkcs12Passphrase", passphrase.into());
        world.answers([informed(), download("k", HOST, 0)]);
        world.ask_for_a_session();
        let row = fetching(&mut world);
        world.posts.clear();
        if code != "0" {
            world.answers([informed(), told()]);
        }
        world.moved(Heard::Fetched(row, Ok(octets(file.clone()))));
        if code == "0" {
            put_to_use(&mut world);
        }
        assert_eq!(texts(&world.posts[1], "FaultCode"), [code]);
    }
    assert!(has(
        &world,
        "Cert.HostCertificateMaterial[FileName=a.pem].Pem"
    ));
}

/// An image is with the installer when the power is cut; how that had gone is told.
fn cut_off(outcome: Result<(), Failure>, request: Answer) -> World {
    let mut world = World::bootstrapped();
    world.answers([informed(), request]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    world.moved(Heard::Fetched(row, Ok(octets(""))));
    assert!(matches!(world.wanted.pop(), Some(Wanted::Install(of)) if of == row));
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    // Nothing is said before it is known, and nothing else is begun.
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
    assert!(matches!(world.wanted.pop(), Some(Wanted::Recall(of)) if of == row));
    world.posts.clear();
    world.answers([informed(), told()]);
    world.moved(Heard::Recalled(row, outcome));
    world
}

#[test]
fn an_image_that_was_being_installed_at_a_restart_is_told_of_as_the_installer_left_it() {
    let failed = || Failure::new(Code::TransferFailed, "the installer was cut off");
    for (outcome, code) in [(Ok(()), "0"), (Err(failed()), "9010")] {
        let world = cut_off(outcome, download("k1", IMAGE, 0));
        assert_eq!(
            events(&world.posts[0]),
            ["7 TRANSFER COMPLETE", "M Download"]
        );
        assert_eq!(texts(&world.posts[1], "FaultCode"), [code]);
    }
}

#[test]
fn an_installer_that_stopped_the_unit_is_not_tried_again_in_its_window() {
    let failed = Failure::new(Code::TransferFailed, "the installer was cut off");
    let request = schedule_of(IMAGE, "k1", &[(0, 1000, 5)]);
    let mut world = cut_off(Err(failed), request);
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9010"]);
    world.pass(Duration::from_secs(100));
    assert!(world.wanted.is_empty());
}

/// Trust that the ACS sent is in use and may still be undone; the session
/// after it went as the answer says.
fn provisional(answer: Answer) -> World {
    let mut world = World::bootstrapped();
    world.answers([informed(), download("k1", ANCHORS, 0)]);
    world.ask_for_a_session();
    let row = fetching(&mut world);
    let pem = certificate("Carrier CA").1.to_pem().expect("PEM");
    world.posts.clear();
    world.answers([answer]);
    world.moved(Heard::Fetched(row, Ok(octets(pem))));
    world.apply();
    assert_eq!(events(&world.posts[0]), ["2 PERIODIC"]);
    assert_eq!(world.tree.pending_changes().len(), 1);
    world.posts.clear();
    world
}

const ANCHOR: &str = "Cert.OthersCertificatesMaterial[FileName=a.pem].Pem";

#[test]
fn trust_that_no_session_follows_is_undone_and_told_as_failed() {
    let mut world = provisional(Answer::Trouble(TroubleKind::NotResponding));
    world.answers([informed(), told()]);
    world.decide(false);
    assert!(!has(&world, ANCHOR));
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9002"]);
}

#[test]
fn trust_that_waits_for_more_than_a_session_is_told_of_once_it_is_decided() {
    let mut world = provisional(informed());
    // The session went well; registrations are still to be seen.
    assert_eq!(world.proven.len(), 2);
    world.answers([informed()]);
    world.ask_for_a_session();
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
    assert_eq!(world.posts[1..], [""]);
    world.posts.clear();
    world.answers([informed(), told()]);
    world.decide(false);
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["9002"]);
}

#[test]
fn trust_that_somebody_confirms_by_hand_is_told_as_done() {
    let mut world = provisional(Answer::Trouble(TroubleKind::NotResponding));
    world.answers([informed(), told()]);
    world.decide(true);
    assert!(has(&world, ANCHOR));
    assert_eq!(texts(&world.posts[1], "FaultCode"), ["0"]);
}
