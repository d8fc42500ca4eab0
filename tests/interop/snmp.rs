//! net-snmp's tools as the manager.

use crate::bench::{Device, Folder, eventually, run};
use std::process::{Command, Output};
use std::time::Duration;

/// `1.3.6.1.4.1.4935.1000.100.200.100`, the arc of the DGW services.
const DGW: &str = "1.3.6.1.4.1.4935.1000.100.200.100";
const SYS_NAME: &str = "1.3.6.1.2.1.1.5.0";
/// Hoc.SystemLocation.
const LOCATION: &str = "1.3.6.1.4.1.4935.1000.100.200.100.700.1.800.300.0";

fn v3(device: &Device) -> Vec<String> {
    let auth = device.secret("snmp-auth-password");
    let privacy = device.secret("snmp-priv-password");
    [
        "-v3", "-l", "authPriv", "-u", "admin", "-a", "SHA-256", "-A", &auth, "-x", "AES", "-X",
        &privacy,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn tool(device: &Device, tool: &str, credentials: &[String], words: &[&str]) -> Output {
    let mut command = Command::new(tool);
    command
        .args(["-On", "-Oe", "-t", "2", "-r", "2"])
        .args(credentials);
    command
        .arg(format!("127.0.0.1:{}", device.snmp))
        .args(words);
    command
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}"))
}

fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", printed(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_first_boot_user_reads_and_writes_over_v3() {
    let folder = Folder::new("snmp-v3");
    let device = Device::start(&folder, &[]);
    let by = v3(&device);
    let set = tool(
        &device,
        "snmpset",
        &by,
        &[SYS_NAME, "s", "gateway-7", LOCATION, "s", "cellar"],
    );
    done(&set);
    let got = done(&tool(&device, "snmpget", &by, &[SYS_NAME, LOCATION]));
    assert!(
        got.contains("STRING: \"gateway-7\"") && got.contains("STRING: \"cellar\""),
        "{got}"
    );
    assert_eq!(device.get("Hoc.SystemName"), "gateway-7");
}

#[test]
fn every_algorithm_of_a_user_works_at_once() {
    let folder = Folder::new("snmp-algorithms");
    let device = Device::start(&folder, &[]);
    let auth = device.secret("snmp-auth-password");
    let privacy = device.secret("snmp-priv-password");
    for (label, tool_name) in [
        ("sha1", "SHA"),
        ("sha224", "SHA-224"),
        ("sha256", "SHA-256"),
        ("sha384", "SHA-384"),
        ("sha512", "SHA-512"),
    ] {
        let setting = format!("Aaa.UserSnmp[UserName=admin].AuthProtocol={label}");
        device.done(&["set", &setting]);
        let by = [
            "-v3", "-l", "authPriv", "-u", "admin", "-a", tool_name, "-A", &auth, "-x", "AES",
            "-X", &privacy,
        ]
        .map(str::to_owned);
        let got = done(&tool(&device, "snmpget", &by, &[SYS_NAME]));
        assert!(got.contains(SYS_NAME), "{label}: {got}");
    }
}

#[test]
fn a_wrong_password_a_foreign_user_and_a_weaker_level_are_refused() {
    let folder = Folder::new("snmp-refused");
    let device = Device::start(&folder, &[]);
    let with = |user: &str, level: &str, auth: &str, privacy: &str| {
        [
            "-v3", "-l", level, "-u", user, "-a", "SHA-256", "-A", auth, "-x", "AES", "-X", privacy,
        ]
        .map(str::to_owned)
        .to_vec()
    };
    let auth = device.secret("snmp-auth-password");
    let privacy = device.secret("snmp-priv-password");
    for (by, said) in [
        (
            with("admin", "authPriv", "wrong-password", &privacy),
            "Authentication failure",
        ),
        (
            with("nobody", "authPriv", &auth, &privacy),
            "Unknown user name",
        ),
    ] {
        let output = tool(&device, "snmpget", &by, &[SYS_NAME]);
        assert!(!output.status.success());
        assert!(printed(&output).contains(said), "{}", printed(&output));
    }
    let open = ["-v3", "-l", "noAuthNoPriv", "-u", "admin"].map(str::to_owned);
    let output = tool(&device, "snmpget", &open, &[SYS_NAME]);
    assert!(!output.status.success(), "{}", printed(&output));
}

