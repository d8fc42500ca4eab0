//! The messages of CWMP as SOAP 1.1 carries them (TR-069 §3.5, Annex A).
//!
//! For the CWMP face, which speaks in [`message`] types, and for tests, which
//! play the ACS. Bytes to meaning and back: it does not know what a session
//! is, which parameters exist, or which faults are wise.

pub mod message;
