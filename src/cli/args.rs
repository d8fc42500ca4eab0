//! What may be written behind `demarc`.

use super::failure::Failure;
use super::machine::RunOptions;
use super::tr069::Document;
use crate::north::script::{Fault, Script};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A carrier-managed voice gateway: run one, or talk to the one that runs on a data folder.
#[derive(Debug, Parser)]
#[command(name = "demarc", version, max_term_width = 100)]
#[command(
    after_help = "Names look like Hoc.SystemName or SipEp.TransportConfig[GatewayName=default].TlsEnable;\n\
an OID is accepted wherever a name is. Without a command a device is run. Exit status: 0 done, 1 refused, 2 wrong usage, 3 no device."
)]
pub struct Cli {
    /// What every verb takes.
    #[command(flatten)]
    pub shared: Shared,
    /// What to do; run a device if nothing is said.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What every verb takes.
#[derive(Clone, Debug, Args)]
pub struct Shared {
    /// The data folder of the device
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = DATA_FOLDER
    )]
    pub data: PathBuf,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a device on the data folder, which is made if it is not there
    Run(Run),
    /// Print values: of an object, a row, a column or a group
    Get {
        /// Names or OIDs
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Print OIDs instead of names
        #[arg(long)]
        oid: bool,
    },
    /// Assign values; several are one transaction
    Set {
        /// Assignments, as in a script
        #[arg(required = true, value_name = "NAME=VALUE")]
        assignments: Vec<String>,
    },
    /// Print every value below a name
    Walk {
        /// A name, the beginning of several, or an OID; everything without it
        #[arg(default_value = "")]
        name: String,
        /// Print OIDs instead of names
        #[arg(long)]
        oid: bool,
    },
    /// Show what the gateway does, and what is wrong now
    Status {
        /// As an image of the terminal (SVG)
        #[arg(long, conflicts_with = "json")]
        svg: bool,
    },
    /// Print the local log
    Log {
        /// Go on as more comes
        #[arg(short, long)]
        follow: bool,
        /// Only what came after the entry with this index
        #[arg(long, default_value_t = 0, value_name = "INDEX")]
        since: u32,
        /// Every message that a device can log, without asking one
        #[arg(long, conflicts_with_all = ["follow", "since"])]
        list: bool,
    },
    /// Print what differs from the profile
    Diff,
    /// Print the script that makes this device again
    Export,
    /// Run a script on the device
    Script {
        /// The script; - is the standard input
        file: PathBuf,
    },
    /// Install, list and delete certificates
    #[command(subcommand)]
    Cert(CertVerb),
    /// Show the last sessions with the ACS (TR-069), or have one now
    Cwmp {
        /// What else
        #[command(subcommand)]
        verb: Option<CwmpVerb>,
    },
    /// Invoke an operation and print its answer
    Invoke(Invoke),
    /// Print what may be invoked
    Operations,
    /// Explain objects, or write the MIB modules into a folder
    Mib(Mib),
    /// Explain parameters of TR-069, or print the whole data model
    Tr069 {
        /// A path; one that ends with a dot is an object
        #[arg(required_unless_present = "export")]
        path: Option<String>,
        /// A document as XML, for servers that import one: the whole data model,
        /// or a device type that says what it has of a standard's model
        #[arg(long, conflicts_with = "path", num_args = 0..=1, default_missing_value = "model")]
        export: Option<Document>,
    },
    /// Look at the store of a stopped device
    #[command(subcommand)]
    Store(StoreVerb),
    /// Make a new password for the administrator of a stopped device
    RecoverAdmin,
    /// Print a completion script
    Completion {
        /// For this shell
        shell: Shell,
    },
}

