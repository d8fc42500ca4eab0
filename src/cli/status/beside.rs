//! What is wrong with no line of its own: things that are missing.

use super::facts::Facts;
use super::picture::Problem;

/// What is read for these beside the tables of the picture.
pub(super) const NAMES: &[&str] = &[
    "SipEp.TransportConfig",
    "SipEp.InteropTlsCertificateValidation",
    "SipEp.Gateway",
    "Bni.NetworkInterfaces",
];

/// Every problem that no line of the picture shows.
pub(super) fn problems(facts: &Facts) -> Vec<Problem> {
    let all = [no_authority(facts), no_gateway(facts)];
    all.into_iter().flatten().collect()
}

/// TLS servers are validated, and there is nothing to do it with.
fn no_authority(facts: &Facts) -> Option<Problem> {
    let mut transports = facts.rows("SipEp.TransportConfig");
    let (_, tls) = transports.find(|(_, row)| row.cell("TlsEnable") == "enable")?;
    let level = facts.scalar("SipEp.InteropTlsCertificateValidation");
    let mut certificates = facts.rows("Cert.CertificateDetail");
    let any = certificates.any(|(_, row)| row.cell("Store") == "other");
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
