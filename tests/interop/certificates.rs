//! Certificates between Demarc and Kamailio, judged by both sides: each
//! refusal has its reason, and each is mended while everything runs.

use crate::bench::{
    Authority, Clients, Device, Folder, Identity, Kamailio, LINKS, Life, eventually,
};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// A registrar whose certificate is not what it should be, and a device set to it.
struct Pair {
    folder: Folder,
    kamailio: Kamailio,
    device: Device,
    authority: Authority,
}

impl Pair {
    /// The device trusts the authority that Kamailio's certificate need not be of.
    fn start(shown: impl FnOnce(&Authority) -> Identity) -> Self {
        let folder = Folder::new("kam-certificate");
        let kamailio = Kamailio::start(&folder);
        let authority = Authority::new("Carrier CA");
        kamailio.shows(&shown(&authority));
        let device = kamailio.secure_device(&folder, &[]);
        device.trusts("carrier.pem", &authority.anchor(folder.path(), "carrier"));
        Self {
            folder,
            kamailio,
            device,
            authority,
        }
    }

    fn refused(&self, words: &[&str]) {
        self.device.complains(LINKS, words);
        assert_eq!(self.kamailio.location(), Some(Vec::new()));
    }

    fn mended(&self) {
        self.kamailio.registered_by("tls", LIMIT);
    }
}

#[test]
fn a_registrar_of_an_authority_that_is_not_installed_is_refused_until_it_is() {
    let stranger = Authority::new("Stranger CA");
    let pair = Pair::start(|_| stranger.issue("sip.test", 11, Life::Now));
    pair.refused(&["Stranger CA", "demarc cert add --type other"]);
    let anchor = stranger.anchor(pair.folder.path(), "stranger");
    pair.device.trusts("stranger.pem", &anchor);
    pair.mended();
}

#[test]
fn a_registrar_with_another_ones_name_is_refused_until_names_do_not_count() {
    let pair = Pair::start(|authority| authority.issue("other.test", 12, Life::Now));
    let level = "SipEp.InteropTlsCertificateValidation";
    pair.refused(&["sip.test", "other.test", level]);
    pair.device.snmpset(&[(level, "i", "200")]);
    pair.mended();
}

#[test]
fn a_registrar_whose_certificate_is_not_valid_now_is_refused_until_it_is_renewed() {
    let pair = Pair::start(|authority| authority.issue("sip.test", 13, Life::Over));
    pair.refused(&["sip.test", "expired on", "renewed", "Hoc.StaticSntpServers"]);
    let early = pair.authority.issue("sip.test", 14, Life::ToCome);
    pair.kamailio.shows(&early);
    pair.refused(&["sip.test", "valid from", "Hoc.StaticSntpServers"]);
    let renewed = pair.authority.issue("sip.test", 15, Life::Now);
    pair.kamailio.shows(&renewed);
    pair.mended();
}

#[test]
fn the_host_certificate_is_swapped_live_and_kamailio_sees_the_new_one() {
    let folder = Folder::new("kam-mutual");
    let kamailio = Kamailio::start_as(&folder, "127.0.0.1", Clients::Certified, &[]);
    let authority = Authority::new("Gateway CA");
    kamailio.trusts(&authority);
    let device = kamailio.secure_device(&folder, &[]);
    device.trusts("ca.pem", &kamailio.ca("ca.crt"));
    device.complains(
        LINKS,
        &[
            "asks for a client certificate",
            "demarc cert add --type host",
        ],
    );
    let own = |name: &str, serial: u32| {
        let identity = authority.issue("gw.test", serial, Life::Now);
        identity.write(folder.path(), name)
    };
    device.shows("gw.pem", &own("first", 4001));
    sees(&kamailio, "peer gw.test serial 4001 over TLSv1.3");
    kamailio.registered_by("tls", LIMIT);
    // A renewal: the same file name, another certificate. Nothing else is said.
    device.shows("gw.pem", &own("second", 4002));
    sees(&kamailio, "peer gw.test serial 4002 over TLSv1.3");
    kamailio.registered_by("tls", LIMIT);
}

#[test]
fn a_host_certificate_that_kamailio_does_not_accept_is_named_as_the_cause() {
    let folder = Folder::new("kam-mutual-refused");
    let kamailio = Kamailio::start_as(&folder, "127.0.0.1", Clients::Certified, &[]);
    let authority = Authority::new("Gateway CA");
    kamailio.trusts(&authority);
    let device = kamailio.secure_device(&folder, &[]);
    device.trusts("ca.pem", &kamailio.ca("ca.crt"));
    // One of the right issuer's name but not of its key, one of another issuer.
    let imposter = Authority::new("Gateway CA").issue("gw.test", 5001, Life::Now);
    device.shows("gw.pem", &imposter.write(folder.path(), "imposter"));
    let advice = "demarc cert add --type host";
    device.complains(LINKS, &["refuses our certificate", "DecryptError", advice]);
    let stranger = Authority::new("Stranger CA").issue("gw.test", 5002, Life::Now);
    device.shows("gw.pem", &stranger.write(folder.path(), "stranger"));
    device.complains(LINKS, &["refuses our certificate", "UnknownCA", advice]);
    assert_eq!(kamailio.location(), Some(Vec::new()));
    let accepted = authority.issue("gw.test", 5003, Life::Now);
    device.shows("gw.pem", &accepted.write(folder.path(), "accepted"));
    sees(&kamailio, "peer gw.test serial 5003");
}

fn sees(kamailio: &Kamailio, words: &str) {
    eventually(&format!("kamailio sees {words}"), LIMIT, || {
        kamailio.process.said().contains(words).then_some(())
    });
}
