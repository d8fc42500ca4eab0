//! What is wrong with no line of its own: things that are missing.

use super::facts::{Facts, Row};
use super::picture::Problem;

/// What is read for these beside the tables of the picture.
pub(super) const NAMES: &[&str] = &[
    "SipEp.TransportConfig",
    "SipEp.InteropTlsCertificateValidation",
    "SipEp.Gateway",
    "Bni.NetworkInterfaces",
    "Conf.PendingChange",
];

/// Every problem that no line of the picture shows.
pub(super) fn problems(facts: &Facts) -> Vec<Problem> {
    let all = [no_authority(facts), no_gateway(facts)];
    let pending = facts.rows("Conf.PendingChange");
    let pending = pending.map(|(_, row)| unconfirmed(row));
    all.into_iter().flatten().chain(pending).collect()
}

/// A change that goes back by itself.
fn unconfirmed(row: &Row) -> Problem {
    let cell = |short| row.cell(short);
    let (user, objects, seconds) = (cell("User"), cell("Objects"), cell("Within"));
    let since = match cell("Made") {
        "" => "it was made".to_owned(),
        made => made.to_owned(),
    };
    Problem {
        object: row.name.clone(),
        reason: format!(
            "{user} changed {objects}: undone {seconds} s after {since}, unless it is confirmed: demarc set {}.Confirm=confirm",
            row.name
        ),
    }
}

/// TLS servers are validated, and there is nothing to do it with.
fn no_authority(facts: &Facts) -> Option<Problem> {
    let mut transports = facts.rows("SipEp.TransportConfig");
    let (_, tls) = transports.find(|(_, row)| row.cell("TlsEnable") == "enable")?;
    let level = facts.scalar("SipEp.InteropTlsCertificateValidation");
    let mut certificates = facts.rows("Cert.CertificateDetail");
    let any = certificates.any(|(_, row)| row.cell("Store") == "others");
    (!any && level != "noValidation").then(|| Problem {
        object: tls.name.clone(),
        reason: "TLS servers are validated, but no authority is installed: \
                 demarc cert add --type other FILE"
            .to_owned(),
    })
}

/// Nothing can register or call.
fn no_gateway(facts: &Facts) -> Option<Problem> {
    let known = !facts
        .scalar("SipEp.InteropTlsCertificateValidation")
        .is_empty();
    let none = facts.rows("SipEp.Gateway").next().is_none();
    (known && none).then(|| Problem {
        object: "SipEp.Gateway".to_owned(),
        reason: "there is no gateway: demarc set 'SipEp.Gateway[Name=default].Port=0'".to_owned(),
    })
}