/// How a device is started.
#[derive(Debug, Default, Args)]
pub struct Run {
    /// The profile: a script, with trust anchors in the folder beside it
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Assign before the services start, at every start
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
    /// Run a script before the services start, in one transaction with --set
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// An operation and what it is given.
#[derive(Debug, Args)]
pub struct Invoke {
    /// Service.Operation
    pub operation: String,
    /// Its arguments
    #[arg(value_name = "NAME=VALUE")]
    pub arguments: Vec<String>,
    /// A file for it
    #[arg(long, value_name = "F")]
    pub file: Option<PathBuf>,
}

/// What may be done with certificates.
#[derive(Debug, Subcommand)]
pub enum CertVerb {
    /// Install a file: a host certificate with its key, or certificates of others
    Add(CertAdd),
    /// List what is installed
    List,
    /// Delete a file
    Delete {
        /// Its name
        name: String,
        /// Where, if both kinds have the name
        #[arg(long = "type")]
        kind: Option<CertKind>,
    },
}

/// What may be done with the ACS.
#[derive(Debug, Subcommand)]
pub enum CwmpVerb {
    /// Have a session now, and say how it ended
    Inform,
    /// Tell the device what the host's DHCP client has heard of the ACS
    Dhcp(Dhcp),
}

/// What a DHCP client has heard; the hooks in tr069/dhcp call it so.
#[derive(Debug, Args)]
pub struct Dhcp {
    /// Option 43 in hexadecimal, with or without colons; empty or left out where there is none
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub option43: String,
    /// Option 125 likewise
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    pub option125: String,
    /// Wait so many seconds for the device, where it has not started yet
    #[arg(long, default_value_t = 0)]
    pub wait: u64,
}

/// A certificate file and what to do with it.
#[derive(Debug, Args)]
pub struct CertAdd {
    /// Host with a key, other without; told from the file if left out
    #[arg(long = "type")]
    pub kind: Option<CertKind>,
    /// The name to keep it under; that of the file if left out
    #[arg(long)]
    pub name: Option<String>,
    /// PEM or DER
    pub file: PathBuf,
}

/// Whose certificates a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CertKind {
    /// The device's own, with its private key.
    Host,
    /// Of authorities and peers.
    #[value(alias = "others")]
    Other,
}

/// What to explain.
#[derive(Debug, Args)]
pub struct Mib {
    /// Write every module into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "names")]
    pub export: Option<PathBuf>,
    /// Print what may follow the beginning of a name, for completion
    #[arg(long = "names", conflicts_with = "export")]
    pub names_begin: bool,
    /// Every object in a line, as Markdown
    #[arg(long, conflicts_with_all = ["export", "names", "json"])]
    pub list: bool,
    /// Names, with or without a row, or OIDs
    #[arg(value_name = "NAME", required_unless_present_any = ["export", "names_begin", "list"])]
    pub names: Vec<String>,
}

/// What may be done with a store.
#[derive(Debug, Subcommand)]
pub enum StoreVerb {
    /// List what is on disk
    Ls,
}

/// The data folder where none is named.
pub(super) const DATA_FOLDER: &str = "./demarc-data";

/// The largest file that is read, in octets.
const FILE_LIMIT: u64 = 6 << 20;

impl Run {
    /// Reads the settings and the script that the device starts with.
    pub(super) fn options(self, shared: &Shared) -> Result<RunOptions, Failure> {
        let mut faults: Vec<Fault> = Vec::new();
        let mut start = Script::default();
        if let Some(file) = &self.script {
            match Script::parse(&text(file)?) {
                Ok(script) => start = script,
                Err(more) => faults.extend(more),
            }
        }
        match Script::of_settings(&self.settings) {
            Ok(settings) => start.append(settings),
            Err(more) => faults.extend(more),
        }
        if !faults.is_empty() {
            return Err(Failure::of_faults(&faults));
        }
        Ok(RunOptions {
            data: shared.data.clone(),
            profile: self.profile,
            start,
        })
    }
}

impl CertKind {
    /// The word that operations take.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Other => "other",
        }
    }
}

