//! Files that an ACS has moved: a file server that behaves and one that does
//! not, certificates made by openssl, an installer. The ACS's record judges.

use crate::bench::acs::{Acs, Sent};
use crate::bench::files::{Files, Place};
use crate::bench::{
    Authority, Device, Folder, Life, eventually, free_tcp_port, free_udp_port, run,
};
use crate::disk::Tmpfs;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

pub(crate) const SCRIPT: &str = "3 Vendor Configuration File";
pub(crate) const ANCHORS: &str = "X 0090F8 TrustAnchors";
pub(crate) const HOST: &str = "X 0090F8 Certificate";
pub(crate) const IMAGE: &str = "1 Firmware Upgrade Image";
const LIMIT: Duration = Duration::from_secs(40);

fn device(folder: &Folder, acs: &Acs, more: &[&str]) -> Device {
    let acs = format!("Cwmp.AcsStaticUrl={}", acs.url());
    let port = format!("Cwmp.ListeningPort={}", free_tcp_port());
    let sip = format!("SipEp.Gateway[Name=default].Port={}", free_udp_port());
    let mut settings = vec![
        "Cwmp.AcsUrlConfigSource=static",
        "Cwmp.RetryMinimumWaitInterval=1",
        "Hoc.StaticHosts[Index=1].Name=files.test",
        "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
        &acs,
        &port,
        &sip,
    ];
    settings.extend(more);
    Device::start(folder, &settings)
}

/// A Download as user `files`.
pub(crate) fn download(key: &str, file_type: &str, url: &str, size: usize) -> String {
    format!(
        "<C:Download><CommandKey>{key}</CommandKey><FileType>{file_type}</FileType>\
         <URL>{url}</URL><Username>files</Username><Password>pw-of-files</Password>\
         <FileSize>{size}</FileSize><TargetFileName></TargetFileName>\
         <DelaySeconds>0</DelaySeconds><SuccessURL></SuccessURL><FailureURL></FailureURL>\
         </C:Download>"
    )
}

fn upload(key: &str, file_type: &str, url: &str) -> String {
    format!(
        "<C:Upload><CommandKey>{key}</CommandKey><FileType>{file_type}</FileType><URL>{url}</URL>\
         <Username>files</Username><Password>pw-of-files</Password>\
         <DelaySeconds>0</DelaySeconds></C:Upload>"
    )
}

/// How the transfer of this key ended.
pub(crate) fn complete(acs: &Acs, key: &str) -> Sent {
    acs.waits(&format!("TransferComplete of {key}"), |sent| {
        sent.is("TransferComplete") && sent.texts("CommandKey") == [key]
    })
}

pub(crate) fn code(complete: &Sent) -> String {
    complete.texts("FaultCode").concat()
}

/// Asks for a session until one is had: one may just be running.
pub(crate) fn session(device: &Device) {
    eventually("a session", LIMIT, || {
        let asked = device.cli(&["cwmp", "inform"]);
        asked.status.success().then_some(())
    });
}

#[test]
fn certificates_come_over_tls_with_a_digest_and_are_installed_and_told_of() {
    let folder = Folder::new("transfers");
    let (authority, carrier) = (Authority::new("Files CA"), Authority::new("Carrier CA"));
    let identity = authority.issue("files.test", 2, Life::Now);
    let files = Files::secure(&identity, "files", "pw-of-files");
    let own = carrier.issue("gw.test", 7, Life::Now);
    let own = fs::read(own.write(folder.path(), "gw")).expect("a file");
    let anchor = carrier.anchor(folder.path(), "carrier");
    // DER as well as PEM.
    let der = folder.path().join("carrier.der");
    run(Command::new("openssl")
        .args(["x509", "-outform", "DER", "-in"])
        .arg(&anchor)
        .arg("-out")
        .arg(&der));
    let der = fs::read(der).expect("a file");
    let acs = Acs::open();
    let host = files.put("gw.pem", Place::File(own.clone()));
    let trust = files.put("carrier.der", Place::File(der.clone()));
    acs.asks(&download("host", HOST, &host, own.len()));
    acs.asks(&download("trust", ANCHORS, &trust, der.len()));
    let device = device(&folder, &acs, &[]);
    // Nothing is proven to a server that is not the one of its URL.
    assert_eq!(code(&complete(&acs, "host")), "9012");
    assert_eq!(code(&complete(&acs, "trust")), "9012");
    assert!(files.record().is_empty());
    device.trusts("files.pem", &authority.anchor(folder.path(), "files"));
    acs.asks(&download("host2", HOST, &host, own.len()));
    acs.asks(&download("trust2", ANCHORS, &trust, der.len()));
    session(&device);
    assert_eq!(code(&complete(&acs, "host2")), "0");
    assert_eq!(code(&complete(&acs, "trust2")), "0");
    let told = acs.record();
    let told = told.iter().filter(|sent| sent.is("Inform"));
    let mut told = told.filter(|sent| sent.texts("CommandKey").contains(&"host2".to_owned()));
    let events = told.next().expect("an Inform").events();
    assert_eq!(events, ["7 TRANSFER COMPLETE", "M Download"]);
    let list = device.done(&["cert", "list"]);
    assert!(
        list.contains("gw.pem") && list.contains("carrier.der"),
        "{list}"
    );
    assert!(files.record().iter().any(|fetch| fetch.proven));
    let shown = device.done(&["cwmp"]);
    assert!(!shown.contains("pw-of-files"));
    acs.judges_every_envelope(&folder);
}

