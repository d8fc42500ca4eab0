//! Compiles `mib/` into the schema's static tables.
//!
//! The MIB text is the only definition of a setting: names, OIDs, types,
//! ranges, defaults and the life of rows are read here, checked, and written
//! as Rust. Any diagnostic but `IndexAccessible` (the dictionary's indexes are
//! readable) fails the build, and so does whatever the schema cannot express.

#[path = "build/emit.rs"]
mod emit;
#[path = "build/model.rs"]
mod model;
#[path = "build/tr069.rs"]
mod tr069;
#[path = "build/tr069_source.rs"]
mod tr069_source;
#[path = "build/tr069_vendor.rs"]
mod tr069_vendor;

use mib_rs::{DiagCode, Loader, Mib};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=mib");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=tr069");
    let files = modules(Path::new("mib"));
    let mib = compile(&files);
    let model = model::read(&mib).unwrap_or_else(|fault| fail(&fault));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let text = emit::schema(&model) + &emit::sources(&files);
    fs::write(out.join("schema.rs"), text).expect("OUT_DIR can be written");
    let text = tr069::tables(&model).unwrap_or_else(|fault| fail(&fault));
    fs::write(out.join("tr069.rs"), text).expect("OUT_DIR can be written");
    println!("cargo::rustc-env=DEMARC_BUILD_DATE={}", build_date());
}

/// Module name and path of each `mib/*.mib`, in order of name.
fn modules(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("mib/ stands beside build.rs")
        .map(|entry| entry.expect("mib/ can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "mib"))
        .map(|path| {
            let stem = path.file_stem().expect("a file has a name");
            (stem.to_string_lossy().into_owned(), path.clone())
        })
        .collect();
    files.sort();
    files
}

fn compile(files: &[(String, PathBuf)]) -> Mib {
    let mut loader = Loader::new().modules(files.iter().map(|(name, _)| name.clone()));
    for (name, path) in files {
        let text = fs::read(path).expect("a module can be read");
        loader = loader.source(mib_rs::source::memory(name.clone(), text));
    }
    let mib = loader
        .load()
        .unwrap_or_else(|fault| fail(&fault.to_string()));
    let faults: Vec<String> = mib
        .diagnostic_report()
        .iter()
        .filter(|entry| entry.diagnostic().code != DiagCode::IndexAccessible)
        .map(|entry| {
            let diagnostic = entry.diagnostic();
            let module = diagnostic.module.as_deref().unwrap_or("?");
            format!("{module}: {:?}: {}", diagnostic.code, diagnostic.message)
        })
        .collect();
    if !faults.is_empty() {
        fail(&faults.join("\n"));
    }
    mib
}

/// Seconds since the epoch that the clock must not fall below: the build's
/// own time, or `SOURCE_DATE_EPOCH` for reproducible builds.
fn build_date() -> u64 {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |age| age.as_secs())
        })
}

fn fail(fault: &str) -> ! {
    for line in fault.lines() {
        println!("cargo::error={line}");
    }
    std::process::exit(1)
}
