//! The device type document.
