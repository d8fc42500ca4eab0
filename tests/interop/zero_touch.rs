//! From factory state to registered over TLS, and nobody touches the device:
//! the ACS delivers the authority, the host certificate and the settings with
//! Download. Kamailio, which wants a certificate, says who is registered.

use crate::bench::acs::Acs;
use crate::bench::files::{Files, Place};
use crate::bench::{
    Authority, Clients, Device, Folder, Kamailio, Life, free_tcp_port, free_udp_port,
};
use crate::transfers::{ANCHORS, HOST, SCRIPT, complete, download};
use std::fs;
use std::time::Duration;

#[test]
fn a_unit_fresh_from_its_profile_registers_over_tls_with_what_the_acs_sends_it() {
    let folder = Folder::new("zero-touch");
    let kamailio = Kamailio::start_as(&folder, "127.0.0.1", Clients::Certified, &[]);
    let (maker, carrier) = (Authority::new("Maker CA"), Authority::new("Carrier CA"));
    kamailio.trusts(&carrier);
    kamailio.shows(&carrier.issue("sip.test", 21, Life::Now));
    // The profile knows the ACS and who vouches for it and for its file server.
    let acs = Acs::secure(&maker.issue("acs.test", 31, Life::Now), None);
    let identity = maker.issue("files.test", 32, Life::Now);
    let files = Files::secure(&identity, "files", "pw-of-files");
    let profile = folder.path().join("profile");
    fs::create_dir_all(profile.join("anchors")).expect("a folder");
    maker.anchor(&profile.join("anchors"), "maker");
    for private in ["maker.key", "maker.pem"] {
        fs::remove_file(profile.join("anchors").join(private)).expect("removed");
    }
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/certs/profile/profile.script");
    let built_in = fs::read_to_string(built_in).expect("the built-in profile");
    let (heard, port) = (free_tcp_port(), acs.port);
    let own = format!(
        "{built_in}\nCwmp.AcsUrlConfigSource=static\n\
         Cwmp.AcsStaticUrl=\"https://acs.test:{port}/cwmp\"\nCwmp.ListeningPort={heard}\n\
         Hoc.StaticHosts[Index=1].Name=acs.test\n\
         Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1\n\
         Hoc.StaticHosts[Index=2].Name=files.test\n\
         Hoc.StaticHosts[Index=2].IpAddresses=127.0.0.1\n"
    );
    fs::write(profile.join("profile.script"), own).expect("written");
    // What the ACS has for this unit.
    let (clear, base) = (free_udp_port(), free_tcp_port().clamp(1025, 64_000));
    let (secure, registrar) = (free_tcp_port(), kamailio.tls);
    let script = format!(
        "Hoc.StaticHosts[Index=3].Name=sip.test\n\
         Hoc.StaticHosts[Index=3].IpAddresses=127.0.0.1\n\
         SipEp.Gateway[Name=default].Port={clear}\n\
         SipEp.Gateway[Name=default].SecurePort={secure}\n\
         SipEp.TransportPersistentBasePort={base}\n\
         SipEp.DefaultStaticRegistrarServerHost=sip.test:{registrar}\n\
         SipEp.DefaultStaticProxyHomeDomainHost=sip.test:{registrar}\n\
         SipEp.UserAgent[EpId=Port01].Username=1000\n\
         SipEp.UserAgent[EpId=Port01].Register=enable\n\
         SipEp.Authentication[Index=1].Username=1000\n\
         SipEp.Authentication[Index=1].Password=pw-1000\n\
         SipEp.Authentication[Index=1].Realm=sip.test\n\
         SipEp.TransportConfig[GatewayName=default].TlsEnable=enable\n\
         SipEp.TransportConfig[GatewayName=default].UdpEnable=disable\n"
    );
    let anchor = fs::read(carrier.anchor(folder.path(), "carrier")).expect("a file");
    let host = carrier.issue("gw.test", 4711, Life::Now);
    let host = fs::read(host.write(folder.path(), "gw")).expect("a file");
    let deliveries = [
        ("trust", ANCHORS, "carrier.pem", anchor),
        ("host", HOST, "gw.pem", host),
        ("settings", SCRIPT, "gw.script", script.into_bytes()),
    ];
    for (key, file_type, path, content) in deliveries {
        let size = content.len();
        let url = files.put(path, Place::File(content));
        acs.asks(&download(key, file_type, &url, size));
    }
    let words = ["--profile", &profile.display().to_string()];
    let device = Device::start_with(&folder, &words, &[]);
    for key in ["trust", "host", "settings"] {
        let told = complete(&acs, key);
        assert_eq!(told.texts("FaultCode"), ["0"], "{:?}", told.body);
    }
    kamailio.registered_by("tls", Duration::from_secs(20));
    let seen = kamailio.process.said();
    assert!(seen.contains("peer gw.test serial 4711"), "{seen}");
    let registrations = device.done(&["walk", "SipEp.RegistrationStatus"]);
    assert!(registrations.contains("registered"), "{registrations}");
    acs.judges_every_envelope(&folder);
}