#[test]
fn communities_are_off_until_they_are_set_and_read_only_without_a_user() {
    let folder = Folder::new("snmp-community");
    let device = Device::start(&folder, &[]);
    for version in ["-v1", "-v2c"] {
        let by = [version, "-c", "public"].map(str::to_owned);
        let output = tool(&device, "snmpget", &by, &["-t", "1", SYS_NAME]);
        assert!(!output.status.success(), "{}", printed(&output));
    }
    device.done(&[
        "set",
        "Snmp.EnableSnmpV1=enable",
        "Snmp.EnableSnmpV2=enable",
        "Snmp.Community=noc-7f3a",
    ]);
    assert_eq!(device.get("Snmp.Community"), "");
    for version in ["-v1", "-v2c"] {
        let by = [version, "-c", "noc-7f3a"].map(str::to_owned);
        let got = done(&tool(&device, "snmpget", &by, &[SYS_NAME]));
        assert!(got.contains(SYS_NAME), "{got}");
        let set = tool(&device, "snmpset", &by, &[SYS_NAME, "s", "x"]);
        assert!(!set.status.success(), "{}", printed(&set));
    }
    device.done(&["set", "Snmp.SnmpUser=admin"]);
    let by = ["-v2c", "-c", "noc-7f3a"].map(str::to_owned);
    done(&tool(
        &device,
        "snmpset",
        &by,
        &[SYS_NAME, "s", "by-community"],
    ));
    assert_eq!(device.get("Hoc.SystemName"), "by-community");
}

#[test]
fn a_walk_and_a_bulk_walk_see_the_same_instances_in_order() {
    let folder = Folder::new("snmp-walk");
    let device = Device::start(&folder, &[]);
    let by = v3(&device);
    let walked = |name: &str, extra: &[&str]| -> Vec<String> {
        let words: Vec<&str> = extra.iter().copied().chain([DGW]).collect();
        let out = done(&tool(&device, name, &by, &words));
        out.lines()
            .filter_map(|line| line.strip_prefix('.'))
            .filter_map(|line| line.split_once(" = "))
            .map(|(oid, _)| oid.to_owned())
            .collect()
    };
    // The log grows while it is walked: its rows are left out.
    let steady = |oids: Vec<String>| -> Vec<String> {
        let log = format!("{DGW}.1100.1.300");
        oids.into_iter()
            .filter(|oid| !oid.starts_with(&log))
            .collect()
    };
    let one = steady(walked("snmpwalk", &[]));
    let bulk = steady(walked("snmpbulkwalk", &["-Cr50"]));
    assert!(one.len() > 150, "{} instances", one.len());
    assert_eq!(one, bulk);
    let arcs = |oid: &String| -> Vec<u32> {
        oid.split('.')
            .map(|arc| arc.parse().expect("an arc"))
            .collect()
    };
    assert!(one.windows(2).all(|pair| arcs(&pair[0]) < arcs(&pair[1])));
}

#[test]
fn a_set_of_several_bindings_is_all_or_nothing_and_names_the_offender() {
    let folder = Folder::new("snmp-all-or-nothing");
    let device = Device::start(&folder, &[]);
    let by = v3(&device);
    let period = format!("{DGW}.700.1.400.200.0");
    let output = tool(
        &device,
        "snmpset",
        &by,
        &[SYS_NAME, "s", "never", &period, "u", "0"],
    );
    assert!(!output.status.success());
    let said = printed(&output);
    assert!(said.contains("wrongValue"), "{said}");
    assert!(said.contains(&period), "{said}");
    assert_eq!(device.get("Hoc.SystemName"), "");
    for (words, said) in [
        (vec![SYS_NAME, "i", "3"], "wrongType"),
        (vec!["1.3.6.1.2.1.1.3.0", "t", "3"], "notWritable"),
        (vec!["1.3.6.1.2.1.99.1.0", "i", "3"], "notWritable"),
    ] {
        let output = tool(&device, "snmpset", &by, &words);
        assert!(!output.status.success());
        assert!(printed(&output).contains(said), "{}", printed(&output));
    }
}

#[test]
fn rows_are_made_by_assignment_and_deleted_by_command() {
    let folder = Folder::new("snmp-rows");
    let device = Device::start(&folder, &[]);
    let by = v3(&device);
    let row = |column: u32| format!("{DGW}.700.1.650.100.1.{column}.5");
    done(&tool(
        &device,
        "snmpset",
        &by,
        &[&row(200), "s", "pbx", &row(300), "s", "192.0.2.5"],
    ));
    assert_eq!(
        device.get("Hoc.StaticHosts[Index=5].IpAddresses"),
        "192.0.2.5"
    );
    done(&tool(&device, "snmpset", &by, &[&row(1000), "i", "10"]));
    let got = printed(&tool(&device, "snmpget", &by, &[&row(200)]));
    assert!(got.contains("No Such Instance"), "{got}");
}

