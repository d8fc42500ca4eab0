//! The torture messages of RFC 4475, octet for octet, each with the verdict that
//! section 3 of the RFC asks of an endpoint.
//!
//! The messages are not part of the repository: the environment variable
//! `DEMARC_VECTORS` names the folder that holds `rfc4475/*.dat`.

use std::path::{Path, PathBuf};

use demarc::sip::message::{Abilities, Message, Method, validate, validate_response};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Well formed, and served.
    Served,
    /// Answered with this code.
    Refused(u16),
    /// A well-formed response that a client takes.
    Heard,
    /// A response that is thrown away.
    Discarded,
    /// No message of SIP; there is nobody to answer.
    Unreadable,
}

use Verdict::{Discarded, Heard, Refused, Served, Unreadable};

/// Written from the text of RFC 4475 section 3 before the parser ran.
const VERDICTS: [(&str, Verdict); 50] = [
    // 3.1.1: valid.
    ("TC_WSINV", Served),
    // An endpoint answers 501 with the methods that it knows.
    ("TC_INTMETH", Refused(501)),
    ("TC_ESC01_V", Served),
    ("TC_ESCNULL_V", Served),
    // Not equivalent to REGISTER: unknown.
    ("TC_ESC02_V", Refused(501)),
    ("TC_LWSDISP_V", Served),
    ("TC_LONGREQ_V", Served),
    // What follows the body is not part of the message.
    ("TC_DBLREQ", Served),
    ("TC_SEMIURI_V", Served),
    ("TC_TRANSPORTS_V", Served),
    ("TC_MPART01", Served),
    ("TC_UNREASON_V", Heard),
    ("TC_NOREASON_V", Heard),
    // 3.1.2: invalid.
    ("TC_BADINV01_I", Refused(400)),
    ("TC_CLERR_I", Refused(400)),
    ("TC_NCL_I", Refused(400)),
    // The CSeq alone is enough for 400.
    ("TC_SCALAR02_V", Refused(400)),
    ("TC_SCALARLG_V", Discarded),
    ("TC_QUOTBAL_I", Refused(400)),
    ("TC_LTGTRURI_I", Refused(400)),
    ("TC_LWSRURI_I", Refused(400)),
    ("TC_LWSSTART_V", Refused(400)),
    ("TC_TRWS_I", Refused(400)),
    ("TC_ESCRURI_V", Refused(400)),
    // The RFC lets a liberal element ignore a Date that it has no use for.
    ("TC_BADDATE_V", Served),
    ("TC_REGBADCT_I", Refused(400)),
    ("TC_BADASPEC_I", Refused(400)),
    ("TC_BADDN_I", Refused(400)),
    ("TC_BADVERS_V", Refused(505)),
    ("TC_MISMATCH01_V", Refused(400)),
    // 400 would do; 501 serves the future better.
    ("TC_MISMATCH02_V", Refused(501)),
    ("TC_BIGCODE_V", Discarded),
    // 3.2: the transaction layer. 400 rather than the rules of RFC 2543.
    ("TC_BADBRANCH_V", Refused(400)),
    // 3.3: the application layer.
    ("TC_INSUF_I", Refused(400)),
    ("TC_UNKSCM_V", Refused(416)),
    ("TC_NOVELSC_V", Refused(416)),
    // Syntactically valid; only a registrar would mind the address-of-record.
    ("TC_UNKSM2_V", Served),
    ("TC_BEXT01_V", Refused(420)),
    ("TC_INVUT_V", Refused(415)),
    // Credentials of an unknown scheme count as none.
    ("TC_REGAUT01_V", Served),
    ("TC_MULTI01_I", Refused(400)),
    ("TC_MCL01_I", Refused(400)),
    ("TC_BCAST_V", Discarded),
    // An endpoint treats it as if hops were left.
    ("TC_ZEROMF_V", Served),
    ("TC_CPARAM01_V", Served),
    ("TC_CPARAM02_V", Served),
    ("TC_REGESCRT_V", Served),
    ("TC_SDP01_V", Refused(406)),
    // 3.4: RFC 2543 had neither branch nor tag nor Max-Forwards.
    ("TC_INV2543_I", Served),
    // In the archive but not in the text: no version, no Via to answer to.
    ("TC_TEST_I", Unreadable),
];

const ENDPOINT: Abilities<'static> = Abilities {
    methods: &[
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Options,
        Method::Register,
        Method::Message,
    ],
    extensions: &[],
    media: &["application/sdp", "multipart/mixed"],
};

#[test]
fn every_message_of_rfc_4475_gets_the_verdict_of_its_section() {
    let Some(folder) = vectors() else {
        return;
    };
    let files = messages(&folder);
    assert!(!files.is_empty(), "no messages in {}", folder.display());
    let mut wrong = Vec::new();
    for (name, octets) in &files {
        let expected = VERDICTS.iter().find(|(known, _)| known == name);
        let seen = verdict(octets);
        match expected {
            None => wrong.push(format!("{name}: no verdict is written down, seen {seen:?}")),
            Some((_, expected)) if *expected != seen => {
                wrong.push(format!("{name}: expected {expected:?}, seen {seen:?}"));
            }
            Some(_) => {}
        }
    }
    let missing = VERDICTS
        .iter()
        .filter(|(known, _)| !files.iter().any(|(name, _)| name == known));
    wrong.extend(missing.map(|(name, _)| format!("{name}: the file is missing")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} messages of RFC 4475 judged", files.len());
}

#[test]
fn every_message_of_rfc_4475_that_can_be_read_prints_back_the_same() {
    let Some(folder) = vectors() else {
        return;
    };
    for (name, octets) in messages(&folder) {
        if let Ok(message) = Message::parse(&octets) {
            let printed = message.to_bytes();
            // One file ends before its empty line.
            let same = octets.starts_with(&printed) || printed == [&octets[..], b"\r\n"].concat();
            assert!(same, "{name}");
        }
    }
}

fn verdict(octets: &[u8]) -> Verdict {
    match Message::parse(octets) {
        Ok(Message::Request(request)) => {
            let judged = validate(&request).and_then(|()| ENDPOINT.admit(&request));
            match judged {
                Ok(()) => Served,
                Err(refuse) => Refused(refuse.status().code()),
            }
        }
        Ok(Message::Response(response)) => match validate_response(&response) {
            Ok(()) => Heard,
            Err(_) => Discarded,
        },
        Err(_) if octets.starts_with(b"SIP/") => Discarded,
        Err(_) => Unreadable,
    }
}

/// The folder of messages, if it was named; in CI it must be.
fn vectors() -> Option<PathBuf> {
    match std::env::var_os("DEMARC_VECTORS") {
        Some(folder) => Some(Path::new(&folder).join("rfc4475")),
        None => {
            assert!(
                std::env::var_os("CI").is_none(),
                "DEMARC_VECTORS must name the test vectors in CI"
            );
            println!("not asked for: DEMARC_VECTORS names no folder");
            None
        }
    }
}

fn messages(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of messages")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|end| end == "dat"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let octets = std::fs::read(&path).expect("a readable message");
            (name.into_owned(), octets)
        })
        .collect()
}
