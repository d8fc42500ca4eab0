//! What one handshake saw, for the reason that is told afterwards.
//!
//! The TLS library calls the verifier and the resolver deep within; they
//! leave here what its error does not carry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use super::trail::Trail;

#[derive(Debug, Default)]
pub(super) struct Witness {
    trail: ArcSwap<Trail>,
    staple: ArcSwap<Vec<u8>>,
    asked_in_vain: AtomicBool,
}

impl Witness {
    /// The peer's certificate was checked, step by step.
    pub(super) fn checked(&self, trail: Trail) {
        self.trail.store(Arc::new(trail));
    }

    /// The peer sent this OCSP response with its certificate; "" is none.
    pub(super) fn stapled(&self, response: &[u8]) {
        self.staple.store(Arc::new(response.to_vec()));
    }

    /// The peer asked for a client certificate, and there was one or not.
    pub(super) fn asked(&self, answered: bool) {
        self.asked_in_vain.store(!answered, Ordering::Relaxed);
    }

    pub(super) fn trail(&self) -> Arc<Trail> {
        self.trail.load_full()
    }

    pub(super) fn staple(&self) -> Arc<Vec<u8>> {
        self.staple.load_full()
    }

    pub(super) fn asked_in_vain(&self) -> bool {
        self.asked_in_vain.load(Ordering::Relaxed)
    }
}
