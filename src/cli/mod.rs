//! The command line: a device's operator at a terminal or in a script.
//!
//! Reads what was asked, asks the device that runs on the data folder, and
//! prints what it says. It knows objects by their names only, so a table that
//! a device lacks is left out and none is named here for its engine.

mod args;
mod ask;
mod cert;
mod complete;
mod cwmp;
mod dhcp;
mod failure;
mod log;
mod machine;
mod mib;
mod pages;
mod paint;
mod status;
mod store;
mod tr069;
mod values;

pub use args::{Cli, Shared, Verb};
pub use failure::Failure;
pub use machine::RunOptions;

use args::{CertVerb, CwmpVerb, Run, StoreVerb};
use ask::Ask;
use clap::Parser;
use status::Shown;
use std::io::{self, Write};
use std::process::ExitCode;

/// Runs what the process's arguments ask for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.shared.json;
    let mut out = io::stdout().lock();
    let done = perform(cli, &mut out).and_then(|()| out.flush().map_err(Failure::Output));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json, &mut out, &mut io::stderr().lock()),
    }
}

/// Does what one command line asks for.
pub fn perform(cli: Cli, out: &mut dyn Write) -> Result<(), Failure> {
    let shared = &cli.shared;
    match cli.verb.unwrap_or_else(|| Verb::Run(Run::default())) {
        Verb::Run(arguments) => machine::run(arguments.options(shared)?),
        Verb::RecoverAdmin => machine::recover_admin(&shared.data, out),
        Verb::Store(StoreVerb::Ls) => store::ls(shared, out),
        Verb::Mib(arguments) => mib::mib(&arguments, shared, out),
        Verb::Tr069 { path, export } => match export {
            Some(document) => tr069::export(document, out),
            None => tr069::tr069(&path.unwrap_or_default(), shared.json, out),
        },
        Verb::Log { list: true, .. } => pages::messages(shared.json, out),
        Verb::Completion { shell } => complete::script(shell, out),
        verb => {
            let mut ask = match &verb {
                Verb::Cwmp {
                    verb: Some(CwmpVerb::Dhcp(heard)),
                } => dhcp::connect(heard, shared)?,
                _ => Ask::connect(shared)?,
            };
            talk(verb, &mut ask, out)
        }
    }
}

/// What needs a running device.
fn talk(verb: Verb, ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    match verb {
        Verb::Get { names, oid } => values::get(ask, names, oid, out),
        Verb::Set { assignments } => values::set(ask, &assignments, out),
        Verb::Walk { name, oid } => values::walk(ask, name, oid, out),
        Verb::Script { file } => values::script(ask, &file, out),
        Verb::Diff => values::diff(ask, out),
        Verb::Export => values::export(ask, out),
        Verb::Invoke(arguments) => values::invoke(ask, arguments, out),
        Verb::Operations => values::operations(ask, out),
        Verb::Log { follow, since, .. } => log::log(ask, follow, since, out),
        Verb::Status { svg: false } => status::status(ask, Shown::Text, out),
        Verb::Status { svg: true } => status::status(ask, Shown::Image, out),
        Verb::Cert(CertVerb::Add(arguments)) => cert::add(ask, arguments, out),
        Verb::Cert(CertVerb::List) => cert::list(ask, out),
        Verb::Cert(CertVerb::Delete { name, kind }) => cert::delete(ask, &name, kind, out),
        Verb::Cwmp { verb: None } => cwmp::show(ask, out),
        Verb::Cwmp {
            verb: Some(CwmpVerb::Inform),
        } => cwmp::inform(ask, out),
        Verb::Cwmp {
            verb: Some(CwmpVerb::Dhcp(heard)),
        } => dhcp::tell(ask, &heard, out),
        Verb::Run(_)
        | Verb::RecoverAdmin
        | Verb::Store(_)
        | Verb::Mib(_)
        | Verb::Tr069 { .. }
        | Verb::Completion { .. } => Ok(()),
    }
}
