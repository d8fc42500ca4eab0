//! SRTP and SRTCP: whatever arrives never panics and, having no tag of ours, is refused unchanged;
//! what we protect is read back, and not twice.
#![no_main]

use demarc::media::srtp::{Error, MAX_OVERHEAD, MasterKey, Receiver, Sender, Suite};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((choice, packet)) = octets.split_first() else {
        return;
    };
    let suite = Suite::ALL[usize::from(*choice) % Suite::ALL.len()];
    let key = vec![*choice; suite.key_length()];
    let mut key = MasterKey::new(suite, &key, &vec![7; suite.salt_length()]).expect("its lengths");
    if choice & 0x80 != 0 {
        key = key.with_mki(&[1, 2, 3]).expect("an MKI");
    }
    let (mut sender, mut receiver) = (Sender::new(&key), Receiver::new(&key));

    let mut buffer = packet.to_vec();
    assert!(receiver.unprotect(&mut buffer).is_err());
    assert!(receiver.unprotect_rtcp(&mut buffer).is_err());
    assert_eq!(buffer, packet);

    buffer.resize(packet.len() + MAX_OVERHEAD, 0);
    if let Ok(length) = sender.protect(&mut buffer, packet.len()) {
        let mut twice = buffer[..length].to_vec();
        assert_eq!(receiver.unprotect(&mut buffer[..length]), Ok(packet.len()));
        assert_eq!(buffer[..packet.len()], *packet);
        assert_eq!(receiver.unprotect(&mut twice), Err(Error::Replayed));
    }
    if let Ok(length) = sender.protect_rtcp(&mut buffer, packet.len()) {
        let read = receiver.unprotect_rtcp(&mut buffer[..length]);
        assert_eq!(read, Ok(packet.len()));
        assert_eq!(buffer[..packet.len()], *packet);
    }
});
