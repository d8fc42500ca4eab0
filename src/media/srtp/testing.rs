//! Octets as the RFCs print them, packets and pairs for the tests of this folder.

use super::{MasterKey, Receiver, Sender, Suite};

/// The octets that hexadecimal digits stand for; white space does not count.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Hexadecimal digits of octets.
pub(crate) fn octets(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A key whose octets all are `fill`.
pub(crate) fn key(suite: Suite, fill: u8) -> MasterKey {
    let key = vec![fill; suite.key_length()];
    MasterKey::new(suite, &key, &vec![!fill; suite.salt_length()]).expect("the suite's lengths")
}

/// Two ends with one key.
pub(crate) fn pair(key: &MasterKey) -> (Sender, Receiver) {
    (Sender::new(key), Receiver::new(key))
}

/// An RTP packet of 20 octets of payload.
pub(crate) fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..20).map(|at| at ^ sequence as u8));
    packet
}

/// An RTCP packet: a receiver report that reports nothing, and an end.
pub(crate) fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x81, 203, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet
}

/// What leaves for an RTP packet.
pub(crate) fn protected(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + sender.overhead(), 0);
    let length = sender
        .protect(&mut buffer, packet.len())
        .expect("protected");
    buffer.truncate(length);
    buffer
}

/// What leaves for an RTCP packet.
pub(crate) fn protected_rtcp(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + sender.overhead(), 0);
    let length = sender
        .protect_rtcp(&mut buffer, packet.len())
        .expect("protected");
    buffer.truncate(length);
    buffer
}

/// What arrives of an SRTP packet.
pub(crate) fn unprotected(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, super::Error> {
    let mut buffer = packet.to_vec();
    let length = receiver.unprotect(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

/// What arrives of an SRTCP packet.
pub(crate) fn unprotected_rtcp(
    receiver: &mut Receiver,
    packet: &[u8],
) -> Result<Vec<u8>, super::Error> {
    let mut buffer = packet.to_vec();
    let length = receiver.unprotect_rtcp(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}
