//! A page of documentation, run from top to bottom.
//!
//! A comment before a fenced block says what the block is: a file to write, a
//! server to start, commands to run, or what the commands before it print. All
//! of it happens in one empty folder, as it would for a reader. What differs
//! here from the page, such as ports, is replaced in the text before it is
//! used, and a replacement that the page has no use for is an error.

use crate::bench::{Folder, Running, demarc};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The text of a page of the repository.
pub(crate) fn text(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).expect("the page is there")
}

/// A page and the folder in which it happens.
pub(crate) struct Page {
    folder: Folder,
    blocks: Vec<Block>,
    /// What stands at the head of every command: variables that a reader keeps.
    kept: String,
    /// The last commands, and what they printed.
    last: Option<(String, Printed)>,
    servers: Vec<Running>,
}

/// A fenced block and what the comment before it says.
#[derive(Debug)]
struct Block {
    what: What,
    text: String,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// `file NAME`: its text is written there.
    File(String),
    /// `in every shell`: stands before the commands of every later block.
    Kept,
    /// `start`: one command that goes on.
    Start,
    /// `run`, or `run by TONGUE` where there are several ways to say the same.
    Run(Option<String>),
    /// `prints`: lines that the commands before it print, `...` for anything.
    Prints,
    /// `prints in the end`: they are run again until they do.
    PrintsInTheEnd,
}

/// What commands printed, and whether they worked.
struct Printed {
    text: String,
    worked: bool,
}

/// How long a page may wait for what comes in the end.
const PATIENCE: Duration = Duration::from_secs(60);

impl Page {
    /// Takes a page's text. `here` replaces what is different in this run.
    pub(crate) fn of(text: &str, here: &[(&str, String)]) -> Self {
        let mut blocks = blocks(text);
        for (there, here) in here {
            let used = blocks.iter().any(|block| block.text.contains(there));
            assert!(used, "no block says {there}");
            for block in &mut blocks {
                block.text = block.text.replace(there, here);
            }
        }
        Self {
            folder: Folder::new("page"),
            blocks,
            kept: String::new(),
            last: None,
            servers: Vec::new(),
        }
    }

    /// The folder in which it happens.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Puts `demarc` into the reader's path; a device that it runs starts with `settings`.
    pub(crate) fn with_demarc(&self, settings: &[String]) {
        use std::os::unix::fs::PermissionsExt;
        let sets: String = settings
            .iter()
            .map(|setting| format!(" --set '{setting}'"))
            .collect();
        let real = demarc().display().to_string();
        let script = format!(
            "#!/bin/sh\ncase $1 in\nrun) shift; exec {real} run{sets} \"$@\" ;;\n*) exec {real} \"$@\" ;;\nesac\n"
        );
        fs::create_dir(self.folder.path().join("bin")).expect("a folder");
        let file = self.folder.file("bin/demarc", &script);
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("executable");
    }

    /// Does all that the page says in one tongue; how many commands that were.
    pub(crate) fn walk(&mut self, tongue: &str) -> usize {
        let mut commands = 0;
        let mut blocks = std::mem::take(&mut self.blocks).into_iter().peekable();
        while let Some(block) = blocks.next() {
            let text = block.text;
            match block.what {
                What::File(name) => drop(self.folder.file(&name, &text)),
                What::Kept => self.kept.push_str(&text),
                What::Start => self.start(&text),
                What::Run(Some(by)) if by != tongue => self.last = None,
                What::Run(_) => {
                    let printed = self.run(&text);
                    let may_wait = |next: &Block| next.what == What::PrintsInTheEnd;
                    if !blocks.peek().is_some_and(may_wait) {
                        self.must_have_worked(&text, &printed);
                    }
                    self.last = Some((text, printed));
                    commands += 1;
                }
                What::Prints => self.expect(&text, Duration::ZERO),
                What::PrintsInTheEnd => self.expect(&text, PATIENCE),
            }
        }
        commands
    }

    fn shell(&self, text: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = self.folder.path().join("bin");
        let mut command = Command::new("bash");
        command
            .args(["-euc", &format!("{}{text}", self.kept)])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", bin.display()));
        command
    }

