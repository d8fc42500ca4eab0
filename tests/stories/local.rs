//! The command line and the device, through a real socket.

use clap::Parser;
use demarc::cli::{Cli, perform};
use demarc::north::local::client::{Client, ClientError};
use demarc::north::local::io::{BindError, CLIENTS, Listener};
use demarc::north::local::{Answer, Desk, Request};
use demarc::schema::{Index, nlm::local_log_messages as log};
use demarc::tree::{Argument, Invocation, Operation, Rights, Tree};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A folder of a test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("demarc-local-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = fs::DirBuilder::new();
        options.mode(0o700).create(&path).expect("a new folder");
        Self(path.canonicalize().expect("it is there"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A device's tree behind its socket.
struct World {
    tree: Tree,
    data: PathBuf,
    scratch: Scratch,
    runtime: tokio::runtime::Runtime,
    grown: tokio::sync::watch::Sender<u64>,
    leaving: tokio::sync::watch::Sender<bool>,
}

static ECHO: Operation = Operation {
    name: "Scm.Echo",
    arguments: &[Argument {
        name: "Word",
        required: true,
        help: "what to say",
    }],
    rights: Rights::User,
    help: "Says a word and counts the octets of a file.",
};

impl World {
    fn boot() -> Self {
        let scratch = Scratch::new();
        let data = scratch.0.join("data");
        Self::on(scratch, data)
    }

    fn on(scratch: Scratch, data: PathBuf) -> Self {
        fs::create_dir_all(&data).expect("a data folder");
        let tree = Tree::in_memory();
        tree.offer(&ECHO, Arc::new(echo));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let world = Self {
            tree,
            data,
            scratch,
            runtime,
            grown: tokio::sync::watch::Sender::new(0),
            leaving: tokio::sync::watch::Sender::new(false),
        };
        world.open();
        world
    }

    fn open(&self) {
        let _inside = self.runtime.enter();
        let listener = Listener::bind(&self.data, &self.runtime_folder()).expect("bound");
        let desk = Desk::new(self.tree.clone(), Tree::in_memory().snapshot());
        let grown = self.grown.subscribe();
        self.runtime
            .spawn(listener.serve(desk, Arc::new(|| 0), grown, self.leaving.subscribe()));
    }

    fn runtime_folder(&self) -> PathBuf {
        self.scratch.0.join("run")
    }

    fn socket(&self) -> UnixStream {
        UnixStream::connect(self.data.join("demarc.sock")).expect("it listens")
    }

    /// Exit status, standard output, standard error.
    fn demarc(&self, words: &[&str]) -> (u8, String, String) {
        let data = self.data.to_str().expect("text");
        let words = [&["demarc", "--data", data], words].concat();
        let cli = Cli::try_parse_from(words).expect("right usage");
        let json = cli.shared.json;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = match perform(cli, &mut out) {
            Ok(()) => 0,
            Err(failure) => {
                failure.report(json, &mut out, &mut err);
                failure.status()
            }
        };
        let text = |octets| String::from_utf8(octets).expect("text");
        (status, text(out), text(err))
    }

    fn ok(&self, words: &[&str]) -> String {
        let (status, out, err) = self.demarc(words);
        assert_eq!((status, err.as_str()), (0, ""), "{words:?}");
        out
    }

    fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--json"]].concat();
        serde_json::from_str(&self.ok(&words)).expect("JSON")
    }

    fn logged(&self, index: u32, text: &str) {
        self.tree.live().publish(|live| {
            let index = Index::number(index);
            live.set(log::SERVICE_TEXTKEY, &index, "SipEp");
            live.set(log::SERVICE_NUMKEY, &index, 1400_u32);
            live.set(log::NOTIFICATION_ID, &index, 100_u32);
            live.set(log::SEVERITY, &index, log::Severity::Warning);
            live.set(log::MESSAGE, &index, text);
        });
        self.grown.send_replace(u64::from(index));
    }
}

fn echo(invocation: Invocation) {
    let word = invocation.argument("Word").to_owned();
    let octets = invocation.blob.as_ref().map_or(0, Vec::len);
    let outcome = match word.as_str() {
        "fail" => Err(demarc::tree::OperationError::Failed(
            "it was told to fail".to_owned(),
        )),
        _ => Ok(format!("{word} {octets}")),
    };
    (invocation.answer)(outcome);
}

#[test]
fn what_is_set_is_read_back_as_a_script_writes_it() {
    let world = World::boot();
    assert_eq!(
        world.ok(&["set", "hoc.systemname=a \"b\"", "Snmp.EnableSnmpV1=enable"]),
        ""
    );
    assert_eq!(
        world.ok(&["get", "Hoc.SystemName", "snmp.enablesnmpv1"]),
        "Hoc.SystemName=\"a \\\"b\\\"\"\nSnmp.EnableSnmpV1=enable\n"
    );
    let oid = world.ok(&["get", "--oid", "Hoc.SystemName"]);
    let (oid, value) = oid.split_once('=').expect("an assignment");
    assert_eq!(value, "\"a \\\"b\\\"\"\n");
    assert_eq!(world.ok(&["get", oid]), "Hoc.SystemName=\"a \\\"b\\\"\"\n");
    assert_eq!(world.tree.snapshot().version(), 1);
}

#[test]
fn json_has_the_promised_shapes() {
    let world = World::boot();
    assert_eq!(
        world.json(&["set", "SipEp.Gateway[Name=default].Port=5070"]),
        json!({ "committed": 1 })
    );
    let name = "SipEp.TransportConfig[GatewayName=default].TlsEnable";
    world.ok(&["set", &format!("{name}=1")]);
    let mut read = world.json(&["get", name]);
    let oid = read[name]["oid"].take();
    assert!(
        oid.as_str()
            .is_some_and(|oid| oid.starts_with("1.3.6.1.4.1.4935."))
    );
    assert_eq!(
        read,
        json!({ name: { "value": 1, "label": "enable", "oid": null } })
    );
    assert_eq!(
        world.json(&["walk", "SipEp.Gateway.Port"])["SipEp.Gateway[Name=default].Port"]["value"],
        5070
    );
    let (status, out, err) = world.demarc(&["--json", "set", "Hoc.SystemUptime=1"]);
    assert_eq!(
        (status, out.as_str(), err.as_str()),
        (
            1,
            "{\"refused\":[{\"object\":\"Hoc.SystemUptime\",\"reason\":\"notWritable\",\"message\":\"it cannot be written\"}]}\n",
            "Hoc.SystemUptime: it cannot be written\n"
        )
    );
}

#[test]
fn a_refused_set_names_every_offender_and_changes_nothing() {
    let world = World::boot();
    let (status, out, err) = world.demarc(&[
        "set",
        "Hoc.SystemName=x",
        "Hoc.SntpSynchronizationPeriod=0",
        "Hoc.StaticSntpServers[Priority=1].HostName=a",
    ]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert_eq!(
        err,
        "Hoc.SntpSynchronizationPeriod: wrong value, it takes a number 1..1440\n"
    );
    let (_, _, err) = world.demarc(&[
        "set",
        "Hoc.Contact=x",
        "Hoc.SntpSynchronizationPeriod=often",
    ]);
    assert_eq!(
        err,
        "Hoc.Contact: Hoc has no object \"Contact\"; did you mean Hoc.SystemContact?\nHoc.SntpSynchronizationPeriod: \"often\" is not a number\n"
    );
    assert_eq!(
        world.ok(&["get", "Hoc.SystemName"]),
        "Hoc.SystemName=\"\"\n"
    );
    assert_eq!(world.demarc(&["set", "Hoc.SystemName"]).0, 2);
}

#[test]
fn a_secret_never_comes_out_by_this_door() {
    let world = World::boot();
    world.ok(&["set", "Aaa.Users[UserName=admin].Password=xyzzy"]);
    for words in [
        &["walk"][..],
        &["walk", "--json"],
        &["export"],
        &["diff"],
        &["status"],
    ] {
        assert!(!world.ok(words).contains("xyzzy"), "{words:?}");
    }
    assert!(
        world
            .ok(&["diff"])
            .contains("+ Aaa.Users[UserName=admin].Password=(secret)\n")
    );
}

#[test]
fn operations_are_listed_invoked_and_refused() {
    let world = World::boot();
    assert_eq!(
        world.ok(&["operations"]),
        "Scm.Echo Word=...\n    Says a word and counts the octets of a file.\n    Word: what to say\n"
    );
    let file = world.scratch.0.join("blob");
    fs::write(&file, [0, 255, 10]).expect("written");
    let file = file.to_str().expect("text");
    assert_eq!(
        world.ok(&["invoke", "scm.echo", "word=hello there", "--file", file]),
        "hello there 3\n"
    );
    assert_eq!(
        world.json(&["invoke", "Scm.Echo", "Word=x"]),
        json!({ "answer": "x 0" })
    );
    let refused = |words: &[&str]| {
        let (status, _, err) = world.demarc(words);
        assert_eq!(status, 1);
        err
    };
    assert_eq!(
        refused(&["invoke", "Scm.Echo", "Word=fail"]),
        "Scm.Echo: it was told to fail\n"
    );
    assert_eq!(
        refused(&["invoke", "Scm.Echo"]),
        "Scm.Echo needs the argument Word: what to say\n"
    );
    assert_eq!(
        refused(&["invoke", "Scm.Nope"]),
        "Scm.Nope: there is no operation \"Scm.Nope\"; there are Scm.Echo\n"
    );
}

#[test]
fn a_script_runs_and_an_export_makes_the_same_device() {
    let world = World::boot();
    let file = world.scratch.0.join("script");
    let path = file.to_str().expect("text");
    fs::write(
        &file,
        "# twice\nHoc.SystemName=gw\nScm.Echo Word=\"well done\"\nHoc.StaticHosts[Index=1].Name=pbx\n",
    )
    .expect("written");
    assert_eq!(world.ok(&["script", path]), "Scm.Echo: well done 0\n");
    assert_eq!(world.tree.snapshot().version(), 1);
    fs::write(&file, world.ok(&["export"])).expect("written");
    let twin = World::boot();
    twin.ok(&["script", path]);
    assert_eq!(twin.ok(&["export"]), world.ok(&["export"]));
    assert_eq!(
        twin.ok(&["diff"]),
        "- Hoc.SystemName=\"\"\n+ Hoc.SystemName=\"gw\"\n+ Hoc.StaticHosts[Index=1].Name=\"pbx\"\n"
    );
    fs::write(&file, "Hoc.SystemName=x\nnonsense\nHoc.Nope=1\n").expect("written");
    let (status, _, err) = twin.demarc(&["script", path]);
    assert_eq!((status, err.lines().count()), (1, 2));
    assert!(err.lines().all(|line| line.contains("(line ")), "{err}");
}

#[test]
fn the_log_is_printed_and_followed_until_the_reader_goes() {
    let world = World::boot();
    world.logged(3, "first");
    assert!(
        world
            .ok(&["log"])
            .ends_with(" warning     SipEp 1400.100 first\n")
    );
    assert_eq!(world.json(&["log"])["index"], 3);
    assert_eq!(world.ok(&["log", "--since", "3"]), "");
    let mut client = Client::connect(&world.data).expect("connected");
    let mut seen = Vec::new();
    let request = Request::Log {
        since: 0,
        follow: true,
    };
    client
        .ask(&request, |answer| {
            let Answer::Log(lines) = answer else {
                panic!("only log lines");
            };
            seen.extend(lines.into_iter().map(|line| line.message));
            match seen.len() {
                1 => world.logged(4, "second"),
                2 => return ControlFlow::Break(()),
                _ => panic!("one after the other"),
            }
            ControlFlow::Continue(())
        })
        .expect("followed");
    assert_eq!(seen, ["first", "second"]);
}

#[test]
fn the_log_is_pushed_as_it_grows_and_the_stream_ends_with_the_device() {
    let world = World::boot();
    let mut client = Client::connect(&world.data).expect("connected");
    let (told, heard) = std::sync::mpsc::channel();
    let follower = std::thread::spawn(move || {
        let request = Request::Log {
            since: 0,
            follow: true,
        };
        client.ask(&request, |answer| {
            if let Answer::Log(lines) = answer {
                let messages = lines.into_iter().map(|line| line.message);
                messages.for_each(|message| told.send(message).expect("the test listens"));
            }
            ControlFlow::Continue(())
        })
    });
    for index in 1..=3 {
        let text = format!("entry {index}");
        world.logged(index, &text);
        let pushed = heard.recv_timeout(Duration::from_secs(5));
        assert_eq!(pushed.as_deref(), Ok(text.as_str()));
    }
    drop(world);
    let ended = follower.join().expect("no panic");
    assert!(matches!(ended, Err(ClientError::Lost(_))), "{ended:?}");
}

#[test]
fn the_picture_is_drawn_from_whatever_is_published() {
    let world = World::boot();
    world.ok(&[
        "set",
        "Hoc.SystemName=gw",
        "SipEp.Gateway[Name=default].Port=5070",
    ]);
    world.tree.live().publish(|live| {
        live.scalar(demarc::schema::snmp::LISTEN_STATE, "127.0.0.1:1161");
        let gateway = Index::text("default");
        live.set(
            demarc::schema::sip_ep::gateway_status::STATE,
            &gateway,
            "Network down",
        );
        live.set(
            demarc::schema::sip_ep::gateway_status_reason::TEXT,
            &gateway,
            "no interface Uplink: make it in Bni.NetworkInterfaces",
        );
    });
    let picture = world.json(&["status"]);
    assert_eq!(picture["device"]["name"], "gw");
    assert_eq!(picture["device"]["software"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        picture["wrong"],
        json!([{
            "object": "SipEp.GatewayStatus[Name=default]",
            "reason": "Network down: no interface Uplink: make it in Bni.NetworkInterfaces"
        }])
    );
}

#[test]
fn garbage_is_answered_and_the_next_request_served() {
    let world = World::boot();
    let mut socket = world.socket();
    socket
        .write_all(b"\xff\xfe\0\n\n[[[[\n{\"op\":\"get\",\"names\":7}\n{\"op\":\"version\"}\n")
        .expect("written");
    let lines: Vec<Value> = BufReader::new(&socket)
        .lines()
        .take(5)
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
        .collect();
    for line in &lines[..4] {
        assert_eq!(line["refused"][0]["reason"], "unreadable");
    }
    assert_eq!(lines[4]["version"]["configuration"], 0);
}

#[test]
fn a_request_over_the_bound_is_refused_and_its_client_sent_away() {
    let world = World::boot();
    let mut socket = world.socket();
    let mut writer = socket.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || {
        // The device hangs up before it has read all of it.
        let _ = writer.write_all(&vec![b'x'; 9 << 20]);
    });
    let mut answer = String::new();
    let mut reader = BufReader::new(&socket);
    reader.read_line(&mut answer).expect("an answer");
    assert!(answer.contains("\"tooLong\""), "{answer}");
    writing.join().expect("written or cut off");
    let again = socket.write_all(b"{\"op\":\"version\"}\n");
    let mut rest = String::new();
    let more = BufReader::new(&socket).read_line(&mut rest);
    assert!(again.is_err() || more.is_err() || rest.is_empty());
    world.ok(&["get", "Hoc.SystemName"]);
}

#[test]
fn clients_beyond_the_bound_are_turned_away_and_a_place_is_free_again() {
    let world = World::boot();
    let mut held: Vec<UnixStream> = (0..CLIENTS).map(|_| world.socket()).collect();
    for socket in &mut held {
        socket
            .write_all(b"{\"op\":\"version\"}\n")
            .expect("written");
        let mut line = String::new();
        BufReader::new(&*socket)
            .read_line(&mut line)
            .expect("served");
    }
    let (status, _, err) = world.demarc(&["get", "Hoc.SystemName"]);
    assert_eq!(
        (status, err.as_str()),
        (1, "request: 32 clients are connected already\n")
    );
    held.pop();
    let served = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        world.demarc(&["get", "Hoc.SystemName"]).0 == 0
    });
    assert!(served);
}

#[test]
fn the_socket_of_a_deep_folder_lies_elsewhere_and_is_found() {
    let scratch = Scratch::new();
    let mut data = scratch.0.clone();
    while data.as_os_str().len() < 300 {
        data.push("d".repeat(60));
    }
    let world = World::on(scratch, data);
    world.ok(&["set", "Hoc.SystemName=deep"]);
    let named = fs::read_to_string(world.data.join("socket-path")).expect("it is named");
    let socket = Path::new(named.trim());
    assert!(socket.starts_with(world.runtime_folder()));
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(socket), 0o600);
    assert_eq!(mode(&world.runtime_folder()), 0o700);
}

