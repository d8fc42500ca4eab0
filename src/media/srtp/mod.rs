//! SRTP and SRTCP (RFC 3711, 6188, 7714).
//!
//! For whoever holds a session's sockets: a [`Sender`] protects what leaves, a
//! [`Receiver`] unprotects what arrives, each in the caller's buffer, without a
//! lock and without an allocation for a packet. Where keys come from it does
//! not know: SDES, MIKEY and DTLS all end in a [`MasterKey`].

mod cipher;
mod derive;
mod error;
mod gcm;
mod hmac;
mod key;
mod life;
mod packet;
mod receiver;
mod sender;
mod session;
mod stream;
mod suite;
mod transform;
mod window;

pub use error::{Error, KeyError};
pub use key::{Lifetime, MasterKey};
pub use life::Event;
pub use receiver::Receiver;
pub use sender::{MAX_OVERHEAD, Sender};
pub use session::Sequence;
pub use stream::MAX_STREAMS;
pub use suite::Suite;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
