//! Our agent beside net-snmp's `snmpd`: CPU that each spends on the same requests.

use crate::agents::{self, Agent, CONFIGURATION};
use crate::folder::Folder;
use crate::manager::{get, get_bulk};
use crate::measure::alternate;
use crate::process::CPU;
use crate::report::{Report, Target, Unit};

pub(crate) fn run(report: &mut Report) {
    let folder = Folder::new("snmp");
    let mut ours = agents::demarc(&folder);
    let mut peer = agents::snmpd(&folder);
    let walk = cheapest_walk(&mut peer);
    report.table(
        "SNMP: CPU of the agent for a request",
        &[
            format!("peer: snmpd of net-snmp {}, told", agents::version()),
            format!("`{}`", CONFIGURATION.trim().replace('\n', "`, `")),
            CPU.to_owned(),
            format!(
                "requests are made beforehand; {BUSY} are outstanding, as from so many managers; \
                 \"one by one\": each waits for the answer before"
            ),
            format!(
                "GETBULK asks for {REPETITIONS} repetitions of one column: here Hoc.StaticHosts \
                 of 1 000 rows, there {}, the cheapest for snmpd of {}",
                walk.name, walk.tried
            ),
        ],
    );
    let gets: Vec<Vec<u8>> = SYSTEM
        .map(|object| get(&[&[1, 3, 6, 1, 2, 1, 1, object, 0]]))
        .into();
    for (what, at_once) in [("v2c GET", BUSY), ("v2c GET, one by one", 1)] {
        let (ours, peer) = alternate(|| ours.cost(&gets, at_once), || peer.cost(&gets, at_once));
        let target = Target::RatioAtMost(0.35);
        report.pair(what, Unit::Microseconds, ours, peer, target);
    }

    let from = |row: u32| get_bulk(REPETITIONS, &[&[HOST_NAME, &[row]].concat()]);
    let bulks: Vec<Vec<u8>> = (0..20).map(|part| from(part * 45)).collect();
    let [our_each, their_each] = [
        ours.manager.bindings(&bulks[0]),
        peer.manager.bindings(&walk.request),
    ]
    .map(|bindings| bindings as f64);
    let (our_cost, their_cost) = alternate(
        || ours.cost(&bulks, BUSY) / our_each,
        || peer.cost(std::slice::from_ref(&walk.request), BUSY) / their_each,
    );
    let target = Target::RatioAtMost(0.2);
    report.pair(
        "GETBULK, a binding",
        Unit::Microseconds,
        our_cost,
        their_cost,
        target,
    );

    let (our_get, their_get) = ([ours.private_get()], [peer.private_get()]);
    for (what, at_once) in [("authPriv GET", BUSY), ("authPriv GET, one by one", 1)] {
        let (ours, peer) = alternate(
            || ours.cost(&our_get, at_once),
            || peer.cost(&their_get, at_once),
        );
        let target = Target::RatioAtMost(0.4);
        let what = format!("{what}, SHA-1 and AES-128");
        report.pair(&what, Unit::Microseconds, ours, peer, target);
    }
}

/// What snmpd walks.
struct Walk {
    name: &'static str,
    request: Vec<u8>,
    /// What each of the others costs.
    tried: String,
}

/// The rows that cost snmpd least, so that the comparison is none with its slow tables.
fn cheapest_walk(peer: &mut Agent) -> Walk {
    let mut walks: Vec<(f64, &str, Vec<u8>)> = THEIR_ROWS
        .map(|(name, column)| {
            let request = get_bulk(REPETITIONS, &[column]);
            let each = peer.manager.bindings(&request) as f64;
            let cost = peer.cost(std::slice::from_ref(&request), BUSY) / each;
            (cost, name, request)
        })
        .into();
    walks.sort_by(|one, other| one.0.total_cmp(&other.0));
    let tried: Vec<String> = walks
        .iter()
        .map(|(cost, name, _)| format!("{name} ({cost:.2} us)"))
        .collect();
    let (_, name, request) = walks.swap_remove(0);
    Walk {
        name,
        request,
        tried: tried.join(", "),
    }
}

/// Requests that wait at a time.
const BUSY: usize = 8;
const REPETITIONS: u32 = 20;
/// sysDescr, sysObjectID, sysContact, sysName, sysLocation.
const SYSTEM: [u32; 5] = [1, 2, 4, 5, 6];
/// Hoc.StaticHosts.Name.
const HOST_NAME: &[u32] = &[
    1, 3, 6, 1, 4, 1, 4935, 1000, 100, 200, 100, 700, 1, 650, 100, 1, 200,
];
const THEIR_ROWS: [(&str, &[u32]); 5] = [
    ("sysORTable", &[1, 3, 6, 1, 2, 1, 1, 9, 1, 2]),
    ("ifTable", &[1, 3, 6, 1, 2, 1, 2, 2, 1]),
    ("hrSWRunTable", &[1, 3, 6, 1, 2, 1, 25, 4, 2, 1, 2]),
    ("vacmAccessTable", &[1, 3, 6, 1, 6, 3, 16, 1, 4, 1]),
    ("the scalars of its snmp group", &[1, 3, 6, 1, 2, 1, 11]),
];
