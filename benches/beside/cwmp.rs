//! The client of an ACS: how soon it answers, beside the `cwmp` crate and
//! beside our own SNMP, and what a long answer takes.

use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use cwmp::protocol::{
    BodyElement, CwmpVersion, Envelope, GetParameterValuesResponse, HeaderElement, ID,
    ParameterValue,
};
use demarc::north::cwmp::model::{DataModel, Parameter};
use demarc::north::cwmp::settings::{Model, Settings};
use demarc::schema::{Index, Name, Value, hoc};
use demarc::tree::{Actor, Configured, Instances, Transaction, Tree};
use demarc::wire::soap::message::{Header, Kind, Namespace};

use crate::acs::{self, Acs, Session};
use crate::agents::{self, free_port};
use crate::folder::Folder;
use crate::manager::{self, COMMUNITY, Manager};
use crate::measure::{THREAD, alternate, each, median, wall};
use crate::process::Process;
use crate::report::{Report, Target, Unit};

pub(crate) fn run(report: &mut Report) {
    report.table(
        "CWMP",
        &[
            "think time: on the wall, from the first octet of the ACS's answer to the last of \
             the device's next request, over loopback; medians"
                .to_owned(),
            format!(
                "the answer to GetParameterValues of {MANY} parameters: ours from the path to the \
                 octets, values read from the tree, printed into a counter and then into memory; \
                 the cwmp crate 0.2 from names and values that are there to the octets; {THREAD}"
            ),
            format!(
                "SetParameterValues beside SNMP SETs: the same {SET} names of Hoc.StaticHosts in \
                 the same process, in turns, on disk when it is answered: one transaction here, \
                 there {} PDUs of v2c with {PDU} bindings, as an answer of 1472 octets has room \
                 for, all outstanding at once; both on the wall, over loopback",
                (SET as usize).div_ceil(PDU)
            ),
            format!(
                "memory: the process's VmHWM while it answers GetParameterValues of all of \
                 {LONG} parameters and more, beyond its VmRSS before"
            ),
        ],
    );
    think(report);
    beside_the_crate(report);
    long_answer(report);
}

/// A device of so many hosts, in a session.
struct Bench {
    process: Process,
    session: Session,
    port: u16,
    _folder: Folder,
}

impl Bench {
    fn new(hosts: u32) -> Self {
        let folder = Folder::new("cwmp");
        let acs = Acs::new();
        let port = free_port();
        let script = folder.path().join("hosts.script");
        let host = |row| format!("Hoc.StaticHosts[Index={row}].Name=\"host-{row}.example.org\"\n");
        fs::write(&script, (1..=hosts).map(host).collect::<String>()).expect("a file");
        let mut command = agents::start(&folder.path().join("demarc"));
        command.arg("--script").arg(&script);
        let settings = [
            format!("Snmp.Port={port}"),
            "Snmp.EnableSnmpV2=enable".to_owned(),
            format!("Snmp.Community={COMMUNITY}"),
            "Snmp.SnmpUser=admin".to_owned(),
            "Cwmp.Tr104Enable=enable".to_owned(),
            format!("Cwmp.ListeningPort={}", free_port()),
        ];
        for setting in settings.iter().chain(&acs.settings()) {
            command.args(["--set", setting]);
        }
        let process = Process::start(&mut command);
        Self {
            session: acs.session(),
            process,
            port,
            _folder: folder,
        }
    }
}

fn think(report: &mut Report) {
    let mut bench = Bench::new(1_000);
    let names: Vec<String> = (1..=32).map(|row| format!("{HOSTS}{row}.Name")).collect();
    let (network, one) = ("Device.Services.VoiceService.1.SIP.Network.1.", SET_ONE);
    let mut said = Vec::new();
    let mut rounds = |what: &str, body: &dyn Fn(usize) -> String, expected: &str| {
        let mut times: Vec<f64> = Vec::new();
        for time in 0..THINKS {
            times.push(bench.session.ask(&body(time), &mut said));
            assert!(
                String::from_utf8_lossy(&said).contains(expected),
                "{}",
                String::from_utf8_lossy(&said)
            );
        }
        let target = Target::AtMost(1_000.0);
        report.alone(what, Unit::Microseconds, median(times), target);
    };
    rounds(
        "think time, GetParameterValues of 32 names",
        &|_| acs::get(&names),
        "GetParameterValuesResponse",
    );
    let names_of = format!(
        "<C:GetParameterNames><ParameterPath>{network}</ParameterPath><NextLevel>1</NextLevel>\
         </C:GetParameterNames>"
    );
    rounds(
        "think time, GetParameterNames of a gateway",
        &|_| names_of.clone(),
        "GetParameterNamesResponse",
    );
    rounds(
        "think time, SetParameterValues of one, durable",
        &|time| acs::set(&[(one.to_owned(), format!("name-{time}"))]),
        "SetParameterValuesResponse",
    );
    let (ours, snmp) = set_beside_set(&mut bench);
    let target = Target::RatioAtMost(1.5);
    let what = format!("SetParameterValues of {SET}, beside SNMP SETs");
    report.pair(&what, Unit::Microseconds, ours, snmp, target);
    bench.process.stop();
}

