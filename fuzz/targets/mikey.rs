//! MIKEY: what parses prints itself again, and what gives keys is answered by
//! a message that its sender would take.
#![no_main]

use demarc::media::keys::mikey::{Freshness, Message, MikeyFault, Protection, respond};
use demarc::media::srtp::Suite;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    match Message::parse(octets) {
        Ok(message) => assert_eq!(Message::parse(&message.print()), Ok(message)),
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    }
    let freshness = Freshness::default();
    let read = |protection| respond(octets, protection, &Suite::ALL, 7, freshness, 0);
    if let Ok(response) = read(&Protection::Null) {
        let (send, receive) = response.bundle.keys().expect("checked before");
        assert!(send.master().is_ok() && receive.master().is_ok());
        let own = response
            .bundle
            .confirm(&response.reply, response.time, &Protection::Null);
        // A counter comes back in its own 32 bits, which we never send.
        assert!(matches!(own, Ok(()) | Err(MikeyFault::Other)));
    }
    let psk = Protection::Psk(vec![7; 16].into());
    assert!(read(&psk).is_err(), "nobody guesses a MAC");
});
