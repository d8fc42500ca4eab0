//! Ours beside the peer, in one run: `cargo bench`.
//!
//! Needs Debian's `snmpd` for the SNMP part and takes a few minutes; one part
//! alone is `cargo bench -- snmp` (or `tree`, `sip`, `cwmp`, `device`). Nothing is
//! asserted: each figure stands beside its target, and says whether it is met.
//! Every pair is measured in alternating rounds, and a figure is the median of
//! its rounds. What CPU figures are made from is said with them.

mod acs;
mod agents;
mod cwmp;
mod device;
mod folder;
mod manager;
mod measure;
mod process;
mod report;
mod sip;
mod snmp;
mod tree;
mod writes;

use report::Report;

fn main() {
    // Cargo passes its own switches; what is left names parts.
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    let mut report = Report::new();
    for (part, run) in PARTS {
        if wanted(part) {
            run(&mut report);
        }
    }
}

type Part = (&'static str, fn(&mut Report));

const PARTS: [Part; 5] = [
    ("tree", tree::run),
    ("sip", sip::run),
    ("snmp", snmp::run),
    ("cwmp", cwmp::run),
    ("device", device::run),
];
