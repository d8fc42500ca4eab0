//! Wireshark's dissectors read our offers: SDP, crypto attributes and MIKEY.

use std::path::Path;
use std::process::Command;

use crate::bench::{Folder, run};
use demarc::media::keys::Fresh;
use demarc::media::keys::mikey::Protection;
use demarc::media::negotiation::{
    ClearHop, Description, Fallback, Format, Hop, Management, MikeyEnd, Mismatch, Mode,
    Negotiation, Security, Wish,
};
use demarc::media::srtp::Suite;

fn offer(mode: Mode, fallback: Fallback, management: Management) -> String {
    let format = |encoding: &str, payload| Format {
        encoding: encoding.to_owned(),
        clock: 8_000,
        payload,
        parameters: None,
    };
    let local = Description {
        address: [192, 0, 2, 1].into(),
        session: 7,
        port: 5004,
        secure_port: 6004,
        rtcp_mux: false,
        formats: vec![format("PCMA", 8), format("PCMU", 0)],
        dtmf: Some(96),
        ptime: Some(20),
        fax: None,
        security: Security {
            mode,
            management,
            suites: vec![Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32],
            fallback,
            clear_hop: ClearHop::Refuse,
            mismatch: Mismatch::UnsupportedMediaType,
        },
    };
    let mut draw = |octets: &mut [u8]| octets.fill(0x5a);
    let mut fresh = Fresh {
        ntp: 0xeeae_d87b_0000_0000,
        draw: &mut draw,
    };
    let offer = Negotiation::new(local, Hop::Tls).offer(Wish::VOICE, &mut fresh);
    offer.expect("an offer").to_string()
}

fn mikey(protection: Protection) -> String {
    let end = MikeyEnd {
        protection,
        ssrc: 0x1122_3344,
        tolerance: None,
    };
    offer(Mode::Secure, Fallback::TwoMedia, Management::Mikey(end))
}

/// An INVITE with this offer as the one UDP datagram of a capture (link type 101, raw IP).
fn capture(offer: &str) -> Vec<u8> {
    let invite = format!(
        "INVITE sip:1@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
From: <sip:2@192.0.2.1>;tag=1\r\nTo: <sip:1@192.0.2.2>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
Contact: <sip:2@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}",
        offer.len()
    );
    let length = u16::try_from(invite.len()).expect("a datagram");
    let mut packet = vec![0x45, 0];
    packet.extend((length + 28).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    packet.extend(
        [5060_u16, 5060, length + 8, 0]
            .map(u16::to_be_bytes)
            .concat(),
    );
    packet.extend(invite.bytes());
    let mut file = [
        0xa1b2_c3d4_u32,
        0x0002_0004_u32.rotate_left(16),
        0,
        0,
        65_535,
        101,
    ]
    .map(u32::to_le_bytes)
    .concat();
    let size = u32::try_from(packet.len()).expect("a packet");
    file.extend([0, 0, size, size].map(u32::to_le_bytes).concat());
    file.extend(packet);
    file
}

/// The values of these fields; nothing in the offer is malformed.
fn dissect(offer: &str, fields: &[&str]) -> Vec<String> {
    let folder = Folder::new("tshark-offer");
    let file = folder.path().join("offer.pcap");
    std::fs::write(&file, capture(offer)).expect("a capture");
    let odd = tshark(
        &file,
        "_ws.malformed || _ws.expert.severity >= 0x600000",
        &["sdp"],
    );
    assert_eq!(odd, "", "{offer}");
    let text = tshark(&file, "sdp", fields);
    text.trim_end_matches('\n')
        .split('\t')
        .map(str::to_owned)
        .collect()
}

fn tshark(file: &Path, filter: &str, fields: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file);
    command.args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    run(&mut command)
}

#[test]
fn wireshark_reads_an_offer_with_fallback() {
    let offer = offer(
        Mode::SecureWithFallback,
        Fallback::TwoMedia,
        Management::Sdes,
    );
    let fields = [
        "sdp.media.proto",
        "sdp.media.port",
        "sdp.crypto.tag",
        "sdp.crypto.crypto_suite",
        "sdp.mime.type",
    ];
    let found = dissect(&offer, &fields);
    let expected = [
        "RTP/SAVP,RTP/AVP",
        "6004,5004",
        "1,2",
        "AES_CM_128_HMAC_SHA1_80,AES_CM_128_HMAC_SHA1_32",
        "PCMA,PCMU,telephone-event,PCMA,PCMU,telephone-event",
    ];
    assert_eq!(found, expected);
}

const MIKEY: [&str; 9] = [
    "mikey.type",
    "mikey.v.set",
    "mikey.cs_count",
    "mikey.srtp_id.ssrc",
    "mikey.rand.data",
    "mikey.sp.encr_alg",
    "mikey.kemac.encr_alg",
    "mikey.kemac.mac_alg",
    "mikey.key.data",
];

#[test]
fn wireshark_reads_mikey_without_a_pre_shared_key() {
    let found = dissect(&mikey(Protection::Null), &MIKEY);
    let octets = "5a".repeat(16);
    let expected = [
        "0",
        "0",
        "2",
        "0x11223344,0x00000000",
        &octets,
        "1",
        "0",
        "0",
        &octets,
    ];
    assert_eq!(found, expected);
}

#[test]
fn wireshark_reads_mikey_with_a_pre_shared_key() {
    let psk = Protection::Psk(b"a key that both ends have".to_vec().into());
    let found = dissect(&mikey(psk), &MIKEY);
    let octets = "5a".repeat(16);
    let expected = [
        "0",
        "1",
        "2",
        "0x11223344,0x00000000",
        &octets,
        "1",
        "1",
        "1",
        "",
    ];
    assert_eq!(found, expected);
}
