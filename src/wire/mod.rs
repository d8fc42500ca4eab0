//! Bytes to meaning and back: no state, no clock, no socket.
