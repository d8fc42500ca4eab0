//! Our SOAP beside the cwmp crate: it reads what we write, and we read what it writes.
//!
//! The crate knows elements by their local names wherever they stand, so what
//! it reads is the message and not the namespaces; those are judged by the
//! Broadband Forum's schemas elsewhere.

mod from_acs;
mod from_cpe;

use ::cwmp::protocol::{BodyElement, CwmpVersion, Envelope, HeaderElement, ID};

/// Of cwmp-1-0, with an ID that both must carry as it is.
fn theirs(body: BodyElement) -> Envelope {
    theirs_with(vec![HeaderElement::ID(ID::new(true, ID_TEXT.into()))], body)
}

fn theirs_with(header: Vec<HeaderElement>, body: BodyElement) -> Envelope {
    Envelope::new(Some(CwmpVersion::new(1, 0)), header, vec![body])
}

const ID_TEXT: &str = "<7 & 8>";
/// What has to be escaped, and what need not be.
const ODD: &str = "a<b>&\"c\" 'd' é ]]>";

fn text(text: &str) -> String {
    text.to_owned()
}