    /// The last command of a block replaces the shell, so that it is the one that is ended.
    fn start(&mut self, text: &str) {
        let log = format!("server-{}.log", self.servers.len());
        let log = self.folder.path().join(log);
        let mut command = self.shell(&format!("exec {text}"));
        self.servers.push(Running::start(&mut command, log));
    }

    /// Both streams, as at a terminal.
    fn run(&self, text: &str) -> Printed {
        let output = self.shell(text).output().expect("bash");
        let printed = [output.stdout, output.stderr].concat();
        Printed {
            text: String::from_utf8_lossy(&printed).into_owned(),
            worked: output.status.success(),
        }
    }

    fn must_have_worked(&self, commands: &str, printed: &Printed) {
        let (text, logs) = (&printed.text, self.logs());
        assert!(printed.worked, "{commands}\nfails:\n{text}\n{logs}");
    }

    /// Compares with what was printed; runs it again until `patience` is at its end.
    fn expect(&mut self, wanted: &str, patience: Duration) {
        let Some((commands, mut printed)) = self.last.take() else {
            return;
        };
        let started = Instant::now();
        while let Err(line) = shows(&printed.text, wanted) {
            assert!(
                started.elapsed() < patience,
                "{commands}\ndoes not print: {line}\nbut:\n{}\n{}",
                printed.text,
                self.logs()
            );
            self.must_go_on();
            sleep(Duration::from_millis(200));
            printed = self.run(&commands);
        }
        self.must_have_worked(&commands, &printed);
        self.last = Some((commands, printed));
    }

    fn must_go_on(&mut self) {
        let ended = self.servers.iter_mut().any(Running::has_ended);
        assert!(!ended, "a server ended:\n{}", self.logs());
    }

    fn logs(&self) -> String {
        let logs = self.servers.iter().map(Running::said);
        let tails = logs.map(|log| {
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        });
        tails.collect::<Vec<_>>().join("\n--\n")
    }
}

/// Asked to end, the last started first, a server ends its children too.
impl Drop for Page {
    fn drop(&mut self) {
        while let Some(mut server) = self.servers.pop() {
            let pid = server.pid().to_string();
            let _ = Command::new("kill").args(["-TERM", &pid]).status();
            let asked = Instant::now();
            while !server.has_ended() && asked.elapsed() < Duration::from_secs(5) {
                sleep(Duration::from_millis(50));
            }
        }
    }
}

/// The fenced blocks that a comment introduces, in order.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut introduced: Option<What> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("<!-- ") {
            let comment = comment.strip_suffix(" -->").expect("a comment of one line");
            assert!(introduced.is_none(), "{line}: two comments, one block");
            introduced = Some(what(comment));
        } else if line.starts_with("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let text = format!("{}\n", text.join("\n"));
            blocks.extend(introduced.take().map(|what| Block { what, text }));
        }
    }
    assert!(introduced.is_none(), "{introduced:?}: no block follows");
    blocks
}

fn what(comment: &str) -> What {
    match comment.split_once(' ') {
        _ if comment == "in every shell" => What::Kept,
        _ if comment == "start" => What::Start,
        _ if comment == "run" => What::Run(None),
        _ if comment == "prints" => What::Prints,
        _ if comment == "prints in the end" => What::PrintsInTheEnd,
        Some(("file", name)) => What::File(name.to_owned()),
        Some(("run", by)) => {
            let tongue = by.strip_prefix("by ").expect("run by TONGUE");
            What::Run(Some(tongue.to_owned()))
        }
        _ => panic!("{comment}: not known"),
    }
}

/// Whether all wanted lines are there, in order; the first that is not.
fn shows<'a>(printed: &str, wanted: &'a str) -> Result<(), &'a str> {
    let mut printed = printed.lines();
    for line in wanted.lines().filter(|line| !line.trim().is_empty()) {
        if !printed.any(|one| fits(&even(one), &even(line))) {
            return Err(line);
        }
    }
    Ok(())
}

/// Columns may be wider here than on the page.
fn even(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a line is as wanted; `...` stands for anything.
fn fits(line: &str, wanted: &str) -> bool {
    let Some((head, rest)) = wanted.split_once("...") else {
        return line == wanted;
    };
    let Some(tail) = line.strip_prefix(head) else {
        return false;
    };
    let ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
    ends.into_iter().any(|at| fits(&tail[at..], rest))
}
