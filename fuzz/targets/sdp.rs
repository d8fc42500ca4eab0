//! Session descriptions: what parses prints itself again, and an answer has
//! one medium for each that was offered, one of them live.
#![no_main]

use demarc::media::keys::Fresh;
use demarc::media::negotiation::{
    ClearHop, Description, Fallback, FaxBesideSrtp, FaxEnd, Format, Hop, Keys, Management,
    Mismatch, Mode, Negotiation, Security, Wish,
};
use demarc::media::srtp::Suite;
use demarc::wire::sdp::{Direction, Session, UdpCorrection};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let session = match Session::parse(octets) {
        Ok(session) => session,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    let text = session.to_string();
    assert_eq!(Session::parse(text.as_bytes()).as_ref(), Ok(&session));
    for mode in [Mode::Unsecure, Mode::Secure, Mode::SecureWithFallback] {
        let mut draw = |octets: &mut [u8]| octets.fill(0xa5);
        let mut fresh = Fresh {
            ntp: 0,
            draw: &mut draw,
        };
        let mut side = Negotiation::new(description(mode), Hop::Tls);
        match side.answer(&session, Direction::SendRecv, Keys::Keep, &mut fresh) {
            Ok((answer, _)) => {
                assert_eq!(answer.media.len(), session.media.len());
                let live = |media: &&demarc::wire::sdp::Media| media.port != 0;
                assert_eq!(answer.media.iter().filter(live).count(), 1);
            }
            Err(refusal) => assert!((400..500).contains(&refusal.status())),
        }
        let mut side = Negotiation::new(description(mode), Hop::Tls);
        side.offer(Wish::VOICE, &mut fresh)
            .expect("an offer over TLS");
        if let Err(refusal) = side.read_answer(&session) {
            assert!(!refusal.to_string().is_empty());
        }
    }
});

fn description(mode: Mode) -> Description {
    let format = |encoding: &str, payload| Format {
        encoding: encoding.to_owned(),
        clock: 8_000,
        payload,
        parameters: None,
    };
    Description {
        address: [127, 0, 0, 1].into(),
        session: 1,
        port: 5004,
        secure_port: 5004,
        rtcp_mux: true,
        formats: vec![format("PCMU", 0), format("PCMA", 8)],
        dtmf: Some(96),
        ptime: Some(20),
        fax: Some(FaxEnd {
            port: 6004,
            version: 0,
            max_bit_rate: 14_400,
            max_datagram: 400,
            correction: UdpCorrection::Redundancy,
            beside_srtp: FaxBesideSrtp::Allow,
        }),
        security: Security {
            mode,
            management: Management::Sdes,
            suites: Suite::ALL.to_vec(),
            fallback: Fallback::Capabilities,
            clear_hop: ClearHop::Refuse,
            mismatch: Mismatch::UnsupportedMediaType,
        },
    }
}
