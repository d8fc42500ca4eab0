//! STUN messages: what parses prints itself again, and a proof is of its key alone.
#![no_main]

use demarc::wire::stun::Message;
use demarc::wire::stun::integrity::{Form, Key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let key = Key::short(b"secret", Form::Plain);
    let _ = key.proves(octets);
    match Message::parse(octets) {
        Ok(message) => {
            assert_eq!(Message::parse(&message.print(None)).as_ref(), Ok(&message));
            let proven = message.print(Some(&key));
            assert!(key.proves(&proven));
            assert!(!Key::short(b"other", Form::Plain).proves(&proven));
            assert_eq!(Message::parse(&proven).as_ref(), Ok(&message));
            let _ = (message.mapped(), message.error(), message.challenge());
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
});
