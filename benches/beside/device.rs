//! The program as it is shipped: how soon it serves, how much it takes.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::agents::{self, start};
use crate::folder::Folder;
use crate::manager::{Manager, SYS_DESCR, get};
use crate::measure::{repeat, wall};
use crate::process::{Process, program};
use crate::report::{Report, Target, Unit};

pub(crate) fn run(report: &mut Report) {
    let folder = Folder::new("device");
    let first = agents::demarc(&folder);
    let peer = agents::snmpd(&folder);
    report.table(
        "The program",
        &[
            "1 000 rows of Hoc.StaticHosts are stored".to_owned(),
            "serving: from the start of the process to its first answer to a GET".to_owned(),
            format!(
                "memory: Rss of /proc/PID/smaps_rollup after {} s without a request; the peer is \
                 snmpd of net-snmp {}",
                IDLE.as_secs(),
                agents::version()
            ),
        ],
    );
    let port = first.manager.port();
    first.process.stop();
    let home = folder.path().join("demarc");
    let serving = repeat(|| {
        let mut process = None;
        let took = wall(|| {
            process = Some(Process::start(&mut start(&home)));
            let mut manager = Manager::new(port, IMPATIENCE);
            while manager.try_ask(&get(&[SYS_DESCR])).is_none() {
                thread::sleep(IMPATIENCE);
            }
        });
        process.into_iter().for_each(Process::stop);
        took / 1e3
    });
    report.alone(
        "start to serving",
        Unit::Milliseconds,
        serving,
        Target::AtMost(100.0),
    );

    let ours = Process::start(&mut start(&home));
    thread::sleep(IDLE);
    let ((ours, anonymous), (theirs, _)) = (ours.resident(), peer.process.resident());
    let target = Target::AtMost(16.0);
    report.pair("memory while idle", Unit::MiB, ours, theirs, target);
    report.alone("of it not backed by files", Unit::MiB, anonymous, target);

    let size = fs::metadata(program()).expect("the program is built").len();
    let size = size as f64 / f64::from(1 << 20);
    report.alone("the program, stripped", Unit::MiB, size, target);
}

const IDLE: Duration = Duration::from_secs(5);
const IMPATIENCE: Duration = Duration::from_millis(1);
