//! Offer and answer (RFC 3264) of one call.
//!
//! For whoever holds a call's leg: [`Negotiation`] makes offers from a
//! [`Description`] of what is wanted, answers the peer's and reads its
//! answers. It yields what was [`Agreed`], or a [`Refusal`] that an operator
//! can read. No sockets, no clock; random octets are an argument.

mod agreed;
mod answering;
mod arrange;
mod candidate;
mod codecs;
mod description;
mod fax;
mod keying;
mod machine;
mod offering;
mod reading;
mod refusal;

pub use agreed::{Agreed, AgreedFax, Audio, Codec, Media, Payloads, Role, Secured};
pub use description::{
    ClearHop, Description, Fallback, FaxBesideSrtp, FaxEnd, Format, Hop, Keys, Management,
    MikeyEnd, Mismatch, Mode, Security, Subject, Wish,
};
pub use machine::Negotiation;
pub use refusal::Refusal;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