#[test]
fn an_operation_runs_by_snmp_and_tells_how_it_went() {
    let folder = Folder::new("snmp-ex");
    let device = Device::start(&folder, &[]);
    let by = v3(&device);
    let command = format!("{DGW}.900.1.100.1.100.200.0");
    let result = format!("{DGW}.900.1.100.1.100.100.0");
    done(&tool(
        &device,
        "snmpset",
        &by,
        &[&command, "s", "Hoc.SystemName=by-snmpex"],
    ));
    eventually("the command is done", Duration::from_secs(5), || {
        let got = printed(&tool(&device, "snmpget", &by, &[&result]));
        got.contains("done").then_some(())
    });
    assert_eq!(device.get("Hoc.SystemName"), "by-snmpex");
    done(&tool(
        &device,
        "snmpset",
        &by,
        &[&command, "s", "Hoc.NoSuch=1"],
    ));
    eventually(
        "the command is refused with a reason",
        Duration::from_secs(5),
        || {
            let got = printed(&tool(&device, "snmpget", &by, &[&result]));
            got.contains("no object").then_some(())
        },
    );
}

#[test]
fn boots_grow_and_settings_stay_over_sigkill() {
    let folder = Folder::new("snmp-boots");
    let mut device = Device::start(&folder, &[]);
    let by = v3(&device);
    let boots = "1.3.6.1.6.3.10.2.1.2.0";
    let read = |device: &Device| -> u32 {
        let got = done(&tool(device, "snmpget", &by, &["-Oqv", boots]));
        got.trim().parse().expect("a number")
    };
    assert_eq!(read(&device), 1);
    done(&tool(&device, "snmpset", &by, &[SYS_NAME, "s", "kept"]));
    device.kill_and_restart();
    assert_eq!(read(&device), 2);
    assert_eq!(device.get("Hoc.SystemName"), "kept");
}

#[test]
fn the_port_and_the_source_filter_change_live() {
    let folder = Folder::new("snmp-live");
    let mut device = Device::start(&folder, &[]);
    let by = v3(&device);
    let port = crate::bench::free_udp_port();
    device.done(&["set", &format!("Snmp.Port={port}")]);
    device.snmp = port;
    eventually(
        "the agent answers on the new port",
        Duration::from_secs(5),
        || {
            tool(&device, "snmpget", &by, &[SYS_NAME])
                .status
                .success()
                .then_some(())
        },
    );
    device.done(&["set", "Snmp.AllowedSources=192.0.2.0/24"]);
    let output = tool(&device, "snmpget", &by, &["-t", "1", "-r", "0", SYS_NAME]);
    assert!(!output.status.success(), "{}", printed(&output));
    device.done(&["set", "Snmp.AllowedSources=127.0.0.0/8"]);
    done(&tool(&device, "snmpget", &by, &[SYS_NAME]));
}

#[test]
fn the_exported_modules_let_net_snmp_name_what_it_walks() {
    let folder = Folder::new("snmp-mibs");
    let device = Device::start(&folder, &[]);
    let mibs = folder.path().join("mibs");
    run(Command::new(crate::bench::demarc())
        .args(["mib", "--export"])
        .arg(&mibs));
    // The standard's own modules, which Debian does not ship.
    let base = std::env::var("DEMARC_SMI").expect("DEMARC_SMI names a folder with SNMPv2-SMI");
    let mut command = Command::new("snmpget");
    command
        .args(v3(&device))
        .args(["-M"])
        .arg(format!("{base}:{}", mibs.display()))
        .args(["-m", "+DGW-HOC-MIB"])
        .arg(format!("127.0.0.1:{}", device.snmp))
        .arg("DGW-HOC-MIB::sntpSynchronizationPeriod.0");
    let got = run(&mut command);
    assert!(
        got.contains("DGW-HOC-MIB::sntpSynchronizationPeriod.0"),
        "{got}"
    );
    assert!(got.contains("1440"), "{got}");
}

#[test]
fn a_factory_reset_brings_back_the_profile_with_new_passwords_and_reboots() {
    let folder = Folder::new("snmp-reset");
    let device = Device::start(&folder, &[]);
    let before = device.secret("snmp-auth-password");
    device.done(&[
        "set",
        "Hoc.SystemName=changed",
        "Hoc.StaticHosts[Index=4].Name=pbx",
    ]);
    device.done(&["invoke", "Conf.FactoryReset"]);
    eventually("the profile's state", Duration::from_secs(15), || {
        let output = device.cli(&["get", "Hoc.SystemName"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.contains("=\"\"").then_some(())
    });
    assert!(
        !device
            .cli(&["get", "Hoc.StaticHosts[Index=4].Name"])
            .status
            .success()
    );
    assert_ne!(device.secret("snmp-auth-password"), before);
    let by = v3(&device);
    eventually("the new password counts", Duration::from_secs(10), || {
        tool(&device, "snmpget", &by, &[SYS_NAME])
            .status
            .success()
            .then_some(())
    });
    // Counted: it started a second time.
    let boots = done(&tool(
        &device,
        "snmpget",
        &by,
        &["-Oqv", "1.3.6.1.6.3.10.2.1.2.0"],
    ));
    assert_eq!(boots.trim(), "2");
}