#[test]
fn a_pkcs12_file_made_by_openssl_is_installed_where_that_is_allowed() {
    let folder = Folder::new("transfers");
    let authority = Authority::new("Carrier CA");
    authority.anchor(folder.path(), "ca");
    authority
        .issue("gw.test", 9, Life::Now)
        .write(folder.path(), "gw");
    let path = folder.path().join("gw.p12");
    run(Command::new("openssl")
        .current_dir(folder.path())
        .args(["pkcs12", "-export", "-inkey", "gw.key", "-in", "gw.crt"])
        .args([
            "-certfile",
            "ca.crt",
            "-passout",
            "pass:of-the-file",
            "-out",
        ])
        .arg(&path));
    let (acs, files) = (Acs::open(), Files::open());
    let url = files.put("gw.p12", Place::File(fs::read(path).expect("a file")));
    let device = device(&folder, &acs, &[]);
    device.done(&["set", "Cert.UnsecureTransferActivate=activate"]);
    acs.ended(1);
    acs.asks(&download("refused", HOST, &url, 0));
    session(&device);
    assert_eq!(code(&complete(&acs, "refused")), "9018");
    let settings = [
        "Cwmp.Pkcs12Import=enable",
        "Cwmp.Pkcs12Passphrase=of-the-file",
    ];
    device.done(&["set", settings[0], settings[1]]);
    acs.asks(&download("taken", HOST, &url, 0));
    session(&device);
    assert_eq!(code(&complete(&acs, "taken")), "0");
    let list = device.done(&["cert", "list"]);
    assert!(
        list.contains("gw.p12") && list.contains("gw.test"),
        "{list}"
    );
}

fn set(values: &[(&str, &str)]) -> String {
    let each = values.iter().map(|(name, value)| {
        format!(
            "<ParameterValueStruct><Name>{name}</Name><Value I:type=\"D:string\">{value}</Value>\
             </ParameterValueStruct>"
        )
    });
    let (count, each) = (values.len(), each.collect::<String>());
    format!(
        "<C:SetParameterValues><ParameterList E:arrayType=\"C:ParameterValueStruct[{count}]\">{each}\
         </ParameterList><ParameterKey>k</ParameterKey></C:SetParameterValues>"
    )
}