/// What a command needs to mean a data folder: nothing for the usual one.
pub(super) fn data_option(folder: &Path) -> String {
    match folder == Path::new(DATA_FOLDER) {
        true => String::new(),
        false => format!(" --data {}", folder.display()),
    }
}

/// A file's octets; `-` is the standard input.
pub(super) fn octets(path: &Path) -> Result<Vec<u8>, Failure> {
    let fault = |error| Failure::File(path.to_owned(), error);
    let mut octets = Vec::new();
    let count = match path.to_str() {
        Some("-") => std::io::stdin()
            .take(FILE_LIMIT + 1)
            .read_to_end(&mut octets),
        _ => File::open(path)
            .map_err(fault)?
            .take(FILE_LIMIT + 1)
            .read_to_end(&mut octets),
    };
    let count = u64::try_from(count.map_err(fault)?).unwrap_or(u64::MAX);
    match count > FILE_LIMIT {
        true => Err(Failure::Usage(format!(
            "{}: at most {FILE_LIMIT} octets are read",
            path.display()
        ))),
        false => Ok(octets),
    }
}

/// A file's text.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(octets(path)?)
        .map_err(|_| Failure::Usage(format!("{}: it is not UTF-8 text", path.display())))
}

#[cfg(test)]
mod tests {
    use super::super::perform;
    use super::*;
    use clap::CommandFactory;

    fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["demarc"], words].concat())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shared_arguments_stand_before_or_behind_the_verb() {
        for words in [
            &["--data", "d", "--json", "get", "x"][..],
            &["get", "x", "--json", "--data", "d"],
        ] {
            let shared = parse(words).expect("well-formed").shared;
            assert_eq!((shared.data, shared.json), (PathBuf::from("d"), true));
        }
        let shared = parse(&["status"]).expect("well-formed").shared;
        assert_eq!(shared.data, PathBuf::from("./demarc-data"));
    }

    #[test]
    fn a_kind_of_certificates_goes_by_the_words_of_the_status() {
        for kind in ["host", "other", "others"] {
            let words = ["cert", "add", "--type", kind, "file.pem"];
            assert!(parse(&words).is_ok(), "{kind}");
        }
    }

    #[test]
    fn nothing_said_is_a_device_with_the_built_in_profile() {
        assert!(parse(&[]).expect("well-formed").verb.is_none());
        let shared = parse(&[]).expect("well-formed").shared;
        let options = Run::default().options(&shared).expect("nothing to refuse");
        assert_eq!(options.data, PathBuf::from("./demarc-data"));
        assert!(options.profile.is_none() && options.start.entries.is_empty());
    }

    #[test]
    fn wrong_usage_is_exit_status_two() {
        for words in [
            &["fly"][..],
            &["get"],
            &["mib"],
            &["mib", "--export", "d", "x"],
        ] {
            assert_eq!(parse(words).expect_err("wrong").exit_code(), 2, "{words:?}");
        }
        assert_eq!(parse(&["--help"]).expect_err("help").exit_code(), 0);
    }

    #[test]
    fn a_start_with_faults_names_them_all() {
        let cli = parse(&["run", "--set", "Hoc.Nope=1", "--set", "Hoc.SystemName"]);
        let refused = perform(cli.expect("well-formed"), &mut Vec::new());
        let Err(Failure::Refused(refused)) = refused else {
            panic!("refused before anything starts");
        };
        let sentences: Vec<String> = refused.iter().map(ToString::to_string).collect();
        assert_eq!(sentences.len(), 2);
        assert!(sentences[0].ends_with("(--set 1)"), "{sentences:?}");
        assert!(sentences[1].starts_with("Hoc.SystemName: write an assignment"));
    }

    #[test]
    fn completion_is_written_for_each_shell() {
        for shell in ["bash", "zsh", "fish"] {
            let mut out = Vec::new();
            let cli = parse(&["completion", shell]).expect("well-formed");
            perform(cli, &mut out).expect("written");
            assert!(String::from_utf8_lossy(&out).contains("recover-admin"));
        }
    }
}
