//! Scripts: what is read is written and read again to the same.
#![no_main]

use demarc::north::script::{Act, Script};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match Script::parse(text) {
    Ok(script) => check(&script),
    Err(faults) => {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(!fault.to_string().is_empty());
        }
    }
});

fn check(script: &Script) {
    for entry in &script.entries {
        let Act::Assign(name, value) = &entry.act else {
            continue;
        };
        let line = format!("{name}={}", value.script(&name.column.get().syntax));
        let again = Script::parse(&line).unwrap_or_else(|faults| panic!("{line}: {faults:?}"));
        let acts: Vec<&Act> = again.entries.iter().map(|entry| &entry.act).collect();
        assert_eq!(acts, [&entry.act], "{line}");
    }
}