#[test]
fn the_transfer_table_is_set_by_the_acs_which_hears_of_its_end_and_is_asked_for_files() {
    let folder = Folder::new("transfers");
    let authority = Authority::new("Files CA");
    let identity = authority.issue("files.test", 2, Life::Now);
    // Who fetches by the table sends no proof.
    let files = Files::secure_for_everybody(&identity);
    let anchor = fs::read(authority.anchor(folder.path(), "files")).expect("a file");
    let url = files.put("carrier.pem", Place::File(anchor));
    let acs = Acs::open();
    let device = device(&folder, &acs, &[]);
    device.trusts("files.pem", &folder.path().join("files.crt"));
    acs.ended(1);
    let table = "Device.X_DEMARC_Cert.Transfer.";
    let policy = "Device.ManagementServer.AutonomousTransferCompletePolicy";
    acs.asks(&format!(
        "<C:AddObject><ObjectName>{table}</ObjectName><ParameterKey></ParameterKey></C:AddObject>"
    ));
    acs.asks(&set(&[
        (&format!("{policy}.Enable"), "true"),
        (&format!("{table}1.Url"), &url),
        (&format!("{table}1.Type"), "other"),
    ]));
    session(&device);
    acs.asks(&set(&[(&format!("{table}1.Start"), "start")]));
    session(&device);
    let told = acs.waits("AutonomousTransferComplete", |sent| {
        sent.is("AutonomousTransferComplete")
    });
    assert_eq!(code(&told), "0", "{:?}", told.body);
    assert_eq!(told.texts("TransferURL"), [url]);
    assert_eq!(told.texts("IsDownload"), ["1"]);
    let informs = acs.informs();
    let events: Vec<String> = informs.iter().flat_map(Sent::events).collect();
    assert!(events.contains(&"10 AUTONOMOUS TRANSFER COMPLETE".to_owned()));
    assert!(device.done(&["cert", "list"]).contains("carrier.pem"));
    let wish = "FileType=1 Firmware Upgrade Image";
    eventually("the wish is told", LIMIT, || {
        let asked = device.cli(&["invoke", "Cwmp.RequestDownload", wish]);
        asked.status.success().then_some(())
    });
    let asked = acs.waits("RequestDownload", |sent| sent.is("RequestDownload"));
    assert_eq!(asked.texts("FileType"), ["1 Firmware Upgrade Image"]);
    let wrong = device.cli(&["invoke", "Cwmp.RequestDownload", "FileType=firmware"]);
    assert_eq!(wrong.status.code(), Some(1));
    acs.judges_every_envelope(&folder);
}

/// What each file comes to: the fault, the type that is asked for, where it is, and the size that is told.
fn cases(
    files: &Files,
    guarded: &Files,
    script: &[u8],
) -> Vec<(&'static str, &'static str, String, usize)> {
    let sum = "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n".to_owned();
    let nobody = format!("http://127.0.0.1:{}/a", free_tcp_port());
    let circle = files.put("circle", Place::Status(302, String::new()));
    files.put(
        "circle",
        Place::Status(302, format!("Location: {circle}\r\n")),
    );
    vec![
        (
            "9016",
            SCRIPT,
            files.put("none", Place::Status(404, String::new())),
            0,
        ),
        (
            "9012",
            SCRIPT,
            guarded.put("a", Place::File(script.to_vec())),
            0,
        ),
        (
            "9018",
            SCRIPT,
            files.put("size", Place::File(script.to_vec())),
            7,
        ),
        (
            "9018",
            SCRIPT,
            files.put("sum", Place::With(script.to_vec(), sum)),
            0,
        ),
        (
            "9017",
            SCRIPT,
            files.put("cut", Place::Cut(script.to_vec())),
            0,
        ),
        (
            "9010",
            SCRIPT,
            files.put("bad", Place::Status(500, String::new())),
            0,
        ),
        ("9010", SCRIPT, circle, 0),
        ("9015", SCRIPT, nobody, 0),
        (
            "9018",
            SCRIPT,
            files.put("wrong", Place::File(b"Hoc.Nothing=1\n".to_vec())),
            0,
        ),
        (
            "9001",
            IMAGE,
            files.put("image", Place::File(script.to_vec())),
            0,
        ),
        (
            "0",
            SCRIPT,
            files.put("good", Place::File(script.to_vec())),
            18,
        ),
    ]
}

