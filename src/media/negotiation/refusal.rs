//! Why an offer or an answer is refused; the text is what the operator reads.

use thiserror::Error;

use super::description::Mismatch;
use crate::media::keys::mikey::MikeyFault;
use crate::media::keys::sdes::SdesFault;
use crate::wire::sdp::Fault;

/// Why nothing was agreed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The body is no description.
    #[error("the session description is malformed: {0}")]
    Malformed(#[from] Fault),
    /// Nothing that we could take is offered.
    #[error("the offer holds neither audio nor a fax that is allowed here")]
    NoMedia,
    /// No codec is common.
    #[error("no codec is common to both: the peer has {peer}; set the codecs of this endpoint")]
    NoCodec {
        /// The peer's encodings.
        peer: String,
    },
    /// Protected media are required.
    #[error("only RTP without SRTP is offered, and the RTP mode is secure")]
    ClearInSecure,
    /// Protected media are not allowed.
    #[error("only SRTP is offered, and the RTP mode is unsecure")]
    SecurityDisabled,
    /// The peer's keys come by another protocol.
    #[error("received the wrong key management protocol, secure stream disabled")]
    WrongKeyManagement(Mismatch),
    /// A protected medium without keys.
    #[error("SRTP is offered without a key")]
    NoKeys,
    /// The crypto attributes will not do.
    #[error(transparent)]
    Sdes(#[from] SdesFault),
    /// The MIKEY message will not do.
    #[error(transparent)]
    Mikey(#[from] MikeyFault),
    /// Keys would be readable on the way.
    #[error("keys do not go over a hop without TLS: enable TLS, or allow it")]
    ClearHop,
    /// DTLS without a role (RFC 5763 §5).
    #[error("the DTLS role of the peer does not fit ours")]
    Setup,
    /// The address is a name, of the other family, or missing.
    #[error("the peer's media address is none that media can be sent to")]
    Address,
    /// T.38 would break the protection.
    #[error("a fax on a call with SRTP goes unencrypted and is not allowed")]
    FaxInSecure,
    /// T.38 is switched off.
    #[error("T.38 is not enabled")]
    FaxDisabled,
    /// Fewer media than before (RFC 3264 §8).
    #[error("the offer holds fewer media than the one before")]
    Shrunk,
    /// An answer has one medium for each offered (RFC 3264 §6).
    #[error("the answer holds {found} media for {offered}")]
    AnswerMedia {
        /// Ours.
        offered: usize,
        /// The peer's.
        found: usize,
    },
    /// Another profile than was offered.
    #[error("the answer changes the transport of a medium")]
    Profile,
    /// Every medium has port 0.
    #[error("the answer refuses every medium")]
    Rejected,
    /// Both ends have offered at once (RFC 3264 §4).
    #[error("an offer of ours is not answered yet")]
    Pending,
    /// There is no offer that this could answer.
    #[error("an answer without an offer")]
    NotAsked,
}

impl Refusal {
    /// The status that an offer is refused with.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::WrongKeyManagement(Mismatch::UnsupportedMediaType) => 415,
            // RFC 3261 §14.2.
            Self::Pending => 491,
            _ => 488,
        }
    }

    /// What Accept says beside a 415.
    #[must_use]
    pub fn accept(&self) -> Option<&'static str> {
        (self.status() == 415).then_some("application/sdp")
    }
}
