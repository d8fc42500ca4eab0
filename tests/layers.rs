//! Who may import whom: reads `src/` and fails on anything else.
//!
//! The table is the architecture. A file that needs more than its row allows
//! stands in the wrong folder.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder (longest match counts), what its files may name, and what only
/// `settings.rs`, `status.rs` and `io.rs` in it, or the folders below these, may name besides.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("schema", &[], &[]),
    ("wire", &[], &[]),
    ("tree", &["schema", "wire"], &[]),
    ("certs", &["tree", "schema", "wire"], &[]),
    ("clock", &["wire"], &["tree", "schema", "certs"]),
    ("sip", &["wire"], &["tree", "schema", "certs"]),
    ("media", &["wire"], &["tree", "schema", "certs"]),
    ("line", &["wire"], &["tree", "schema", "certs"]),
    (
        "call",
        &["sip", "media", "line", "wire"],
        &["tree", "schema", "certs"],
    ),
    ("north", &["tree", "schema", "certs", "wire"], &[]),
    // A script is how a person writes a transaction: the faces that take text speak it.
    (
        "north/local",
        &["tree", "schema", "certs", "wire", "north/script"],
        &[],
    ),
    (
        "north/snmp",
        &["tree", "schema", "certs", "wire", "north/script"],
        &[],
    ),
    (
        "device",
        &[
            "call", "certs", "clock", "line", "media", "north", "schema", "sip", "tree", "wire",
        ],
        &[],
    ),
    (
        "cli",
        &["certs", "device", "north", "schema", "tree", "wire"],
        &[],
    ),
];

/// What waits, binds, spawns or asks the time.
const SHELL_WORDS: &[&str] = &[
    "tokio::",
    "std::net::UdpSocket",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
];

/// Files outside io.rs and device/ that may, each with its reason.
const SHELLS: &[(&str, &str)] = &[
    (
        "tree/store",
        "the committer and applier threads of the store",
    ),
    (
        "tree/store.rs",
        "the committer and applier threads of the store",
    ),
    ("cli", "the command line is a program, not a core"),
    (
        "north/local/client.rs",
        "the command line's end of the socket",
    ),
];

#[test]
fn every_layer_imports_only_what_stands_below_it() {
    let mut faults = Vec::new();
    let mut imports = 0;
    for (name, text) in sources() {
        let Some((home, allowed, at_the_edge)) = layer(&name) else {
            assert!(!name.contains('/'), "{name} stands in no layer");
            continue;
        };
        let edge = ["/settings.rs", "/status.rs", "/io.rs"]
            .iter()
            .any(|end| name.ends_with(end))
            || ["/settings/", "/status/", "/io/"]
                .iter()
                .any(|folder| name.contains(folder));
        for (line, target) in crate_paths(&text) {
            imports += 1;
            let own = within(&target, home);
            let below = allowed.iter().any(|layer| within(&target, layer));
            let edge = edge && at_the_edge.iter().any(|layer| within(&target, layer));
            if !(own || below || edge) {
                faults.push(format!("{name}:{line} names {target}"));
            }
        }
    }
    assert!(imports > 50, "the reader found only {imports} imports");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_io_files_and_the_device_wait_bind_spawn_or_ask_the_time() {
    let mut faults = Vec::new();
    for (name, text) in sources() {
        let shell = name.ends_with("/io.rs")
            || name.ends_with("/tests.rs")
            || name.contains("/io/")
            || within(&name, "device")
            || !name.contains('/')
            || SHELLS.iter().any(|(place, _)| within(&name, place));
        if shell {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for word in SHELL_WORDS.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{name}:{number} names {word}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_the_store_names_sled() {
    let mut found = 0;
    for (name, text) in sources() {
        let named = code_lines(&text).any(|(_, line)| line.contains("sled::"));
        let store = within(&name, "tree/store") || name == "tree/store.rs";
        assert!(store || !named, "{name} names sled");
        found += usize::from(named);
    }
    assert!(found > 0, "nothing names sled");
}

#[test]
fn no_face_or_core_unwraps() {
    let faults: Vec<String> = sources()
        .flat_map(|(name, text)| {
            code_lines(&text)
                .filter(|(_, line)| line.contains(".unwrap()"))
                .map(|(number, _)| format!("{name}:{number}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join(", "));
}

fn layer(
    name: &str,
) -> Option<(
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
)> {
    let face = name
        .strip_prefix("north/")
        .and_then(|rest| rest.split_once('/'))
        .map(|(face, _)| format!("north/{face}"));
    let row = LAYERS
        .iter()
        .filter(|(folder, ..)| within(name, folder))
        .max_by_key(|(folder, ..)| folder.len())?;
    // A face without a row of its own has the rights of all faces, and is its own home.
    match face {
        Some(face) if row.0 == "north" => Some((face.leak(), row.1, row.2)),
        _ => Some(*row),
    }
}

fn within(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Every `crate::a::b` outside comments and tests, as `a/b`, with its line.
fn crate_paths(text: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (number, line) in code_lines(text) {
        for (at, _) in line.match_indices("crate::") {
            if line[..at].ends_with('$') {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            assert!(
                rest != "{",
                "one `use crate::` a layer, so that this test can read it"
            );
            if let Some(group) = rest.strip_prefix('{') {
                for part in group.split(',') {
                    paths.push((number, path(part.trim())));
                }
            } else {
                paths.push((number, path(rest)));
            }
        }
    }
    paths.retain(|(_, path)| !path.is_empty());
    paths
}

fn path(text: &str) -> String {
    let end = text
        .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'))
        .unwrap_or(text.len());
    // The macro that declares views is the tree's.
    if text[..end] == *"view" {
        return "tree/view".to_owned();
    }
    let words: Vec<&str> = text[..end]
        .split("::")
        .take_while(|word| word.starts_with(|letter: char| letter.is_lowercase()))
        .take(2)
        .collect();
    words.join("/")
}

/// Lines of code with their numbers: no comments, nothing behind `mod tests`.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("mod tests {"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(at, line)| (at + 1, line))
}

/// Path below src/ and text of each source file, without test helpers.
fn sources() -> impl Iterator<Item = (String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() > 20, "src/ was not read");
    files.into_iter().map(move |file| {
        let name = file.strip_prefix(&root).expect("below src/");
        let name = name.to_string_lossy().replace('\\', "/");
        (
            name,
            fs::read_to_string(&file).expect("a source file is text"),
        )
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src/ can be listed") {
        let path = entry.expect("src/ can be listed").path();
        let test_helper = ["testing.rs", "sim.rs", "scratch.rs"]
            .iter()
            .any(|name| path.ends_with(name));
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !test_helper {
            files.push(path);
        }
    }
}