#[test]
fn whatever_goes_wrong_has_its_own_fault_code() {
    let folder = Folder::new("transfers");
    let acs = Acs::open();
    let device = device(&folder, &acs, &[]);
    acs.ended(1);
    let files = Files::open();
    let guarded = Files::guarded("files", "another");
    let script = b"Hoc.SystemName=gw\n".to_vec();
    let cases = cases(&files, &guarded, &script);
    // In the clear come neither certificates nor scripts, unless the operator lets them.
    let clear = files.put("clear", Place::File(script));
    for (key, file_type) in [("anchors", ANCHORS), ("script", SCRIPT)] {
        acs.asks(&download(key, file_type, &clear, 0));
    }
    session(&device);
    for key in ["anchors", "script"] {
        assert_eq!(code(&complete(&acs, key)), "9001");
    }
    assert!(files.record().is_empty());
    device.done(&["set", "Cert.UnsecureTransferActivate=activate"]);
    for (number, (_, file_type, url, size)) in cases.iter().enumerate() {
        acs.asks(&download(&format!("k{number}"), file_type, url, *size));
    }
    acs.asks(&download("ftp", SCRIPT, "ftp://127.0.0.1/a", 0));
    acs.asks(&download("type", "2 Web Content", "http://127.0.0.1/a", 0));
    session(&device);
    for (number, (wanted, _, url, _)) in cases.iter().enumerate() {
        let told = complete(&acs, &format!("k{number}"));
        assert_eq!(
            code(&told),
            *wanted,
            "{url}: {:?}",
            told.texts("FaultString")
        );
    }
    let refused = acs.record().into_iter();
    let refused: Vec<String> = refused
        .filter(|sent| sent.is("Fault"))
        .flat_map(|sent| sent.texts("FaultCode"))
        .collect();
    assert_eq!(refused, ["9013", "9003"]);
    assert_eq!(device.get("Hoc.SystemName"), "gw");
    let authority = Authority::new("Clear CA");
    let anchor = fs::read(authority.anchor(folder.path(), "clear")).expect("a file");
    let url = files.put("clear.pem", Place::File(anchor));
    acs.asks(&download("clear", ANCHORS, &url, 0));
    session(&device);
    assert_eq!(code(&complete(&acs, "clear")), "0");
    acs.judges_every_envelope(&folder);
}

#[test]
fn the_configuration_and_the_log_are_sent_with_a_digest() {
    let folder = Folder::new("transfers");
    let files = Files::guarded("files", "pw-of-files");
    let acs = Acs::open();
    let taken = || Place::Status(201, String::new());
    let script = files.put("gw.script", taken());
    let log = files.put("gw.log", taken());
    let post = files.put("post", Place::Status(405, "Allow: POST\r\n".to_owned()));
    acs.asks(&upload("script", "3 Vendor Configuration File 1", &script));
    acs.asks(&upload("log", "2 Vendor Log File", &log));
    acs.asks(&upload("post", "1 Vendor Configuration File", &post));
    let settings = ["Hoc.SystemName=the-gateway", "Cwmp.MinSeverity=info"];
    let _device = device(&folder, &acs, &settings);
    assert_eq!(code(&complete(&acs, "script")), "0");
    assert_eq!(code(&complete(&acs, "log")), "0");
    assert_eq!(code(&complete(&acs, "post")), "9011");
    let informs = acs.informs();
    let events: Vec<String> = informs.iter().flat_map(Sent::events).collect();
    assert!(events.contains(&"M Upload".to_owned()), "{events:?}");
    let record = files.record();
    let sent = |path: &str| {
        let mut sent = record.iter().filter(|fetch| fetch.proven);
        let found = sent.find(|fetch| fetch.line.contains(path)).expect(path);
        (
            found.line.clone(),
            String::from_utf8_lossy(&found.body).into_owned(),
        )
    };
    let (line, body) = sent("/gw.script");
    assert!(line.starts_with("PUT "), "{line}");
    assert!(body.contains("the-gateway"), "{body}");
    assert!(!body.contains("pw-of"), "{body}");
    let log = sent("/gw.log").1;
    assert!(log.contains("session with http"), "{log}");
    assert!(
        record
            .iter()
            .any(|fetch| fetch.line.starts_with("POST /post"))
    );
    acs.judges_every_envelope(&folder);
}

/// A profile with a key for images, and what signs them.
pub(crate) fn profile(folder: &Folder) -> (String, std::path::PathBuf) {
    let home = folder.path().join("profile");
    fs::create_dir_all(&home).expect("a folder");
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/certs/profile/profile.script");
    fs::copy(built_in, home.join("profile.script")).expect("copied");
    let key = folder.path().join("firmware.key");
    run(Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
        ])
        .arg(&key));
    run(Command::new("openssl")
        .args(["pkey", "-pubout", "-in"])
        .arg(&key)
        .arg("-out")
        .arg(home.join("firmware.pem")));
    (home.display().to_string(), key)
}

pub(crate) fn signed(folder: &Folder, key: &std::path::Path, image: &str) -> Vec<u8> {
    let image = folder.file("image", image);
    let signature = folder.path().join("signature");
    run(Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .arg(key)
        .arg("-out")
        .arg(&signature)
        .arg(&image));
    let signature = STANDARD.encode(fs::read(signature).expect("a signature"));
    let head = format!("DEMARC-IMAGE 1\nsignature: {signature}\n\n");
    [head.into_bytes(), fs::read(image).expect("an image")].concat()
}