#[test]
fn a_runtime_folder_that_others_may_enter_is_not_used() {
    let scratch = Scratch::new();
    let data = scratch.0.join("d".repeat(120));
    let open = scratch.0.join("open");
    fs::create_dir_all(&data).expect("made");
    fs::create_dir_all(&open).expect("made");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("set");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let refused = Listener::bind(&data, &open);
    assert!(matches!(refused, Err(BindError::OpenToOthers(_))));
}

#[test]
fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
    let world = World::boot();
    let socket = world.data.join("demarc.sock");
    assert_eq!(
        fs::metadata(&socket).expect("there").permissions().mode() & 0o777,
        0o600
    );
    let inside = world.runtime.enter();
    let second = Listener::bind(&world.data, &world.runtime_folder());
    assert!(matches!(second, Err(BindError::Taken(_))));
    drop(inside);
    let data = world.data.clone();
    let World {
        runtime, scratch, ..
    } = world;
    drop(runtime);
    assert!(
        !socket.exists(),
        "a device that stops takes its socket with it"
    );
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a dead socket"));
    assert!(matches!(
        Client::connect(&data),
        Err(ClientError::NoDevice(_))
    ));
    let world = World::on(scratch, data);
    world.ok(&["get", "Hoc.SystemName"]);
}

/// What bash offers behind a line, with the completion of this program.
fn offered(world: &World, line: &str) -> Vec<String> {
    let script = r#"
        eval "$("$DEMARC" completion bash)"
        COMP_LINE=$LINE COMP_POINT=${#LINE}
        # As readline breaks words: at spaces, = and :.
        COMP_WORDS=($(sed 's/[=:]/ & /g' <<<"$LINE"))
        [[ $LINE == *" " ]] && COMP_WORDS+=("")
        COMP_WORDS[0]=$DEMARC
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _demarc_all "$DEMARC" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--norc", "-c", script])
        .env("DEMARC", env!("CARGO_BIN_EXE_demarc"))
        .env(
            "LINE",
            line.replace("DATA", world.data.to_str().expect("text")),
        )
        .output()
        .expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_names_rows_and_values() {
    let world = World::boot();
    world.ok(&["set", "SipEp.Gateway[Name=default].Port=5070"]);
    assert_eq!(offered(&world, "demarc stat"), ["status"]);
    assert_eq!(
        offered(&world, "demarc get Hoc.SystemN"),
        ["Hoc.SystemName"]
    );
    assert_eq!(
        offered(&world, "demarc set 'sipep.gatewaystatusr"),
        ["SipEp.GatewayStatusReason[Name="]
    );
    assert_eq!(
        offered(&world, "demarc --data DATA set 'SipEp.Gateway[Name="),
        ["SipEp.Gateway[Name=default]"]
    );
    assert_eq!(
        offered(&world, "demarc set SipEp.Gateway[Name=default].Secu"),
        ["default].SecurePort"]
    );
    assert_eq!(
        offered(
            &world,
            "demarc set 'SipEp.TransportConfig[GatewayName=default].TlsEnable=e"
        ),
        ["SipEp.TransportConfig[GatewayName=default].TlsEnable=enable"]
    );
    assert!(offered(&world, "demarc get --o").contains(&"--oid".to_owned()));
}

#[test]
fn the_program_tells_wrong_usage_from_a_missing_device() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_demarc"))
            .args(words)
            .current_dir(&scratch.0)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), text)
    };
    assert_eq!(run(&["fly"]).0, Some(2));
    let sentence = "demarc: no device runs on ./demarc-data: start one with `demarc run`\n";
    assert_eq!(run(&["status"]), (Some(3), sentence.to_owned()));
    let long = "n".repeat(300);
    assert_eq!(run(&["get", "Hoc.SystemName", "--data", &long]).0, Some(3));
    let (status, text) = run(&["mib", "Hoc.Nope"]);
    assert_eq!(status, Some(1));
    assert!(text.starts_with("Hoc.Nope: "), "{text}");
    let modules = scratch.0.join("mibs");
    let modules = modules.to_str().expect("text");
    assert_eq!(run(&["mib", "--export", modules]).0, Some(0));
    assert!(Path::new(modules).join("DGW-SIPEP-MIB.mib").is_file());
}