/// Microseconds of each.
fn set_beside_set(bench: &mut Bench) -> (f64, f64) {
    let mut manager = Manager::of(bench.port);
    let (mut ours, mut snmp) = (Vec::new(), Vec::new());
    let mut said = Vec::new();
    for time in 0..=SETS {
        let values: Vec<(String, String)> = (1..=SET)
            .map(|row| {
                (
                    format!("{HOSTS}{row}.Name"),
                    format!("acs-{row}-{time}.example.org"),
                )
            })
            .collect();
        ours.push(bench.session.ask(&acs::set(&values), &mut said));
        let text = String::from_utf8_lossy(&said);
        assert!(text.contains("SetParameterValuesResponse"), "{text}");
        let bindings: Vec<(Vec<u32>, String)> = (1..=SET)
            .map(|row| {
                (
                    [HOST_NAME, &[row]].concat(),
                    format!("nms-{row}-{time}.example.org"),
                )
            })
            .collect();
        let requests: Vec<Vec<u8>> = bindings.chunks(PDU).map(manager::set).collect();
        let took = wall(|| manager.ask(&requests, 1, requests.len()));
        for (name, value) in bindings.iter().step_by(PDU) {
            assert!(manager.reads(name, value), "it is set");
        }
        snmp.push(took);
    }
    (median(ours.split_off(1)), median(snmp.split_off(1)))
}

fn beside_the_crate(report: &mut Report) {
    let tree = Tree::in_memory();
    let model = Settings::read(&tree.snapshot()).model;
    let count = || found(&tree.instances(), &model).len();
    let mut rows = 0;
    while count() < MANY {
        let mut txn = Transaction::new(Actor::local());
        for row in rows + 1..=rows + 10 {
            let index = Index::number(row);
            let column = hoc::static_hosts::NAME.id();
            let value = Value::octets(format!("host-{row}.example.org"));
            txn.assign(Name { column, index }, value);
        }
        rows += 10;
        tree.commit_and_wait(txn, 0)
            .expect("nothing is wrong with it");
    }
    let view = tree.instances();
    let all = DataModel::new(&view, &model);
    let given: Vec<[String; 3]> = found(&view, &model)
        .iter()
        .map(|parameter| {
            let one = all.value(parameter);
            let kind = one.kind.unwrap_or(Kind::String).name();
            [one.name, format!("xsd:{kind}"), one.value]
        })
        .collect();
    let ours = || {
        each(ANSWERS, |_| {
            _ = black_box(answered(&tree.instances(), &model))
        })
    };
    let theirs = || each(ANSWERS, |_| _ = black_box(generated(&given)));
    let (ours, theirs) = alternate(ours, theirs);
    report.pair(
        &format!("GetParameterValues of {} parameters", given.len()),
        Unit::Microseconds,
        ours,
        theirs,
        Target::RatioAtMost(1.0 / 3.0),
    );
}

fn found(view: &Instances, model: &Model) -> Vec<Parameter> {
    DataModel::new(view, model)
        .find("Device.")
        .expect("it is there")
}

/// As the device does it: measured first, then printed.
fn answered(view: &Instances, model: &Model) -> Vec<u8> {
    let all = DataModel::new(view, model);
    let mut selection = all.nothing();
    all.select("Device.", &mut selection).expect("it is there");
    let header = Header {
        id: Some("7".into()),
        ..Header::default()
    };
    let selection = selection.held();
    let mut count = Count(0);
    let counted = selection.print(Namespace::Cwmp10, &header, model, &mut count);
    counted.expect("it takes all");
    let mut octets = Vec::with_capacity(count.0);
    let printed = selection.print(Namespace::Cwmp10, &header, model, &mut octets);
    printed.expect("it takes all");
    octets
}

fn generated(given: &[[String; 3]]) -> String {
    let value = |[name, kind, value]: &[String; 3]| {
        ParameterValue::new(name.clone(), kind.clone(), value.clone())
    };
    let response = GetParameterValuesResponse::new(given.iter().map(value).collect());
    let envelope = Envelope::new(
        Some(CwmpVersion::new(1, 0)),
        vec![HeaderElement::ID(ID::new(true, "7".to_owned()))],
        vec![BodyElement::GetParameterValuesResponse(response)],
    );
    envelope.generate().expect("an envelope")
}

/// Counts octets.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += octets.len();
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn long_answer(report: &mut Report) {
    let mut bench = Bench::new(4_200);
    let mut said = Vec::with_capacity(8 << 20);
    // So that its code is in memory: it is the device's.
    bench
        .session
        .ask(&acs::get(&["Device.Services.".to_owned()]), &mut said);
    bench
        .session
        .ask(&acs::get(&["Device.X_0090F8_SipEp.".to_owned()]), &mut said);
    // What it does with 4 000 new rows in the background is over by then.
    sleep(IDLE);
    let before = bench.process.forget_peak();
    bench
        .session
        .ask(&acs::get(&["Device.".to_owned()]), &mut said);
    let peak = bench.process.peak();
    let text = String::from_utf8_lossy(&said);
    let parameters = text.matches("<Name>").count();
    assert!(parameters >= LONG, "only {parameters}");
    report.alone(
        &format!("memory of an answer of {parameters} parameters"),
        Unit::MiB,
        peak - before,
        Target::AtMost(1.0),
    );
    bench.process.stop();
}

const HOSTS: &str = "Device.X_0090F8_Hoc.StaticHosts.";
const SET_ONE: &str = "Device.X_0090F8_Hoc.SystemName";
/// Hoc.StaticHosts.Name.
const HOST_NAME: &[u32] = &[
    1, 3, 6, 1, 4, 1, 4935, 1000, 100, 200, 100, 700, 1, 650, 100, 1, 200,
];
const IDLE: Duration = Duration::from_secs(10);
const THINKS: usize = 500;
const SET: u32 = 500;
const SETS: usize = 60;
/// Bindings of a SET.
const PDU: usize = 25;
const MANY: usize = 5_000;
const ANSWERS: usize = 20;
const LONG: usize = 20_000;
