//! The messages of CWMP as SOAP 1.1 carries them (TR-069 §3.5, Annex A).
//!
//! For the CWMP face, which speaks in the types of [`message`], and for tests
//! that play the ACS. Bytes to meaning and back: it does not know what a
//! session is, which parameters exist, or which refusals are wise.

mod element;
mod entry;
pub mod message;
mod read;
mod write;

pub use element::XmlError;
pub use entry::{Entry, Object};
pub use read::{BodyError, SoapError, read};
pub use write::{print, print_values};

/// The namespace of SOAP 1.1 envelopes.
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

impl message::Namespace {
    /// Its URN, as `xmlns:cwmp` declares it.
    pub fn urn(self) -> &'static str {
        match self {
            Self::Cwmp10 => "urn:dslforum-org:cwmp-1-0",
            Self::Cwmp11 => "urn:dslforum-org:cwmp-1-1",
            Self::Cwmp12 => "urn:dslforum-org:cwmp-1-2",
        }
    }

    /// None: no namespace of CWMP. 1.3 and 1.4 have no URN of their own, but
    /// servers are seen that make one up; they mean the methods of 1.2.
    pub fn of(urn: &str) -> Option<Self> {
        match urn.strip_prefix("urn:dslforum-org:cwmp-1-")? {
            "0" => Some(Self::Cwmp10),
            "1" => Some(Self::Cwmp11),
            "2" | "3" | "4" => Some(Self::Cwmp12),
            _ => None,
        }
    }
}

impl message::Kind {
    /// As `xsi:type` names it, without its prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Long => "long",
            Self::UnsignedInt => "unsignedInt",
            Self::UnsignedLong => "unsignedLong",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Base64 => "base64Binary",
            Self::Hex => "hexBinary",
        }
    }

    /// None: no type of a parameter. `base64` is SOAP 1.1's own name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "int" => Self::Int,
            "long" => Self::Long,
            "unsignedInt" => Self::UnsignedInt,
            "unsignedLong" => Self::UnsignedLong,
            "boolean" => Self::Boolean,
            "dateTime" => Self::DateTime,
            "base64Binary" | "base64" => Self::Base64,
            "hexBinary" => Self::Hex,
            _ => return None,
        })
    }
}