#[test]
fn a_signed_image_is_handed_to_the_installer_and_any_other_is_not() {
    let folder = Folder::new("transfers");
    let (profile, key) = profile(&folder);
    let acs = Acs::open();
    let image = "new firmware ".repeat(10_000);
    let file = signed(&folder, &key, &image);
    let mut changed = file.clone();
    *changed.last_mut().expect("octets") ^= 1;
    let files = Files::open();
    let good = files.put("good", Place::File(file.clone()));
    let changed = files.put("changed", Place::File(changed));
    let unsigned = files.put("unsigned", Place::File(image.clone().into_bytes()));
    let device = device_of_profile(&folder, &acs, &profile);
    acs.ended(1);
    let installed = folder.path().join("installed image");
    let program = folder.file(
        "install.sh",
        "#!/bin/sh\n[ -e \"$2.refuse\" ] && exit 3\nexec cp \"$1\" \"$2\"\n",
    );
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    let line = format!("{}\n%file%\n{}\n", program.display(), installed.display());
    fs::write(device.home.join("installer"), line).expect("written");
    acs.asks(&download("changed", IMAGE, &changed, 0));
    acs.asks(&download("unsigned", IMAGE, &unsigned, 0));
    session(&device);
    assert_eq!(code(&complete(&acs, "changed")), "9019");
    assert_eq!(code(&complete(&acs, "unsigned")), "9019");
    assert!(!installed.exists());
    acs.asks(&download("good", IMAGE, &good, file.len()));
    session(&device);
    let told = complete(&acs, "good");
    assert_eq!(code(&told), "0", "{:?}", told.texts("FaultString"));
    assert_eq!(fs::read_to_string(&installed).expect("installed"), image);
    // What the installer refuses is told.
    fs::write(format!("{}.refuse", installed.display()), "").expect("written");
    acs.asks(&download("refused", IMAGE, &good, file.len()));
    session(&device);
    let told = complete(&acs, "refused");
    assert_eq!(code(&told), "9010");
    assert!(told.texts("FaultString")[0].contains("exit status: 3"));
    acs.judges_every_envelope(&folder);
}

pub(crate) fn device_of_profile(folder: &Folder, acs: &Acs, profile: &str) -> Device {
    device_in("data", folder, acs, profile)
}

fn device_in(name: &str, folder: &Folder, acs: &Acs, profile: &str) -> Device {
    let acs = format!("Cwmp.AcsStaticUrl={}", acs.url());
    let port = format!("Cwmp.ListeningPort={}", free_tcp_port());
    let sip = format!("SipEp.Gateway[Name=default].Port={}", free_udp_port());
    let settings = ["Cwmp.AcsUrlConfigSource=static", &acs, &port, &sip];
    Device::launched(folder, name, &["--profile", profile], &settings)
}

#[test]
fn a_file_server_that_says_nothing_is_given_up() {
    let folder = Folder::new("transfers");
    let acs = Acs::open();
    let files = Files::open();
    let slow = files.put("slow", Place::Slow(Duration::from_secs(60)));
    let device = device(&folder, &acs, &[]);
    device.done(&["set", "Cert.UnsecureTransferActivate=activate"]);
    acs.asks(&download("slow", SCRIPT, &slow, 0));
    session(&device);
    let told = eventually("the end is told", Duration::from_secs(50), || {
        let mut record = acs.record().into_iter();
        record.find(|sent| sent.is("TransferComplete"))
    });
    assert_eq!(code(&told), "9015");
}

#[test]
fn an_image_that_the_disk_has_no_room_for_is_refused_and_gives_the_room_back() {
    let folder = Folder::new("transfers");
    let small = Tmpfs::mount(&folder);
    let (profile, key) = profile(&folder);
    let (acs, files) = (Acs::open(), Files::open());
    let file = signed(&folder, &key, &"x".repeat(40 << 20));
    let large = files.put("large", Place::File(file));
    let device = device_in("small/data", &folder, &acs, &profile);
    acs.ended(1);
    fs::write(device.home.join("installer"), "/bin/true\n").expect("written");
    acs.asks(&download("large", IMAGE, &large, 0));
    session(&device);
    let told = complete(&acs, "large");
    assert_eq!(code(&told), "9010");
    let why = told.texts("FaultString").concat();
    assert!(why.contains("cannot be kept"), "{why}");
    assert!(!small.0.join("data/firmware/coming").exists());
    device.done(&["set", "Hoc.SystemName=after"]);
}
